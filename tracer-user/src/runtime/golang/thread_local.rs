//! Where a thread keeps the goroutine that it runs.

use super::super::elf::Elf;

/// Go's name for the variable.
const VARIABLE: &str = "runtime.tlsg";
/// Bytes of it.
const SIZE: u64 = 8;

/// Bytes from the thread pointer on, negative. Go's own linker puts the variable just below the
/// thread pointer. Where it is one of several thread-local variables (the system's linker was used
/// for C code that has some), the symbol says where among them; a program's own variables end at the
/// thread pointer (ELF Handling For Thread-Local Storage, variant II).
pub(super) fn current(elf: &Elf<'_>) -> Option<i32> {
    let Some((size, align)) = elf.thread_local() else { return Some(-(SIZE as i32)) };
    let whole = size.checked_next_multiple_of(align.max(1))?;
    let at = match elf.symbol(VARIABLE) {
        Some(at) => at,
        None if size == SIZE => 0,
        None => return None,
    };
    let below = whole.checked_sub(at).filter(|&below| below >= SIZE)?;
    i32::try_from(below).ok().map(|below| -below)
}
