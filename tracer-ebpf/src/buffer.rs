//! The user's buffer of the system call under way, found through its registers.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{
    bpf_get_current_task_btf, bpf_loop, bpf_probe_read_user, bpf_task_pt_regs,
};
use tracer_common::record::{MAX_COPY, MAX_TAIL};

use crate::operation::Direction;

/// `struct pt_regs` of x86-64 (arch/x86/include/asm/ptrace.h): byte offsets that are part of the
/// system call interface.
mod regs {
    pub(super) const DX: usize = 12 * 8;
    pub(super) const SI: usize = 13 * 8;
    pub(super) const ORIG_AX: usize = 15 * 8;
}

/// `IOV_MAX`.
const MAX_VECTORS: u64 = 1024;

/// Where the bytes of the operation are in the caller's memory.
#[derive(Clone, Copy)]
pub(crate) enum Buffer {
    /// At this address.
    Flat(u64),
    /// In these `iovec`s: address of the array and its length.
    Vectors(u64, u64),
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

#[repr(C)]
#[derive(Clone, Copy)]
struct Vector {
    base: u64,
    len: u64,
}

impl Buffer {
    /// By the number of the system call (arch/x86/entry/syscalls/syscall_64.tbl). `None` for calls
    /// without a buffer of a known form: sendfile, splice, sendmmsg, recvmmsg, io_uring, and all of
    /// a 32-bit program, whose numbers for socket calls are none of these.
    #[inline(always)]
    pub(crate) fn locate(direction: Direction) -> Option<Self> {
        // SAFETY: both helpers return trusted pointers, and the offsets lie inside `pt_regs`.
        let (call, second, third) = unsafe {
            let regs = bpf_task_pt_regs(bpf_get_current_task_btf()) as *const u8;
            (
                *(regs.add(regs::ORIG_AX) as *const u64),
                *(regs.add(regs::SI) as *const u64),
                *(regs.add(regs::DX) as *const u64),
            )
        };
        match (direction, call) {
            // write, sendto; read, recvfrom
            (Direction::Send, 1 | 44) | (Direction::Receive, 0 | 45) => Some(Self::Flat(second)),
            // writev, pwritev2; readv, preadv2
            (Direction::Send, 20 | 328) | (Direction::Receive, 19 | 327) => {
                Some(Self::Vectors(second, third))
            }
            // sendmsg, recvmsg: struct user_msghdr has msg_iov at 16 and msg_iovlen at 24
            (Direction::Send, 46) | (Direction::Receive, 47) => {
                let Vector { base, len } = vector(second.wrapping_add(16), 0).ok()?;
                Some(Self::Vectors(base, len))
            }
            _ => None,
        }
    }

    /// The first 16 bytes, as far as they lie in one piece; the rest is zero. Also how many.
    #[inline(always)]
    pub(crate) fn look(self, len: u32) -> Result<(First, u32), Fault> {
        let mut bytes = First { low: 0, high: 0 };
        let (base, len) = match self {
            Self::Flat(base) => (base, u64::from(len)),
            Self::Vectors(vectors, count) => {
                let first = first_filled(vectors, count)?;
                (first.base, first.len.min(u64::from(len)))
            }
        };
        let len = len.min(16) as u32;
        read((&raw mut bytes).cast(), len, base)?;
        Ok((bytes, len))
    }

    /// Copies the first `head` of the operation's `len` bytes to `to`, and its last `tail` bytes
    /// behind them. `to` has room for `2 * MAX_COPY` bytes, which is what the verifier can see of
    /// `head <= MAX_COPY` and `tail <= MAX_TAIL`.
    #[inline(always)]
    pub(crate) fn copy(self, to: *mut u8, len: u32, head: u32, tail: u32) -> Result<(), Fault> {
        match self {
            Self::Flat(base) => {
                read(to, head.min(MAX_COPY as u32), base)?;
                let behind = (head as usize).min(MAX_COPY);
                // SAFETY: `behind <= MAX_COPY`, and there is room for twice that.
                let to = unsafe { to.add(behind) };
                read(to, tail.min(MAX_TAIL as u32), base.wrapping_add(u64::from(len - tail)))
            }
            Self::Vectors(vectors, count) => gather(vectors, count, to, len, head, tail),
        }
    }
}

/// [`Buffer::copy`] out of `iovec`s: what one round of the loop takes from the one before.
#[repr(C)]
struct Gather {
    vectors: u64,
    to: *mut u8,
    len: u64,
    head: u64,
    tail_start: u64,
    done: u64,
    failed: u64,
}

/// A loop of the kernel's (`bpf_loop`): the verifier looks at one round, not at all of them.
#[inline(always)]
fn gather(
    vectors: u64,
    count: u64,
    to: *mut u8,
    len: u32,
    head: u32,
    tail: u32,
) -> Result<(), Fault> {
    let mut state = Gather {
        vectors,
        to,
        len: u64::from(len),
        head: u64::from(head),
        tail_start: u64::from(len - tail),
        done: 0,
        failed: 0,
    };
    let rounds = count.min(MAX_VECTORS) as u32;
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
    let vector = vector(state.vectors, index)?;
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

/// The first vector that is not empty; almost always the first of all.
#[inline(always)]
fn first_filled(vectors: u64, count: u64) -> Result<Vector, Fault> {
    let first = vector(vectors, 0)?;
    if first.len != 0 {
        return Ok(first);
    }
    let mut state = Search { vectors, found: first };
    let rounds = count.min(MAX_VECTORS) as u32;
    // SAFETY: the callback has the form that the helper asks for, and `state` outlives the loop.
    unsafe { bpf_loop(rounds, search_one as *mut c_void, (&raw mut state).cast(), 0) };
    Ok(state.found)
}

#[repr(C)]
struct Search {
    vectors: u64,
    found: Vector,
}

/// 0 goes on to the next vector, 1 ends the loop.
extern "C" fn search_one(index: u32, state: *mut Search) -> u64 {
    // SAFETY: `bpf_loop` hands on the pointer that it was given.
    let state = unsafe { &mut *state };
    match vector(state.vectors, index) {
        Ok(vector) => {
            state.found = vector;
            u64::from(vector.len != 0)
        }
        Err(Fault) => 1,
    }
}

#[inline(always)]
fn vector(vectors: u64, i: u32) -> Result<Vector, Fault> {
    let mut vector = Vector { base: 0, len: 0 };
    read((&raw mut vector).cast(), 16, vectors.wrapping_add(u64::from(i) * 16))?;
    Ok(vector)
}

#[inline(always)]
fn read(to: *mut u8, len: u32, from: u64) -> Result<(), Fault> {
    // SAFETY: the verifier checks that `len` bytes fit at `to`; `from` may be anything.
    match unsafe { bpf_probe_read_user(to.cast(), len, from as *const _) } {
        0 => Ok(()),
        _ => Err(Fault),
    }
}
