//! Functions by their names, from Go's own table, which is there in stripped programs too. Its
//! format is that of Go's debug/gosym since Go 1.18.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::super::elf::Elf;

/// Names of the table's section: in a position-independent program the dynamic linker relocates it.
const SECTIONS: [&str; 2] = [".gopclntab", ".data.rel.ro.gopclntab"];
/// First word of the table: Go 1.18 and 1.19, Go 1.20 and newer.
const MAGICS: [u32; 2] = [0xffff_fff0, 0xffff_fff1];
/// Where Go's own linker has a program begin.
pub(super) const ENTRY: &str = "_rt0_amd64_linux";
/// Bytes of the longest name that is looked for, and more.
const MAX_NAME: usize = 128;
/// Where Go's code begins.
const TEXT: &str = "runtime.text";

/// One function's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Function {
    /// Where it is in memory, by the file's own count.
    pub(super) address: u64,
    /// Bytes, with what fills the space up to the next one.
    pub(super) len: u64,
}

/// Those of these functions that the program has; none where its table is not understood.
pub(super) fn functions(
    elf: &Elf<'_>,
    names: &HashSet<&'static str>,
) -> HashMap<&'static str, Function> {
    found(elf, names).unwrap_or_default()
}

fn found(elf: &Elf<'_>, names: &HashSet<&'static str>) -> Option<HashMap<&'static str, Function>> {
    let table = SECTIONS.iter().find_map(|name| elf.section(name))?;
    let table = Table::read(table.data()?)?;
    let mut ranges = table.ranges(names);
    let entry = ranges.remove(ENTRY);
    // The header's own word for it is zero since Go 1.26, and may be where the dynamic linker sets
    // it; and where the system's linker was used, the program begins with C's startup code.
    let starts = [
        Some(table.text),
        elf.symbol(TEXT),
        entry.and_then(|entry| elf.entry().checked_sub(entry.start.into())),
        elf.section(".text").map(|it| it.address()),
    ];
    let at = |start: u64, range: &Range<u32>| Function {
        address: start.wrapping_add(range.start.into()),
        len: range.len() as u64,
    };
    // Where it does not begin, a function may seem to begin by chance.
    let right = |start: &u64| {
        let begins = |range: &&Range<u32>| begins_function(elf, at(*start, range).address);
        ranges.values().filter(begins).count()
    };
    let start = starts.into_iter().flatten().max_by_key(right)?;
    let all = ranges.iter().map(|(name, range)| (*name, at(start, range)));
    Some(all.filter(|(_, function)| begins_function(elf, function.address)).collect())
}

/// Whether Go code begins at an address: a function with a frame of any size compares the stack
/// pointer with the goroutine's limit first, `cmp REGISTER, [r14+0x10]` (cmd/internal/obj/x86).
fn begins_function(elf: &Elf<'_>, address: u64) -> bool {
    const LOOK: u64 = 16;
    let code = elf.bytes(address, LOOK).unwrap_or_default();
    code.windows(4).any(|code| matches!(code, [0x49 | 0x4d, 0x3b, 0x66, 0x10]))
}

/// The instruction of a function at which a probe costs least, with the arguments still where they
/// came in. The kernel carries out a jump or a `push` itself; any other instruction it has to run apart,
/// with a second trap (measured in a virtual machine: 1 against 10 microseconds). Behind the comparison
/// with the goroutine's limit stand a jump to where the stack is made larger, from where the function
/// is begun anew, and since Go 1.21 a `push rbp`.
pub(super) fn cheapest(elf: &Elf<'_>, function: u64) -> u64 {
    const LOOK: u64 = 32;
    function + elf.bytes(function, LOOK).and_then(behind_comparison).unwrap_or(0)
}

/// The first instruction behind the comparison, which is carried out once in each call: the stack may have to
/// be made larger before.
pub(super) fn behind(elf: &Elf<'_>, function: u64) -> Option<u64> {
    const LOOK: u64 = 32;
    Some(function + comparison(elf.bytes(function, LOOK)?)?.1)
}

/// How far from the beginning of a function's code that instruction is.
fn behind_comparison(code: &[u8]) -> Option<u64> {
    const PUSH_RBP: u8 = 0x55;
    let (jump, rest) = comparison(code)?;
    Some(if code.get(rest as usize) == Some(&PUSH_RBP) { rest } else { jump })
}

/// How far from the beginning the comparison's jump is, and what follows it.
fn comparison(code: &[u8]) -> Option<(u64, u64)> {
    let rest = match *code {
        // lea r12, [rsp-SIZE]; a small frame is compared without.
        [0x4c, 0x8d, 0xa4, 0x24, _, _, _, _, ref rest @ ..] => rest,
        [0x4c, 0x8d, 0x64, 0x24, _, ref rest @ ..] => rest,
        _ => code,
    };
    let [0x49 | 0x4d, 0x3b, 0x66, 0x10, jump @ ..] = rest else { return None };
    let rest = match *jump {
        [0x0f, 0x86, _, _, _, _, ref rest @ ..] | [0x76, _, ref rest @ ..] => rest,
        _ => return None,
    };
    let at = |left: &[u8]| (code.len() - left.len()) as u64;
    Some((at(jump), at(rest)))
}

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

    /// Where the code of functions with these names is, from `text` on.
    fn ranges(&self, names: &HashSet<&'static str>) -> HashMap<&'static str, Range<u32>> {
        let entries = self.functions.chunks_exact(8).take(self.count).enumerate();
        let found = entries.filter_map(|(index, entry)| {
            // Of the description, the second word is the name's place.
            let at = read_u32(self.functions, (read_u32(entry, 4)? as usize).checked_add(4)?)?;
            let name = self.names.get(at as usize..)?;
            let end = name.iter().take(MAX_NAME).position(|&byte| byte == 0)?;
            let name = names.get(std::str::from_utf8(name.get(..end)?).ok()?)?;
            // The next entry begins where this one's code ends; so does what follows the last one.
            let (start, end) = (read_u32(entry, 0)?, read_u32(self.functions, 8 * (index + 1))?);
            Some((*name, start..end))
        });
        found.collect()
    }
}

fn read_u32(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*data.get(at..)?.first_chunk()?))
}

fn read_u64(data: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*data.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::behind_comparison;

    #[test]
    fn the_probe_stands_on_what_the_kernel_carries_out_itself() {
        let compare = [0x4d, 0x3b, 0x66, 0x10];
        let large =
            [&[0x4c, 0x8d, 0xa4, 0x24, 0, 0, 0, 0], &compare[..], &[0x0f, 0x86, 1, 2, 3, 4]];
        let large = large.concat();
        assert_eq!(behind_comparison(&[&large[..], &[0x55]].concat()), Some(18));
        assert_eq!(behind_comparison(&[&large[..], &[0x48, 0x81]].concat()), Some(12));
        assert_eq!(behind_comparison(&[&compare[..], &[0x76, 9, 0x55]].concat()), Some(6));
        assert_eq!(behind_comparison(&[0x55, 0x48, 0x89, 0xe5]), None);
        for cut in 0..large.len() {
            assert_eq!(behind_comparison(&large[..cut]), None);
        }
    }
}
