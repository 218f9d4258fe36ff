//! Programs' files, as far as they may be read: whoever runs a program may have made its file to
//! mislead or exhaust its reader.

use std::cell::Cell;
use std::fs::File;
use std::ops::Range;

use object::elf::FileHeader64;
use object::read::elf::{ElfFile64, ElfSection64, FileHeader as _, ProgramHeader as _};
use object::{LittleEndian, Object as _, ObjectSection as _, ObjectSymbol, ReadCache, ReadRef};

/// Most bytes that are read of one file, and held meanwhile.
const BUDGET: u64 = 256 << 20;

/// A file's contents, read where they are asked for.
pub struct Contents {
    cache: ReadCache<File>,
    left: Cell<u64>,
}

impl Contents {
    /// Nothing is read yet.
    ///
    /// # Errors
    /// Of the system, when it gives no second handle.
    pub fn new(file: &File) -> std::io::Result<Self> {
        Ok(Self { cache: ReadCache::new(file.try_clone()?), left: Cell::new(BUDGET) })
    }

    /// As a 64-bit little-endian ELF file.
    ///
    /// # Errors
    /// It is none, or is broken.
    pub fn elf(&self) -> object::Result<Elf<'_>> {
        Ok(Elf(ElfFile64::parse(Budgeted(self))?))
    }
}

#[derive(Clone, Copy)]
struct Budgeted<'a>(&'a Contents);

impl<'a> ReadRef<'a> for Budgeted<'a> {
    fn len(self) -> Result<u64, ()> {
        (&self.0.cache).len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        let left = self.0.left.get().checked_sub(size).ok_or(())?;
        self.0.left.set(left);
        (&self.0.cache).read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        (&self.0.cache).read_bytes_at_until(range, delimiter)
    }
}

/// An ELF file.
pub struct Elf<'a>(ElfFile64<'a, LittleEndian, Budgeted<'a>>);

/// One section's place.
pub struct Section<'a, 'file>(ElfSection64<'a, 'file, LittleEndian, Budgeted<'a>>);

impl<'a> Elf<'a> {
    /// A section, by its name; of debug information also where the name says that it is compressed.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<Section<'a, '_>> {
        self.0.section_by_name(name).map(Section)
    }

    /// The number that the linker gave it (NT_GNU_BUILD_ID), if it did.
    #[must_use]
    pub fn build(&self) -> Option<&'a [u8]> {
        self.0.build_id().ok().flatten()
    }

    /// Address of the first instruction.
    #[must_use]
    pub fn entry(&self) -> u64 {
        self.0.entry()
    }

    /// Address of the first symbol with this name in its full symbol table, if it has one.
    #[must_use]
    pub fn symbol(&self, name: &str) -> Option<u64> {
        let mut symbols = self.0.symbols();
        symbols.find(|symbol| symbol.name_bytes() == Ok(name.as_bytes())).map(|it| it.address())
    }

    /// Address of the symbol with this name that it exports.
    #[must_use]
    pub fn exported(&self, name: &str) -> Option<u64> {
        let mut symbols = self.0.dynamic_symbols();
        let is_it = |symbol: &object::read::elf::ElfSymbol64<'_, '_, _, _>| {
            symbol.is_definition() && symbol.name_bytes() == Ok(name.as_bytes())
        };
        symbols.find(is_it).map(|it| it.address())
    }

    /// Addresses of the functions with these names that it exports; if it does not export the first one,
    /// of those in its full symbol table.
    #[must_use]
    pub fn functions(&self, names: &[&str]) -> Vec<Option<u64>> {
        let exported = find(self.0.dynamic_symbols(), names);
        match exported.first() {
            Some(Some(_)) => exported,
            _ => find(self.0.symbols(), names),
        }
    }

    /// Whether it can be loaded anywhere: a library, or a position-independent program.
    #[must_use]
    pub fn is_movable(&self) -> bool {
        let header: &FileHeader64<LittleEndian> = self.0.elf_header();
        header.e_type(self.0.endian()) == object::elf::ET_DYN
    }

    /// The lowest address that it is loaded at, by its own count.
    #[must_use]
    pub fn lowest(&self) -> Option<u64> {
        use object::ObjectSegment as _;
        self.0.segments().map(|segment| segment.address()).min()
    }

    /// Size and alignment of its thread-local variables in memory; `None` if it has none.
    #[must_use]
    pub fn thread_local(&self) -> Option<(u64, u64)> {
        let headers = self.0.elf_program_headers().iter();
        let endian = self.0.endian();
        headers
            .filter(|header| header.p_type(endian) == object::elf::PT_TLS)
            .map(|header| (header.p_memsz(endian), header.p_align(endian)))
            .next()
    }

    /// Where in the file the byte is that is mapped to an address.
    #[must_use]
    pub fn offset(&self, address: u64) -> Option<u64> {
        let endian = self.0.endian();
        self.0
            .elf_program_headers()
            .iter()
            .filter(|header| header.p_type(endian) == object::elf::PT_LOAD)
            .find_map(|header| {
                let within = address.checked_sub(header.p_vaddr(endian))?;
                let inside = within < header.p_filesz(endian);
                inside.then(|| header.p_offset(endian).checked_add(within)).flatten()
            })
    }

    /// Up to `len` bytes that are mapped to an address, of those that the file has.
    #[must_use]
    pub fn bytes(&self, address: u64, len: u64) -> Option<&'a [u8]> {
        self.0.data().read_bytes_at(self.offset(address)?, len).ok()
    }

    /// For x86-64?
    #[must_use]
    pub fn is_x86_64(&self) -> bool {
        let header: &FileHeader64<LittleEndian> = self.0.elf_header();
        header.e_machine(self.0.endian()) == object::elf::EM_X86_64
    }
}

fn find<'data>(
    symbols: impl Iterator<Item = impl ObjectSymbol<'data>>,
    names: &[&str],
) -> Vec<Option<u64>> {
    let mut found = vec![None; names.len()];
    for symbol in symbols.filter(|symbol| symbol.is_definition()) {
        let name = symbol.name_bytes().unwrap_or_default();
        let place = names.iter().position(|wanted| wanted.as_bytes() == name);
        if let Some(place) = place.and_then(|place| found.get_mut(place)) {
            place.get_or_insert(symbol.address());
        }
    }
    found
}

impl<'a> Section<'a, '_> {
    /// Where it is in memory.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.0.address()
    }

    /// Its bytes as they are in the file.
    #[must_use]
    pub fn data(&self) -> Option<&'a [u8]> {
        self.0.data().ok()
    }

    /// Its bytes, unpacked if they are compressed (by zlib); of those `limit` at most.
    #[must_use]
    pub fn unpacked(&self, limit: usize) -> Option<Vec<u8>> {
        use std::io::Read as _;
        let packed = self.0.compressed_data().ok()?;
        let mut bytes = Vec::new();
        match packed.format {
            object::CompressionFormat::None => {
                packed.data.take(limit as u64).read_to_end(&mut bytes)
            }
            object::CompressionFormat::Zlib => {
                let unpacked = flate2::read::ZlibDecoder::new(packed.data);
                unpacked.take(limit as u64).read_to_end(&mut bytes)
            }
            _ => return None,
        }
        .ok()?;
        Some(bytes)
    }
}
