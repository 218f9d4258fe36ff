//! What the file of a program tells of the V8 that is linked into it.

use std::fs::File;

use object::elf::{PT_TLS, gnu_hash};
use object::read::elf::{ElfFile64, ProgramHeader as _, Sym as _, VersionTable};
use object::{Endianness, Object as _, ObjectSegment as _, ReadCache};
use tracer_common::runtime::V8;

/// `v8::internal::g_current_isolate_`, a thread-local variable (V8 11 and newer).
const ISOLATE: &[u8] = b"_ZN2v88internal18g_current_isolate_E";
/// `vtable for v8::internal::MicrotaskQueue`; an object points behind its first two words.
const TABLE: &[u8] = b"_ZTVN2v88internal14MicrotaskQueueE";
/// What V8 tells debuggers of itself (tools/gen-postmortem-metadata.py): numbers of type int.
const TYPES: [&[u8]; 4] = [
    b"v8dbg_type_JSAsyncFunctionObject__JS_ASYNC_FUNCTION_OBJECT_TYPE",
    b"v8dbg_type_JSPromise__JS_PROMISE_TYPE",
    b"v8dbg_type_PromiseFulfillReactionJobTask__PROMISE_FULFILL_REACTION_JOB_TASK_TYPE",
    b"v8dbg_type_PromiseRejectReactionJobTask__PROMISE_REJECT_REACTION_JOB_TASK_TYPE",
];

/// Of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// From fs base to the pointer to the thread's isolate.
    pub(super) isolate: i32,
    /// Where a queue of microtasks points to first, before relocation.
    pub(super) table: u64,
    /// Instance types.
    pub(super) types: V8,
}

type Elf<'a> = ElfFile64<'a, Endianness, &'a ReadCache<File>>;

impl Image {
    /// `None` if no V8 of a known layout is in it.
    pub(super) fn read(file: File) -> Option<Self> {
        let cache = ReadCache::new(file);
        let elf = Elf::parse(&cache).ok()?;
        let number = |name| u16::try_from(int(&elf, address(&elf, name)?)?).ok();
        let [async_function, promise, fulfilled, rejected] = TYPES.map(number);
        Some(Self {
            table: address(&elf, TABLE)?.checked_add(16)?,
            isolate: thread_local(&elf, address(&elf, ISOLATE)?)?,
            types: V8 {
                async_function: async_function?,
                promise: promise?,
                fulfilled: fulfilled?,
                rejected: rejected?,
            },
        })
    }
}

/// Of a symbol, by the file's hash table: there are tens of thousands.
fn address(elf: &Elf<'_>, name: &[u8]) -> Option<u64> {
    let (endian, sections) = (elf.endian(), elf.elf_section_table());
    let (table, _) = sections.gnu_hash(endian, elf.data()).ok()??;
    let (symbols, versions) = (elf.elf_dynamic_symbol_table(), VersionTable::default());
    let found = table.find(endian, name, gnu_hash(name), None, symbols, &versions);
    found.map(|(_, symbol)| symbol.st_value(endian))
}

fn int(elf: &Elf<'_>, address: u64) -> Option<u32> {
    let bytes = elf.segments().find_map(|segment| segment.data_range(address, 4).ok()?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// Where a program's own thread-local variable is, from fs base: its block ends there, rounded up
/// (ELF Handling For Thread-Local Storage, variant II).
fn thread_local(elf: &Elf<'_>, variable: u64) -> Option<i32> {
    let endian = elf.endian();
    let block = elf.elf_program_headers().iter().find(|header| header.p_type(endian) == PT_TLS)?;
    let len = block.p_memsz(endian).checked_next_multiple_of(block.p_align(endian).max(1))?;
    let before = i32::try_from(len.checked_sub(variable)?).ok()?;
    Some(-before)
}
