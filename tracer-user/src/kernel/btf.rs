//! Reads field offsets out of BTF, the kernel's own description of its types
//! (Documentation/bpf/btf.rst in the kernel's source).

/// Why BTF gave no answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Not BTF, or cut short.
    #[error("malformed BTF: {0}")]
    Malformed(&'static str),
    /// The kernel has no such field.
    #[error("this kernel has no field {field} in struct {of}")]
    NoField {
        /// The structure.
        of: String,
        /// What was looked for in it.
        field: String,
    },
    /// The kernel has no such tracepoint.
    #[error(
        "this kernel is too old: it has no tracepoint {0}; Linux 6.3 or newer with BTF is needed"
    )]
    NoTracepoint(&'static str),
}

const MAGIC: u16 = 0xeb9f;
const KIND_ARRAY: u32 = 3;
const KIND_STRUCT: u32 = 4;
const KIND_UNION: u32 = 5;
const KIND_ENUM: u32 = 6;
const KIND_FUNC_PROTO: u32 = 13;
const KIND_VAR: u32 = 14;
const KIND_DATASEC: u32 = 15;
const KIND_DECL_TAG: u32 = 17;
const KIND_ENUM64: u32 = 19;
/// Kinds that only name or qualify another type: typedef, volatile, const, restrict, type tag.
const SEE_THROUGH: [u32; 5] = [8, 9, 10, 11, 18];
const KIND_TYPEDEF: u32 = 8;
const KIND_FUNC: u32 = 12;
/// How deep structures are searched: far more than C code nests them.
const MAX_DEPTH: u32 = 16;
/// How many members are looked at for one field. The largest structure of a kernel, with all that
/// is nested in it without a name, has some hundreds.
const MAX_MEMBERS: u32 = 1 << 16;

/// BTF of one kernel, borrowed.
pub struct Btf<'a> {
    strings: &'a [u8],
    /// Where each type's record begins in `types`; type 0 is void and has none.
    records: Vec<usize>,
    types: &'a [u8],
}

struct Record {
    kind: u32,
    /// Bit offsets of members carry a bit-field size in their upper byte.
    bitfields: bool,
    count: u32,
    size_or_type: u32,
    body: usize,
}

impl<'a> Btf<'a> {
    /// Indexes a BTF blob in little-endian byte order, the only one that is supported.
    ///
    /// # Errors
    /// [`Error::Malformed`] when a length or an index leads outside.
    pub fn parse(blob: &'a [u8]) -> Result<Self, Error> {
        let bad = Error::Malformed;
        if blob.get(..2) != Some(&MAGIC.to_le_bytes()[..]) {
            return Err(bad("no BTF magic"));
        }
        let word = |at| read_u32(blob, at).ok_or(bad("header cut short"));
        let header = word(4)? as usize;
        let section = |offset: u32, len: u32| {
            let start = header.checked_add(offset as usize)?;
            blob.get(start..start.checked_add(len as usize)?)
        };
        let types = section(word(8)?, word(12)?).ok_or(bad("type section outside"))?;
        let strings = section(word(16)?, word(20)?).ok_or(bad("string section outside"))?;
        let mut btf = Btf { strings, records: vec![0], types };
        btf.index()?;
        Ok(btf)
    }

    fn index(&mut self) -> Result<(), Error> {
        let mut at = 0;
        while at < self.types.len() {
            let record = self.record_at(at).ok_or(Error::Malformed("type cut short"))?;
            self.records.push(at);
            let body = match record.kind {
                KIND_ARRAY => 12,
                KIND_STRUCT | KIND_UNION | KIND_DATASEC | KIND_ENUM64 => 12 * record.count as usize,
                KIND_ENUM | KIND_FUNC_PROTO => 8 * record.count as usize,
                1 | KIND_VAR | KIND_DECL_TAG => 4,
                2 | 7..=12 | 16 | 18 => 0,
                _ => return Err(Error::Malformed("unknown kind of type")),
            };
            at = record.body + body;
        }
        Ok(())
    }

    /// Byte offset of a field in a structure, looked for inside unnamed members too. `field` may
    /// name a path: `__sk_common.skc_family`.
    ///
    /// # Errors
    /// [`Error::NoField`] when there is none, or it is a bit-field.
    pub fn offset(&self, of: &str, field: &str) -> Result<u32, Error> {
        let missing = || Error::NoField { of: of.into(), field: field.into() };
        let mut id = self.find(KIND_STRUCT, of).ok_or_else(missing)?;
        let mut bits = 0;
        for part in field.split('.') {
            let mut budget = MAX_MEMBERS;
            let found = self.member(id, part.as_bytes(), 0, &mut budget);
            let (offset, inner) = found.ok_or_else(missing)?;
            bits = offset.checked_add(bits).ok_or_else(missing)?;
            id = inner;
        }
        if bits % 8 == 0 { Ok(bits / 8) } else { Err(missing()) }
    }

