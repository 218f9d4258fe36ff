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
    let load = |id: gimli::SectionId| -> Result<Vec<u8>, gimli::Error> {
        let section = elf.section(id.name());
        Ok(section.and_then(|section| section.unpacked(LIMIT)).unwrap_or_default())
    };
    let sections = gimli::DwarfSections::load(load).ok()?;
    let dwarf = sections.borrow(|section| EndianSlice::new(section, LittleEndian));
    let mut fields = Fields::default();
    let mut units: DebugInfoUnitHeadersIter<Slice<'_>> = dwarf.units();
    while let Ok(Some(header)) = units.next() {
        let Ok(unit) = dwarf.unit(header) else { continue };
        fields.look(&dwarf, &unit);
        if fields.are_complete() {
            break;
        }
    }
    fields.structures()
}

/// Structure and field, in the order of [`Fields`].
const WANTED: [(&str, &str); 7] = [
    ("runtime.g", "goid"),
    ("runtime.g", "parentGoid"),
    ("net/http.persistConn", "conn"),
    ("net.netFD", "pfd"),
    ("net.netFD", "family"),
    ("net.netFD", "sotype"),
    ("internal/poll.FD", "Sysfd"),
];

/// Their offsets, as far as they have been found.
#[derive(Default)]
struct Fields([Option<u16>; WANTED.len()]);

impl Fields {
    fn look(&mut self, dwarf: &gimli::Dwarf<Slice<'_>>, unit: &Unit<Slice<'_>>) {
        let mut entries = unit.entries();
        let mut structure: Option<&str> = None;
        // A unit that breaks off has said what it has.
        while let Ok(Some(entry)) = entries.next_dfs() {
            let name = |attribute: Option<&Attribute<Slice<'_>>>| {
                let text = dwarf.attr_string(unit, attribute?.value()).ok()?;
                WANTED
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
                    if let Some(index) = WANTED.iter().position(|wanted| *wanted == (of, field)) {
                        self.0[index] = at.and_then(|at| at.try_into().ok());
                    }
                }
                _ => structure = None,
            }
        }
    }

    fn are_complete(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }

    fn structures(&self) -> Option<Structures> {
        let [goid, parent, conn, pfd, family, kind, descriptor] = self.0;
        let client = || {
            let descriptor = pfd?.checked_add(descriptor?)?;
            Some(Layout { conn: conn?, descriptor, family: family?, kind: kind? })
        };
        Some(Structures { goid: goid?, parent, client: client() })
    }
}
