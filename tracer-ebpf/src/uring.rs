//! io_uring: which request an operation belongs to, and where its buffer is.
//!
//! The tracepoints on socket operations tell the socket, not the request. A kernel worker names the
//! request that it carries out. Any other operation belongs to one of the requests that its task
//! submitted last, or to one that waits for the socket to become ready; which of them, the file and
//! the direction tell. Every address is read as if it could be anything.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::generated::{bpf_get_current_task_btf, bpf_loop},
    macros::map,
    maps::LruHashMap,
};
use tracer_common::record::Header;

use crate::{
    buffer::{Buffer, MAX_VECTORS, kernel_vector},
    kernel::{Sock, peek, task_tid, uring},
    operation::Direction,
    verdict::Stop,
};

/// `IORING_OP_*` of include/uapi/linux/io_uring.h.
mod op {
    pub(super) const READV: u8 = 1;
    pub(super) const WRITEV: u8 = 2;
    pub(super) const READ_FIXED: u8 = 4;
    pub(super) const WRITE_FIXED: u8 = 5;
    pub(super) const SENDMSG: u8 = 9;
    pub(super) const RECVMSG: u8 = 10;
    pub(super) const READ: u8 = 22;
    pub(super) const WRITE: u8 = 23;
    pub(super) const SEND: u8 = 26;
    pub(super) const RECV: u8 = 27;
    pub(super) const SEND_ZC: u8 = 47;
    pub(super) const SENDMSG_ZC: u8 = 48;
    pub(super) const READ_MULTISHOT: u8 = 49;
}

/// `PF_IO_WORKER` of include/linux/sched.h.
const IO_WORKER: u32 = 0x10;

/// Threads whose latest requests are remembered.
const THREADS: u32 = 4096;
/// Requests that wait for their sockets.
const ARMED: u32 = 65_536;
/// Latest requests of one thread: a chain of linked requests is submitted as a whole, and carried
/// out one by one.
const RECENT: u32 = 8;

#[repr(C)]
struct Recent {
    requests: [u64; RECENT as usize],
    next: u32,
    reserved: u32,
}

/// Thread -> the requests that it submitted last.
#[map]
static URING_RECENT: LruHashMap<u32, Recent> = LruHashMap::with_max_entries(THREADS, 0);

/// A socket's `struct file *`, plus 1 for the sending direction -> the request that waits for it.
#[map]
static URING_ARMED: LruHashMap<u64, u64> = LruHashMap::with_max_entries(ARMED, 0);

/// What kind of buffer an opcode has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Of the socket calls; `io_async_msghdr`.
    Message,
    /// Of the file calls; `io_async_rw`.
    File,
}

/// A `struct io_kiocb *` that carries out this opcode.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    address: u64,
    opcode: u8,
    form: Form,
}

#[inline(always)]
fn meaning(opcode: u8) -> Option<(Direction, Form)> {
    match opcode {
        op::SEND | op::SENDMSG | op::SEND_ZC | op::SENDMSG_ZC => {
            Some((Direction::Send, Form::Message))
        }
        op::RECV | op::RECVMSG => Some((Direction::Receive, Form::Message)),
        op::WRITE | op::WRITEV | op::WRITE_FIXED => Some((Direction::Send, Form::File)),
        op::READ | op::READV | op::READ_FIXED | op::READ_MULTISHOT => {
            Some((Direction::Receive, Form::File))
        }
        _ => None,
    }
}

/// A thread submits a request.
#[inline(always)]
pub(crate) fn try_submit(request: *const u8, tid: u32) -> Result<(), Stop> {
    let opcode: u8 = peek(request as u64 + u64::from(uring!(request_opcode))).unwrap_or(0);
    if meaning(opcode).is_none() {
        return Err(Stop::NotOurs);
    }
    if let Some(recent) = URING_RECENT.get_ptr_mut(tid) {
        // SAFETY: only this thread uses its entry; if the map evicts it meanwhile, a request is
        // not found, which is counted.
        let recent = unsafe { &mut *recent };
        let place = recent.next % RECENT;
        recent.requests[place as usize] = request as u64;
        recent.next = place + 1;
        return Ok(());
    }
    let mut recent = Recent { requests: [0; RECENT as usize], next: 1, reserved: 0 };
    recent.requests[0] = request as u64;
    // A full map evicts its oldest entry.
    let _ = URING_RECENT.insert(tid, &recent, 0);
    Ok(())
}