    /// Value of an enumerator, modulo 2^32.
    ///
    /// # Errors
    /// [`Error::NoField`] when there is none.
    pub fn enumerator(&self, of: &str, name: &str) -> Result<u32, Error> {
        let missing = || Error::NoField { of: of.into(), field: name.into() };
        let id = self.find(KIND_ENUM, of).ok_or_else(missing)?;
        let at = self.records.get(id as usize).ok_or_else(missing)?;
        let record = self.record_at(*at).ok_or_else(missing)?;
        let entries = (0..record.count as usize).map(|i| record.body + 8 * i);
        let is = |at: &usize| {
            read_u32(self.types, *at).and_then(|name| self.string(name)) == Some(name.as_bytes())
        };
        let found = entries.into_iter().find(is).ok_or_else(missing)?;
        read_u32(self.types, found + 4).ok_or_else(missing)
    }

    /// Whether the kernel has a function of this name that BTF describes.
    #[must_use]
    pub fn has_function(&self, name: &str) -> bool {
        self.find(KIND_FUNC, name).is_some()
    }

    /// Whether programs can attach to a tracepoint of this name by BTF: for each, the kernel
    /// declares a type `btf_trace_NAME` (include/trace/bpf_probe.h).
    #[must_use]
    pub fn has_tracepoint(&self, name: &str) -> bool {
        self.find(KIND_TYPEDEF, &format!("btf_trace_{name}")).is_some()
    }

    /// The first type of this kind and name. A few are asked for, once: going through all of them
    /// each time takes less than an index of their names would.
    fn find(&self, kind: u32, name: &str) -> Option<u32> {
        let named = |at: usize| {
            let rest = self.strings.get(read_u32(self.types, at)? as usize..)?;
            rest.strip_prefix(name.as_bytes())?.first().filter(|&&end| end == 0)
        };
        let is = |at: usize| self.record_at(at).is_some_and(|record| record.kind == kind);
        let found = self.records.iter().skip(1).position(|&at| is(at) && named(at).is_some())?;
        u32::try_from(found + 1).ok()
    }

    /// Bit offset and type of a member. `budget` bounds the search where broken BTF nests a
    /// structure in itself.
    fn member(&self, id: u32, name: &[u8], depth: u32, budget: &mut u32) -> Option<(u32, u32)> {
        if depth > MAX_DEPTH {
            return None;
        }
        let record = self.resolve(id)?;
        if record.kind != KIND_STRUCT && record.kind != KIND_UNION {
            return None;
        }
        for i in 0..record.count as usize {
            *budget = budget.checked_sub(1)?;
            let at = record.body + 12 * i;
            let member = self.string(read_u32(self.types, at)?)?;
            let inner = read_u32(self.types, at + 4)?;
            let offset = read_u32(self.types, at + 8)?;
            let offset = if record.bitfields {
                if offset >> 24 != 0 && member == name {
                    return None;
                }
                offset & 0xff_ffff
            } else {
                offset
            };
            if member == name {
                return Some((offset, inner));
            }
            if member.is_empty()
                && let Some((more, found)) = self.member(inner, name, depth + 1, budget)
            {
                return Some((offset.checked_add(more)?, found));
            }
        }
        None
    }

    /// The structure behind typedefs and qualifiers.
    fn resolve(&self, mut id: u32) -> Option<Record> {
        for _ in 0..MAX_DEPTH {
            if id == 0 {
                return None;
            }
            let record = self.record_at(*self.records.get(id as usize)?)?;
            if !SEE_THROUGH.contains(&record.kind) {
                return Some(record);
            }
            id = record.size_or_type;
        }
        None
    }

    fn record_at(&self, at: usize) -> Option<Record> {
        let info = read_u32(self.types, at + 4)?;
        Some(Record {
            kind: info >> 24 & 0x1f,
            bitfields: info >> 31 == 1,
            count: info & 0xffff,
            size_or_type: read_u32(self.types, at + 8)?,
            body: at + 12,
        })
    }

    fn string(&self, offset: u32) -> Option<&'a [u8]> {
        let rest = self.strings.get(offset as usize..)?;
        rest.split(|&byte| byte == 0).next()
    }
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}
