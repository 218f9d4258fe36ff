//! The tables by which every libjvm.so tells debuggers where its structures have their fields
//! (src/hotspot/share/runtime/vmStructs.hpp; what the Serviceability Agent reads). They are exported,
//! so stripped ones have them, too.

use std::collections::HashMap;

use super::super::memory::Memory;

/// Entries of one table that are read; JDK 25 has some 1,500.
const MAX_ENTRIES: u64 = 8192;
/// Most bytes of a name.
const MAX_NAME: usize = 96;
/// `sizeof(VMStructEntry)`: names of type and field, type's string, whether it is static, offset,
/// address.
const FIELD: usize = 6;
/// `sizeof(VMTypeEntry)`: names of type and superclass, two and a half words of flags, size.
const TYPE: usize = 5;

/// Fields and sizes, by their names.
#[derive(Debug, Default)]
pub(super) struct Tables {
    fields: HashMap<(String, String), Field>,
    sizes: HashMap<String, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    /// Bytes from the structure's beginning.
    offset: u64,
    /// Of a static one.
    address: u64,
}

impl Tables {
    /// `fields` and `types`: addresses of `gHotSpotVMStructs` and `gHotSpotVMTypes`.
    pub(super) fn read(memory: &Memory, fields: u64, types: u64) -> Option<Self> {
        let mut tables = Self::default();
        for at in entries(memory.word(fields)?, FIELD) {
            let words = memory.words(at, FIELD);
            let [owner, field, _, _, offset, address] = words[..] else { return None };
            if owner == 0 {
                break;
            }
            if let (Some(owner), Some(field)) = (name(memory, owner), name(memory, field)) {
                tables.fields.insert((owner, field), Field { offset, address });
            }
        }
        for at in entries(memory.word(types)?, TYPE) {
            let words = memory.words(at, TYPE);
            let [own, _, _, _, size] = words[..] else { return None };
            if own == 0 {
                break;
            }
            tables.sizes.extend(name(memory, own).map(|own| (own, size)));
        }
        Some(tables)
    }

    /// Bytes from a structure's beginning to its field.
    pub(super) fn offset(&self, owner: &str, field: &str) -> Option<u64> {
        self.field(owner, field).map(|field| field.offset)
    }

    /// Where a static field is.
    pub(super) fn address(&self, owner: &str, field: &str) -> Option<u64> {
        self.field(owner, field).map(|field| field.address).filter(|&address| address != 0)
    }

    /// Bytes of a structure.
    pub(super) fn size(&self, of: &str) -> Option<u64> {
        self.sizes.get(of).copied()
    }

    fn field(&self, owner: &str, field: &str) -> Option<Field> {
        self.fields.get(&(owner.to_owned(), field.to_owned())).copied()
    }
}

fn entries(first: u64, words: usize) -> impl Iterator<Item = u64> {
    (0..MAX_ENTRIES).map(move |entry| first.wrapping_add(entry * 8 * words as u64))
}

fn name(memory: &Memory, at: u64) -> Option<String> {
    let words = memory.words(at, MAX_NAME / 8);
    let bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
    let end = bytes.iter().position(|&byte| byte == 0)?;
    bytes.get(..end).and_then(|name| str::from_utf8(name).ok()).map(str::to_owned)
}
