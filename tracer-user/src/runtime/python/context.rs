//! Where a thread's state names the context that runs: `PyThreadState.context`. Found as what it
//! points to: an object of a type of that name.

use super::memory::Memory;
use super::threads::Thread;

/// `PyObject.ob_type` and `PyTypeObject.tp_name`, in bytes: of ordinary builds, and of those without
/// GIL (3.13 and newer), whose objects begin with more.
const LAYOUTS: [(u64, u64); 2] = [(8, 24), (24, 40)];
/// `PyContext_Type.tp_name`: since 3.10, and before.
const NAMES: [&[u8]; 2] = [b"_contextvars.Context\0", b"Context\0"];
const LONGEST: usize = 21;

/// Whether a Python context is at an address.
pub(super) fn is_context(memory: &Memory, address: u64) -> bool {
    LAYOUTS.iter().any(|&(of_type, of_name)| {
        let name = || {
            let kind = memory.word(address.wrapping_add(of_type))?;
            let name = memory.word(kind.wrapping_add(of_name))?;
            Some(memory.bytes::<LONGEST>(name))
        };
        memory.holds_data(address)
            && name().is_some_and(|found| NAMES.iter().any(|name| found.starts_with(name)))
    })
}

/// Bytes from the beginning of a thread's state; `None` while no thread has a context.
pub(super) fn offset(memory: &Memory, threads: &[Thread]) -> Option<i32> {
    threads.iter().find_map(|thread| {
        let at = thread.words.iter().position(|&word| is_context(memory, word))?;
        Some(at as i32 * 8)
    })
}
