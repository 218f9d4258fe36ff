//! Where the fields are that the probes read, by the program's own debug information (DWARF): for
//! programs of a Go that is newer than this tracer.

use gimli::{Attribute, DebugInfoUnitHeadersIter, EndianSlice, LittleEndian, Unit};
use tracer_common::golang::Layout;

use super::super::elf::Elf;
use super::program::Structures;

/// Bytes of one section that are looked through. Go describes its types in the first of its units.
const LIMIT: usize = 64 << 20;

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// `None` where there is no debug information, or it does not say.
pub(super) fn structures(elf: &Elf<'_>) -> Option<Structures> {
    let [goid, parent, persist, pfd, family, kind, descriptor] = fields(elf, &WANTED)[..] else {
        return None;
    };
    let socket = || {
        let small = |offset: Option<u16>| offset?.try_into().ok();
        let descriptor = small(pfd?.checked_add(descriptor?))?;
        let (family, kind) = (small(family)?, small(kind)?);
        Some(Layout { descriptor, family, kind, ..Layout::default() })
    };
    Some(Structures { goid: goid?, parent, socket: socket(), persist, rpc: None })
}

/// Structure and field.
type Field = (&'static str, &'static str);

const WANTED: [Field; 7] = [
    ("runtime.g", "goid"),
    ("runtime.g", "parentGoid"),
    ("net/http.persistConn", "conn"),
    ("net.netFD", "pfd"),
    ("net.netFD", "family"),
    ("net.netFD", "sotype"),
    ("internal/poll.FD", "Sysfd"),
];

/// Offsets of fields, in this order, as far as they are found.
pub(super) fn fields(elf: &Elf<'_>, wanted: &[Field]) -> Vec<Option<u16>> {
    let mut fields = Fields { wanted, found: vec![None; wanted.len()] };
    // What has been found before it breaks off is found.
    let _ = fields.seek(elf);
    fields.found
}

/// Those that are sought, and their offsets.
struct Fields<'w> {
    wanted: &'w [Field],
    found: Vec<Option<u16>>,
}

impl Fields<'_> {
    fn seek(&mut self, elf: &Elf<'_>) -> Option<()> {
        let load = |id: gimli::SectionId| -> Result<Vec<u8>, gimli::Error> {
            let section = elf.section(id.name());
            Ok(section.and_then(|section| section.unpacked(LIMIT)).unwrap_or_default())
        };
        let sections = gimli::DwarfSections::load(load).ok()?;
        let dwarf = sections.borrow(|section| EndianSlice::new(section, LittleEndian));
        let mut units: DebugInfoUnitHeadersIter<Slice<'_>> = dwarf.units();
        while let Ok(Some(header)) = units.next() {
            let Ok(unit) = dwarf.unit(header) else { continue };
            self.look(&dwarf, &unit);
            if self.found.iter().all(Option::is_some) {
                break;
            }
        }
        Some(())
    }

    fn look(&mut self, dwarf: &gimli::Dwarf<Slice<'_>>, unit: &Unit<Slice<'_>>) {
        let mut entries = unit.entries();
        let mut structure: Option<&str> = None;
        // A unit that breaks off has said what it has.
        while let Ok(Some(entry)) = entries.next_dfs() {
            let name = |attribute: Option<&Attribute<Slice<'_>>>| {
                let text = dwarf.attr_string(unit, attribute?.value()).ok()?;
                self.wanted
                    .iter()
                    .flat_map(|(of, field)| [*of, *field])
                    .find(|it| it.as_bytes() == text.slice())
            };
            match entry.tag() {
                gimli::DW_TAG_structure_type => structure = name(entry.attr(gimli::DW_AT_name)),
                gimli::DW_TAG_member => {
                    let Some(of) = structure else { continue };
                    let Some(field) = name(entry.attr(gimli::DW_AT_name)) else { continue };
                    let at = entry.attr(gimli::DW_AT_data_member_location);
                    let at = at.and_then(|at| at.value().udata_value());
                    if let Some(index) = self.wanted.iter().position(|it| *it == (of, field)) {
                        self.found[index] = at.and_then(|at| at.try_into().ok());
                    }
                }
                _ => structure = None,
            }
        }
    }
}