/// A request begins to wait for its socket.
#[inline(always)]
pub(crate) fn try_arm(request: *const u8) -> Result<(), Stop> {
    let address = request as u64;
    let opcode: u8 = peek(address + u64::from(uring!(request_opcode))).unwrap_or(0);
    let Some((direction, _)) = meaning(opcode) else { return Err(Stop::NotOurs) };
    let file: u64 = peek(address + u64::from(uring!(request_file))).unwrap_or(0);
    // A full map evicts its oldest entry.
    let _ = URING_ARMED.insert(key(file, direction), address, 0);
    Ok(())
}

/// `struct file *` is aligned.
#[inline(always)]
fn key(file: u64, direction: Direction) -> u64 {
    file | (direction == Direction::Send) as u64
}

/// The request that an operation on this socket carries out. In a kernel worker, `header` is made
/// to name the thread that submitted it.
#[inline(always)]
pub(crate) fn request(
    sock: Sock,
    direction: Direction,
    header: &mut Header,
    len: u32,
) -> Option<Request> {
    if uring!(known) == 0 {
        return None;
    }
    let file = sock.file_number()?;
    // SAFETY: a helper without arguments.
    let task = unsafe { bpf_get_current_task_btf() } as u64;
    let flags: u32 = peek(task + u64::from(uring!(task_flags))).unwrap_or(0);
    let worker: u64 = peek(task + u64::from(uring!(task_worker))).unwrap_or(0);
    // The thread that polls a submission queue counts as a worker, too, but is none.
    if flags & IO_WORKER != 0 && worker != 0 {
        let work: u64 = peek(worker + u64::from(uring!(worker_work)))?;
        let request =
            fitting(work.wrapping_sub(u64::from(uring!(request_work))), file, direction, len)?;
        if let Some(tid) = submitter(request) {
            header.tid = tid;
        }
        return Some(request);
    }
    if let Some(recent) = URING_RECENT.get_ptr(header.tid) {
        // SAFETY: see `try_submit`.
        let recent = unsafe { &*recent };
        let send = (direction == Direction::Send) as u64;
        let mut search = Search { recent, file, send, len, found: 0 };
        // SAFETY: the callback has the form that the helper asks for, and `search` outlives the
        // loop.
        unsafe { bpf_loop(RECENT, search_one as *mut c_void, (&raw mut search).cast(), 0) };
        if search.found != 0 {
            return fitting(search.found, file, direction, len);
        }
    }
    // SAFETY: the value is copied.
    let armed = unsafe { URING_ARMED.get(key(file, direction)) }.copied()?;
    fitting(armed, file, direction, len)
}

#[repr(C)]
struct Search {
    recent: *const Recent,
    file: u64,
    send: u64,
    len: u32,
    found: u64,
}

/// Looks at one of the latest requests, the newest first. 0 goes on, 1 ends the loop.
extern "C" fn search_one(age: u32, state: *mut Search) -> u64 {
    // SAFETY: `bpf_loop` hands on the pointer that it was given.
    let state = unsafe { &mut *state };
    // SAFETY: see `try_submit`.
    let recent = unsafe { &*state.recent };
    let place = recent.next.wrapping_sub(1 + age) % RECENT;
    let address = recent.requests[place as usize];
    let direction = if state.send != 0 { Direction::Send } else { Direction::Receive };
    if address == 0 || fitting(address, state.file, direction, state.len).is_none() {
        return 0;
    }
    state.found = address;
    1
}

/// The request at this address, if it is on this file and in this direction, and has moved `len`
/// bytes, as far as that shows: another one that waits for the same file has not.
#[inline(always)]
fn fitting(address: u64, file: u64, direction: Direction, len: u32) -> Option<Request> {
    let of: u64 = peek(address.wrapping_add(u64::from(uring!(request_file))))?;
    if of != file {
        return None;
    }
    let opcode: u8 = peek(address.wrapping_add(u64::from(uring!(request_opcode))))?;
    let (towards, form) = meaning(opcode)?;
    let request = Request { address, opcode, form };
    if towards == direction && request.has_moved(len) { Some(request) } else { None }
}

