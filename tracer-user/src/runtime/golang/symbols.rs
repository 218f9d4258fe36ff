//! Functions by their names, from Go's own table, which is there in stripped programs too. Its
//! format is that of Go's debug/gosym since Go 1.18.

use super::super::elf::Elf;

/// Names of the table's section: in a position-independent program the dynamic linker relocates it.
const SECTIONS: [&str; 2] = [".gopclntab", ".data.rel.ro.gopclntab"];
/// First word of the table: Go 1.18 and 1.19, Go 1.20 and newer.
const MAGICS: [u32; 2] = [0xffff_fff0, 0xffff_fff1];
/// Where Go's own linker has a program begin.
const ENTRY: &str = "_rt0_amd64_linux";
/// Where Go's code begins.
const TEXT: &str = "runtime.text";

/// Address of a function; `None` where the program has none of this name, or its table is not
/// understood.
pub(super) fn function(elf: &Elf<'_>, name: &str) -> Option<u64> {
    let table = SECTIONS.iter().find_map(|name| elf.section(name))?;
    let table = Table::read(table.data()?)?;
    let offset = table.function(name)?;
    // The header's own word for it is zero since Go 1.26, and may be where the dynamic linker sets
    // it; and where the system's linker was used, the program begins with C's startup code.
    let by_entry = || elf.entry().checked_sub(table.function(ENTRY)?.into());
    let starts = [
        Some(table.text),
        elf.symbol(TEXT),
        by_entry(),
        elf.section(".text").map(|it| it.address()),
    ];
    let mut functions = starts.into_iter().flatten().map(|start| start.wrapping_add(offset.into()));
    functions.find(|&address| begins_function(elf, address))
}

/// Whether Go code begins at an address: a function with a frame of any size compares the stack
/// pointer with the goroutine's limit first, `cmp REGISTER, [r14+0x10]` (cmd/internal/obj/x86).
fn begins_function(elf: &Elf<'_>, address: u64) -> bool {
    const LOOK: u64 = 16;
    let code = elf.bytes(address, LOOK).unwrap_or_default();
    code.windows(4).any(|code| matches!(code, [0x49 | 0x4d, 0x3b, 0x66, 0x10]))
}

/// The instruction of a function at which a probe costs least, with the arguments still where they
/// came in. Behind the comparison with the goroutine's limit stands, since Go 1.21, a `push rbp`, which
/// the kernel carries out itself; any other instruction it has to run apart, for a second trap.
pub(super) fn cheapest(elf: &Elf<'_>, function: u64) -> u64 {
    const LOOK: u64 = 32;
    let behind = |code: &[u8]| {
        let rest = match *code {
            // lea r12, [rsp-SIZE]; a small frame is compared without.
            [0x4c, 0x8d, 0xa4, 0x24, _, _, _, _, ref rest @ ..] => rest,
            [0x4c, 0x8d, 0x64, 0x24, _, ref rest @ ..] => rest,
            _ => code,
        };
        let rest = rest
            .strip_prefix(&[0x4d, 0x3b, 0x66, 0x10])
            .or(rest.strip_prefix(&[0x49, 0x3b, 0x66, 0x10]))?;
        // jbe, to where the stack is made larger.
        let rest = match *rest {
            [0x0f, 0x86, _, _, _, _, ref rest @ ..] | [0x76, _, ref rest @ ..] => rest,
            _ => return None,
        };
        (rest.first() == Some(&PUSH)).then(|| (code.len() - rest.len()) as u64)
    };
    function + elf.bytes(function, LOOK).and_then(behind).unwrap_or(0)
}

/// `push rbp`.
const PUSH: u8 = 0x55;

/// The table, as far as functions' names and places go.
struct Table<'a> {
    /// Where code begins; 0 if it does not say.
    text: u64,
    count: usize,
    names: &'a [u8],
    /// Pairs of offsets: of the function's code from `text`, of its description from here.
    functions: &'a [u8],
}

impl<'a> Table<'a> {
    fn read(data: &'a [u8]) -> Option<Self> {
        let (magic, pointer_size) = (read_u32(data, 0)?, *data.get(7)?);
        if !MAGICS.contains(&magic) || pointer_size != 8 {
            return None;
        }
        let word = |index: usize| read_u64(data, 8 + 8 * index);
        let part = |index| data.get(usize::try_from(word(index)?).ok()?..);
        Some(Self {
            count: word(0)?.try_into().ok()?,
            text: word(2)?,
            names: part(3)?,
            functions: part(7)?,
        })
    }

    /// Offset of its code.
    fn function(&self, name: &str) -> Option<u32> {
        let entries = self.functions.chunks_exact(8).take(self.count);
        let is_it = |entry: &&[u8]| {
            let found = read_u32(entry, 4)
                // Of the description, the second word is the name's place.
                .and_then(|at| read_u32(self.functions, (at as usize).checked_add(4)?))
                .and_then(|at| self.names.get(at as usize..)?.strip_prefix(name.as_bytes()));
            found.is_some_and(|rest| rest.first() == Some(&0))
        };
        read_u32(entries.into_iter().find(is_it)?, 0)
    }
}

fn read_u32(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*data.get(at..)?.first_chunk()?))
}

fn read_u64(data: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*data.get(at..)?.first_chunk()?))
}
