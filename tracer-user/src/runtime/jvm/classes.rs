//! Classes that a JVM has loaded, and where their objects have their fields (JDK 11 to 25,
//! src/hotspot/share/oops/instanceKlass.hpp, fieldInfo.hpp, symbol.hpp, constantPool.hpp).

use std::collections::HashMap;

use super::super::memory::Memory;
use super::tables::Tables;

/// Loaders: every lambda has one.
const MAX_LOADERS: usize = 100_000;
/// Those whose classes are looked at: the JDK's own come first.
const OLDEST: usize = 8;
/// Classes that are looked at.
const MAX_CLASSES: usize = 100_000;
/// Fields of one class.
const MAX_FIELDS: usize = 256;
/// `JVM_ACC_FIELD_INTERNAL`: a field of the JVM's own (before JDK 21).
const INTERNAL: u16 = 0x400;

/// Of one process.
pub(super) struct Classes<'a> {
    pub(super) memory: &'a Memory,
    pub(super) tables: &'a Tables,
    /// The JDK's classes by their names (with slashes).
    by_name: HashMap<String, u64>,
}

impl<'a> Classes<'a> {
    /// `None` if they are not kept as expected.
    pub(super) fn read(memory: &'a Memory, tables: &'a Tables) -> Option<Self> {
        let mut classes = Self { memory, tables, by_name: HashMap::new() };
        let offset = |field| tables.offset("Klass", field);
        let (name, next) = (offset("_name")?, offset("_next_link")?);
        let first = classes.first_classes()?;
        let all = first.into_iter().flat_map(|first| list(memory, first, next));
        for class in all.take(MAX_CLASSES) {
            let symbol = memory.word(class.wrapping_add(name))?;
            classes.by_name.extend(classes.symbol(symbol).map(|name| (name, class)));
        }
        Some(classes)
    }

    /// The addresses of those with these names.
    pub(super) fn find<const N: usize>(&self, names: [&str; N]) -> [Option<u64>; N] {
        names.map(|name| self.by_name.get(name).copied())
    }

    /// The first class of each of the oldest loaders; new ones come first.
    fn first_classes(&self) -> Option<Vec<u64>> {
        let offset = |field| self.tables.offset("ClassLoaderData", field);
        let (next, classes) = (offset("_next")?, offset("_klasses")?);
        let head = self.memory.word(self.tables.address("ClassLoaderDataGraph", "_head")?)?;
        let loaders: Vec<u64> = list(self.memory, head, next).take(MAX_LOADERS).collect();
        let oldest = loaders.iter().rev().take(OLDEST);
        oldest.map(|loader| self.memory.word(loader.wrapping_add(classes))).collect()
    }

    fn symbol(&self, at: u64) -> Option<String> {
        let length = self.tables.offset("Symbol", "_length")?;
        let body = usize::try_from(self.tables.offset("Symbol", "_body")?).ok()?;
        let length = (self.memory.word(at.wrapping_add(length))? & 0xffff) as usize;
        let bytes = self.bytes(at, body + length)?;
        String::from_utf8(bytes.get(body..)?.to_vec()).ok()
    }

    /// Bytes from an object's beginning to the field that its class declares with this name.
    pub(super) fn field(&self, class: u64, name: &str) -> Option<u32> {
        let offset = |field| self.tables.offset("InstanceKlass", field);
        let at = |field| self.memory.word(class.wrapping_add(field));
        let symbols = at(offset("_constants")?)?.wrapping_add(self.tables.size("ConstantPool")?);
        let fields = match offset("_fields") {
            Some(fields) => {
                let count = at(offset("_java_fields_count")?)? & 0xffff;
                self.shorts(at(fields)?, count as usize)?
            }
            None => packed(&self.array(at(offset("_fieldinfo_stream")?)?)?)?,
        };
        let is_it = |number: u16| {
            let symbol = self.memory.word(symbols.wrapping_add(8 * u64::from(number)));
            symbol.and_then(|symbol| self.symbol(symbol)).is_some_and(|it| it == name)
        };
        fields.into_iter().find(|field| is_it(field.0)).map(|field| field.1)
    }