/// The thread that submitted a request.
#[inline(always)]
fn submitter(request: Request) -> Option<u32> {
    let mut task: u64 = peek(request.address + u64::from(uring!(request_task)))?;
    if uring!(context_task) != u32::MAX {
        task = peek(task + u64::from(uring!(context_task)))?;
    }
    peek(task + u64::from(task_tid()))
}

impl Request {
    /// `false` if its iterator has not passed so many bytes.
    #[inline(always)]
    fn has_moved(self, len: u32) -> bool {
        if self.form != Form::Message {
            return true;
        }
        let data = peek(self.address + u64::from(uring!(request_async))).unwrap_or(0u64);
        let iter = data + u64::from(uring!(message_iter));
        let kind: u8 = peek(iter + u64::from(uring!(iter_type))).unwrap_or(0);
        let offset: u64 = peek(iter + u64::from(uring!(iter_offset))).unwrap_or(0);
        u32::from(kind) != uring!(iter_flat) || offset >= u64::from(len)
    }

    /// Where the bytes of an operation that moved `len` of them are. The iterator of a socket call
    /// has passed them by now, that of a file call has not.
    #[inline(always)]
    pub(crate) fn buffer(self, len: u32) -> Option<Buffer> {
        let data: u64 = peek(self.address + u64::from(uring!(request_async)))?;
        if data == 0 {
            return None;
        }
        let (iter, passed) = match self.form {
            Form::Message => (data + u64::from(uring!(message_iter)), u64::from(len)),
            Form::File => (data + u64::from(uring!(file_iter)), 0),
        };
        let kind: u8 = peek(iter + u64::from(uring!(iter_type)))?;
        let offset: u64 = peek(iter + u64::from(uring!(iter_offset)))?;
        let pointer: u64 = peek(iter + u64::from(uring!(iter_pointer)))?;
        if u32::from(kind) == uring!(iter_flat) {
            return Some(Buffer::flat(pointer.wrapping_add(offset).wrapping_sub(passed)));
        }
        if u32::from(kind) == uring!(iter_vectors) {
            return Some(walk_back(pointer, offset, passed));
        }
        // Registered buffers are kept as pages; the request still has their address.
        match self.opcode {
            op::READ_FIXED | op::WRITE_FIXED => {
                Some(Buffer::flat(peek(self.address + u64::from(uring!(file_buffer)))?))
            }
            op::SEND_ZC => {
                let done: u32 = peek(self.address + u64::from(uring!(message_done)))?;
                let buffer = peek(self.address + u64::from(uring!(message_buffer)))?;
                if done == 0 { Some(Buffer::flat(buffer)) } else { None }
            }
            _ => None,
        }
    }
}

/// From where an iterator stands, `offset` bytes into the piece at `array`, back over the `passed`
/// bytes that it has left behind.
#[inline(always)]
fn walk_back(array: u64, offset: u64, passed: u64) -> Buffer {
    let mut state = Back { array, offset, passed };
    if passed > offset {
        state.passed -= offset;
        state.offset = 0;
        // SAFETY: the callback has the form that the helper asks for, and `state` outlives the loop.
        unsafe {
            bpf_loop(MAX_VECTORS as u32, back_one as *mut c_void, (&raw mut state).cast(), 0)
        };
    } else {
        state.offset -= passed;
    }
    let Back { array, offset, .. } = state;
    Buffer::kernel_vectors(array, offset)
}

#[repr(C)]
struct Back {
    array: u64,
    offset: u64,
    passed: u64,
}

/// 0 goes on to the piece before, 1 ends the loop.
extern "C" fn back_one(_: u32, state: *mut Back) -> u64 {
    // SAFETY: `bpf_loop` hands on the pointer that it was given.
    let state = unsafe { &mut *state };
    state.array = state.array.wrapping_sub(16);
    let Ok(vector) = kernel_vector(state.array) else { return 1 };
    if vector.len >= state.passed {
        state.offset = vector.len - state.passed;
        state.passed = 0;
        return 1;
    }
    state.passed -= vector.len;
    0
}
