//! The caller's memory that an operation's bytes came from or went to.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_loop, bpf_probe_read_user};
use tracer_common::record::{MAX_COPY, MAX_TAIL};

use crate::kernel::peek;

/// `IOV_MAX`.
pub(crate) const MAX_VECTORS: u64 = 1024;

/// [`Buffer::form`]: it is not known where the bytes are.
const NOWHERE: u32 = 0;
/// [`Buffer::form`]: in one piece at `address`.
pub(crate) const FLAT: u32 = 1;
/// [`Buffer::form`]: in the pieces that the array of `iovec`s at `address` names.
const SCATTERED: u32 = 2;
/// [`Buffer::form`]: the same, but the array is the kernel's copy.
const SCATTERED_IN_KERNEL: u32 = 3;

/// Where the bytes of the operation are in the caller's memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Buffer {
    pub(crate) form: u32,
    reserved: u32,
    pub(crate) address: u64,
    /// Length of the array.
    pub(crate) count: u64,
    /// Bytes of the first piece that come before those that are meant.
    skip: u64,
}

impl Buffer {
    pub(crate) const NONE: Self =
        Self { form: NOWHERE, reserved: 0, address: 0, count: 0, skip: 0 };

    #[inline(always)]
    pub(crate) fn is_none(self) -> bool {
        self.form == NOWHERE
    }

    #[inline(always)]
    pub(crate) fn flat(address: u64) -> Self {
        Self { form: FLAT, address, ..Self::NONE }
    }

    /// As the caller of a system call names the pieces.
    #[inline(always)]
    pub(crate) fn vectors(address: u64, count: u64) -> Self {
        Self { form: SCATTERED, address, count, ..Self::NONE }
    }

    /// As the kernel keeps them.
    #[inline(always)]
    pub(crate) fn kernel_vectors(address: u64, skip: u64) -> Self {
        Self { form: SCATTERED_IN_KERNEL, address, count: MAX_VECTORS, skip, ..Self::NONE }
    }
}

/// Some of the bytes could not be read: their page is not in memory.
pub(crate) struct Fault;

/// The first 16 bytes of an operation as two little-endian numbers. (Not an array, which the
/// compiler would clear byte by byte in a loop.)
#[repr(C)]
pub(crate) struct First {
    pub(crate) low: u64,
    pub(crate) high: u64,
}

/// `struct iovec`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Vector {
    pub(crate) base: u64,
    pub(crate) len: u64,
}

impl Buffer {
    /// The first 16 bytes, as far as they lie in one piece; the rest is zero.
    #[inline(always)]
    pub(crate) fn look(self, len: u32) -> Result<First, Fault> {
        let mut bytes = First { low: 0, high: 0 };
        let (base, len) = if self.form == FLAT {
            (self.address, u64::from(len))
        } else {
            let first = self.first_filled()?;
            (first.base, first.len.min(u64::from(len)))
        };
        let len = len.min(16) as u32;
        read((&raw mut bytes).cast(), len, base)?;
        Ok(bytes)
    }

    /// Copies the first `head` of the operation's `len` bytes to `to`, and its last `tail` bytes
    /// behind them. `to` has room for `2 * MAX_COPY` bytes, which is what the verifier can see of
    /// `head <= MAX_COPY` and `tail <= MAX_TAIL`.
    #[inline(always)]
    pub(crate) fn copy(self, to: *mut u8, len: u32, head: u32, tail: u32) -> Result<(), Fault> {
        if self.form != FLAT {
            return gather(self, to, len, head, tail);
        }
        read(to, head.min(MAX_COPY as u32), self.address)?;
        let behind = (head as usize).min(MAX_COPY);
        // SAFETY: `behind <= MAX_COPY`, and there is room for twice that.
        let to = unsafe { to.add(behind) };
        let rest = self.address.wrapping_add(u64::from(len - tail));
        read(to, tail.min(MAX_TAIL as u32), rest)
    }

    /// The first piece that is not empty; almost always the first of all.
    #[inline(always)]
    fn first_filled(self) -> Result<Vector, Fault> {
        let first = self.piece(0)?;
        if first.len != 0 {
            return Ok(first);
        }
        let mut state = Search { buffer: self, found: first };
        let rounds = self.count.min(MAX_VECTORS) as u32;
        // SAFETY: the callback has the form that the helper asks for, and `state` outlives the
        // loop.
        unsafe { bpf_loop(rounds, search_one as *mut c_void, (&raw mut state).cast(), 0) };
        Ok(state.found)
    }