    /// Before JDK 21: six numbers a field, of which the last two have its offset above two bits.
    fn shorts(&self, array: u64, count: usize) -> Option<Vec<(u16, u32)>> {
        let bytes = self.bytes(array.wrapping_add(4), 12 * count.min(MAX_FIELDS))?;
        let field = |bytes: &[u8]| {
            let short = |at| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
            let packed = u32::from(short(8)?) | u32::from(short(10)?) << 16;
            Some((short(2)?, packed >> 2)).filter(|_| short(0).is_some_and(|it| it & INTERNAL == 0))
        };
        Some(bytes.chunks_exact(12).filter_map(field).collect())
    }

    /// An `Array<u1>`: its length, then as many bytes.
    fn array(&self, at: u64) -> Option<Vec<u8>> {
        let length = self.memory.word(at)? as u32 as usize;
        self.bytes(at.wrapping_add(4), length.min(32 * MAX_FIELDS))
    }

    fn bytes(&self, at: u64, length: usize) -> Option<Vec<u8>> {
        let words = self.memory.words(at, length.div_ceil(8));
        let mut bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
        bytes.truncate(length);
        Some(bytes).filter(|bytes| bytes.len() == length)
    }
}

/// From one on, as its field at `next` has it.
fn list(memory: &Memory, first: u64, next: u64) -> impl Iterator<Item = u64> {
    let some = |at: &u64| *at != 0;
    let next = move |at: &u64| memory.word(at.wrapping_add(next)).filter(some);
    std::iter::successors(Some(first).filter(some), next)
}

/// Since JDK 21: how many fields, how many of the JVM's own, then of each field the numbers of its
/// name and type, its offset, flags, and what these announce; all in UNSIGNED5.
fn packed(bytes: &[u8]) -> Option<Vec<(u16, u32)>> {
    const INITIALIZED: u32 = 1;
    const GENERIC: u32 = 1 << 2;
    const CONTENDED: u32 = 1 << 4;
    let mut bytes = bytes.iter().copied();
    let mut next = || unsigned5(&mut bytes);
    let (count, _) = (next()?, next()?);
    let mut fields = vec![];
    for _ in 0..count.min(MAX_FIELDS as u32) {
        let (name, _, offset, _, flags) = (next()?, next()?, next()?, next()?, next()?);
        for _ in [INITIALIZED, GENERIC, CONTENDED].into_iter().filter(|bit| flags & bit != 0) {
            next()?;
        }
        fields.push((u16::try_from(name).ok()?, offset));
    }
    Some(fields)
}

/// A number of one to five bytes, none of which is 0 (src/hotspot/share/utilities/unsigned5.hpp).
fn unsigned5(bytes: &mut impl Iterator<Item = u8>) -> Option<u32> {
    let mut sum = 0u32;
    for place in 0..5 {
        let byte = bytes.next().filter(|&byte| byte != 0)?;
        sum = sum.wrapping_add(u32::from(byte - 1) << (6 * place));
        if byte < 192 {
            break;
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::{packed, unsigned5};

    #[test]
    fn numbers_end_where_a_byte_is_small() {
        let read = |bytes: &[u8]| unsigned5(&mut bytes.iter().copied());
        assert_eq!(read(&[1]), Some(0));
        assert_eq!(read(&[191]), Some(190));
        assert_eq!(read(&[192, 1]), Some(191));
        assert_eq!(read(&[192, 2]), Some(191 + 64));
        assert_eq!(
            read(&[255; 5]),
            Some(
                [0, 6, 12, 18, 24]
                    .map(|by| 254u32 << by)
                    .iter()
                    .fold(0, |a: u32, b| a.wrapping_add(*b))
            )
        );
        assert_eq!(read(&[0]), None);
        assert_eq!(read(&[255]), None);
    }

    #[test]
    fn what_flags_announce_is_passed_over() {
        let fields = [3, 1, 8, 1, 13, 1, 6, 77, 78, 9, 1, 17, 1, 1];
        assert_eq!(packed(&fields), Some(vec![(7, 12), (8, 16)]));
        assert_eq!(packed(&[3, 1, 8]), None);
        assert_eq!(packed(&[]), None);
    }
}
