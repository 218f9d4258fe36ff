//! The system call under way, by its registers, and the buffer that it names.

use aya_ebpf::helpers::generated::{bpf_get_current_task_btf, bpf_task_pt_regs};

use crate::{
    buffer::{Buffer, user_vector},
    operation::Direction,
    socket::Socket,
};

/// `struct pt_regs` of x86-64 (arch/x86/include/asm/ptrace.h): byte offsets that are part of the
/// system call interface.
mod regs {
    pub(super) const R8: usize = 9 * 8;
    pub(super) const AX: usize = 10 * 8;
    pub(super) const DX: usize = 12 * 8;
    pub(super) const SI: usize = 13 * 8;
    pub(super) const DI: usize = 14 * 8;
    pub(super) const ORIG_AX: usize = 15 * 8;
    pub(super) const SP: usize = 19 * 8;
}

/// Numbers of arch/x86/entry/syscalls/syscall_64.tbl.
mod number {
    pub(super) const READ: u64 = 0;
    pub(super) const WRITE: u64 = 1;
    pub(super) const READV: u64 = 19;
    pub(super) const WRITEV: u64 = 20;
    pub(super) const SENDTO: u64 = 44;
    pub(super) const RECVFROM: u64 = 45;
    pub(super) const SENDMSG: u64 = 46;
    pub(super) const RECVMSG: u64 = 47;
    pub(super) const RECVMMSG: u64 = 299;
    pub(super) const SENDMMSG: u64 = 307;
    pub(super) const PREADV2: u64 = 327;
    pub(super) const PWRITEV2: u64 = 328;
    pub(super) const IO_URING_ENTER: u64 = 426;
}

/// `user_msghdr.msg_iov`; `msg_iovlen` follows it.
const MESSAGE_VECTORS: u64 = 16;
/// `sizeof(struct mmsghdr)`.
const BATCH_ENTRY: u64 = 64;
/// Pieces of one message of a batch that are added up to see whether all of it was sent.
const MAX_SUMMED: u32 = 16;

/// Where the current task's stack in user space ends.
#[inline(always)]
pub(crate) fn stack_pointer() -> u64 {
    register(regs::SP)
}

/// First argument of the current task's system call.
#[inline(always)]
pub(crate) fn descriptor() -> u64 {
    register(regs::DI)
}

#[inline(always)]
fn register(at: usize) -> u64 {
    // SAFETY: as in `Call::current`.
    unsafe { *((bpf_task_pt_regs(bpf_get_current_task_btf()) as *const u8).add(at) as *const u64) }
}

/// What the current task has been called for.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    number: u64,
    /// Second argument.
    second: u64,
    /// Third argument.
    third: u64,
    under_way: bool,
}

impl Call {
    #[inline(always)]
    pub(crate) fn current() -> Self {
        // SAFETY: both helpers return trusted pointers, and the offsets lie inside `pt_regs`.
        unsafe {
            let regs = bpf_task_pt_regs(bpf_get_current_task_btf()) as *const u8;
            let read = |at: usize| *(regs.add(at) as *const u64);
            Self {
                number: read(regs::ORIG_AX),
                second: read(regs::SI),
                third: read(regs::DX),
                // The entry code puts -ENOSYS there, and only the call's end replaces it: work that
                // is done on the way back to user space (io_uring) is not the call's.
                under_way: read(regs::AX) == -38i64 as u64,
            }
        }
    }

    /// Whether an operation that completes now is not this call's own, but io_uring's.
    #[inline(always)]
    pub(crate) fn is_uring(self) -> bool {
        !self.under_way || self.number == number::IO_URING_ENTER
    }

    /// Address of the `sockaddr` to which it sends one message, if the caller has given one.
    #[inline(always)]
    pub(crate) fn destination(self) -> Option<u64> {
        let address = match self.number {
            number::SENDTO => register(regs::R8),
            // `user_msghdr` begins with it.
            number::SENDMSG => user_vector(self.second).ok()?.base,
            _ => 0,
        };
        (address != 0).then_some(address)
    }

    /// Whether it moves several messages.
    #[inline(always)]
    pub(crate) fn is_batch(self) -> bool {
        self.under_way && matches!(self.number, number::SENDMMSG | number::RECVMMSG)
    }

    /// `None` for calls without a buffer of a known form: sendfile, splice, and all of a 32-bit
    /// program, whose numbers for socket calls are none of these.
    #[inline(always)]
    pub(crate) fn buffer(
        self,
        direction: Direction,
        socket: &mut Socket,
        tid: u32,
        len: u32,
    ) -> Option<Buffer> {
        match (direction, self.number) {
            (Direction::Send, number::WRITE | number::SENDTO)
            | (Direction::Receive, number::READ | number::RECVFROM) => {
                Some(Buffer::flat(self.second))
            }
            (Direction::Send, number::WRITEV | number::PWRITEV2)
            | (Direction::Receive, number::READV | number::PREADV2) => {
                Some(Buffer::vectors(self.second, self.third))
            }
            (Direction::Send, number::SENDMSG) | (Direction::Receive, number::RECVMSG) => {
                let message = user_vector(self.second.wrapping_add(MESSAGE_VECTORS)).ok()?;
                Some(Buffer::vectors(message.base, message.len))
            }
            (Direction::Send, number::SENDMMSG) | (Direction::Receive, number::RECVMMSG) => {
                let index = socket.batch(direction).turn(self.second, tid, self.third as u32);
                let entry = self.second.wrapping_add(u64::from(index) * BATCH_ENTRY);
                let message = user_vector(entry.wrapping_add(MESSAGE_VECTORS)).ok()?;
                if direction == Direction::Send && is_short(message.base, message.len, len) {
                    socket.batch(direction).over();
                }
                Some(Buffer::vectors(message.base, message.len))
            }
            _ => None,
        }
    }
}

/// Whether less than all of a message was sent: the call ends there, whatever follows it.
#[inline(always)]
fn is_short(array: u64, count: u64, len: u32) -> bool {
    let (mut sum, mut i) = (0, 0);
    while i < MAX_SUMMED && u64::from(i) < count {
        match user_vector(array.wrapping_add(u64::from(i) * 16)) {
            Ok(vector) => sum += vector.len,
            Err(_) => return false,
        }
        i += 1;
    }
    sum > u64::from(len)
}

/// The calls that move several messages complete one operation for each, without saying which:
/// counted here, a socket and direction.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Batch {
    /// Address of the messages.
    at: u64,
    tid: u32,
    /// The message whose turn is next; 0 when no call is under way.
    next: u32,
}

impl Batch {
    /// Index of the message that has just been moved. A call that ends early shows that by an
    /// operation that fails, or by a short send. The bias: a recvmmsg whose timeout cuts it short
    /// does not show it, and the next one by the same thread into the same array is misread.
    #[inline(always)]
    fn turn(&mut self, at: u64, tid: u32, count: u32) -> u32 {
        let goes_on = self.at == at && self.tid == tid && self.next < count;
        let index = if goes_on { self.next } else { 0 };
        self.at = at;
        self.tid = tid;
        self.next = if index + 1 < count { index + 1 } else { 0 };
        index
    }

    /// The call under way ends with this operation.
    #[inline(always)]
    pub(crate) fn over(&mut self) {
        self.next = 0;
    }
}