    /// One piece, as far as it is meant.
    #[inline(always)]
    pub(crate) fn piece(&self, i: u32) -> Result<Vector, Fault> {
        let at = self.address.wrapping_add(u64::from(i) * 16);
        let vector = if self.form == SCATTERED { user_vector(at) } else { kernel_vector(at) }?;
        let skip = if i == 0 { self.skip } else { 0 };
        let len = vector.len.saturating_sub(skip);
        Ok(Vector { base: vector.base.wrapping_add(skip), len })
    }
}

/// [`Buffer::copy`] out of `iovec`s: what one round of the loop takes from the one before.
#[repr(C)]
struct Gather {
    buffer: Buffer,
    to: *mut u8,
    len: u64,
    head: u64,
    tail_start: u64,
    done: u64,
    failed: u64,
}

/// A loop of the kernel's (`bpf_loop`): the verifier looks at one round, not at all of them.
#[inline(always)]
fn gather(buffer: Buffer, to: *mut u8, len: u32, head: u32, tail: u32) -> Result<(), Fault> {
    let mut state = Gather {
        buffer,
        to,
        len: u64::from(len),
        head: u64::from(head),
        tail_start: u64::from(len - tail),
        done: 0,
        failed: 0,
    };
    let rounds = buffer.count.min(MAX_VECTORS) as u32;
    // SAFETY: the callback has the form that the helper asks for, and `state` outlives the loop.
    unsafe { bpf_loop(rounds, gather_one as *mut c_void, (&raw mut state).cast(), 0) };
    if state.failed == 0 && state.done == state.len { Ok(()) } else { Err(Fault) }
}

/// 0 goes on to the next vector, 1 ends the loop.
extern "C" fn gather_one(index: u32, state: *mut Gather) -> u64 {
    // SAFETY: `bpf_loop` hands on the pointer that it was given.
    let state = unsafe { &mut *state };
    match gather_vector(index, state) {
        Ok(()) => u64::from(state.done >= state.len),
        Err(Fault) => {
            state.failed = 1;
            1
        }
    }
}

#[inline(always)]
fn gather_vector(index: u32, state: &mut Gather) -> Result<(), Fault> {
    let vector = state.buffer.piece(index)?;
    let (done, head, tail_start) = (state.done, state.head, state.tail_start);
    if done >= state.len {
        return Ok(());
    }
    let here = vector.len.min(state.len - done);
    if done < head {
        let want = here.min(head - done).min(MAX_COPY as u64) as u32;
        // SAFETY: `done < head <= MAX_COPY`, and there is room for twice that.
        let to = unsafe { state.to.add(done.min(MAX_COPY as u64) as usize) };
        read(to, want, vector.base)?;
    }
    if tail_start < state.len && done + here > tail_start {
        let skip = tail_start.saturating_sub(done);
        let place = head + (done + skip - tail_start);
        let want = (here - skip).min(MAX_TAIL as u64) as u32;
        // SAFETY: `head + tail <= MAX_COPY + MAX_TAIL`, and there is room for more.
        let to = unsafe { state.to.add(place.min((MAX_COPY + MAX_TAIL) as u64) as usize) };
        read(to, want, vector.base.wrapping_add(skip))?;
    }
    state.done = done + here;
    Ok(())
}

#[repr(C)]
struct Search {
    buffer: Buffer,
    found: Vector,
}

/// 0 goes on to the next vector, 1 ends the loop.
extern "C" fn search_one(index: u32, state: *mut Search) -> u64 {
    // SAFETY: `bpf_loop` hands on the pointer that it was given.
    let state = unsafe { &mut *state };
    match state.buffer.piece(index) {
        Ok(vector) => {
            state.found = vector;
            u64::from(vector.len != 0)
        }
        Err(Fault) => 1,
    }
}

/// One `iovec` of the caller's.
#[inline(always)]
pub(crate) fn user_vector(at: u64) -> Result<Vector, Fault> {
    let mut vector = Vector { base: 0, len: 0 };
    read((&raw mut vector).cast(), 16, at)?;
    Ok(vector)
}

/// One `iovec` of the kernel's.
#[inline(always)]
pub(crate) fn kernel_vector(at: u64) -> Result<Vector, Fault> {
    let words: [u64; 2] = peek(at).ok_or(Fault)?;
    Ok(Vector { base: words[0], len: words[1] })
}

#[inline(always)]
pub(crate) fn read(to: *mut u8, len: u32, from: u64) -> Result<(), Fault> {
    // SAFETY: the verifier checks that `len` bytes fit at `to`; `from` may be anything.
    match unsafe { bpf_probe_read_user(to.cast(), len, from as *const _) } {
        0 => Ok(()),
        _ => Err(Fault),
    }
}
