//! A completed send or receive.

use aya_ebpf::{macros::map, maps::HashMap};
use tracer_common::{
    counter::Counter,
    filter::{SELF, TRACE},
    head::{MAX_STARTS, Start, is_response, key},
    record::{
        CONNECTION_MIDSTREAM, DATA_NO_BUFFER, DATA_PAGE_FAULT, Data, KIND_DATA, MAX_COPY, MAX_TAIL,
        VERDICT_HTTP, VERDICT_OTHER, VERDICT_SELF, VERDICT_UNDECIDED,
    },
};

use crate::{
    buffer::Buffer,
    call::Call,
    flow, golang,
    kernel::{Sock, UnixSock, header},
    lifecycle::tell_unix_end,
    ring::{Scratch, announce, scratch},
    socket::{ANNOUNCED, CONNECT_PENDING, FILTERED, HTTP, OTHER, Socket, UNDECIDED, UNKNOWN},
    stream::Stream,
    uring,
    verdict::{Stop, count, count_unreadable},
};

/// `MSG_OOB`, `MSG_PEEK` and `MSG_ERRQUEUE`: the stream does not move.
const NOT_CONSUMING: i32 = 0x1 | 0x2 | 0x2000;
/// `MSG_TRUNC`: TCP throws the bytes away and leaves the buffer alone.
const DISCARDING: i32 = 0x20;

/// Operations up to this size are copied whole wherever they stand in a message: the end of a
/// body and the next head can share one, and copying them costs no more than copying their tail.
const SMALL: u32 = 256;
/// How many operations of a connection that was found in the middle are looked at whatever their
/// direction; a head begins where the direction changes, so from then on only those are.
const FIRST_LOOKS: u32 = 16;
/// How many looks such a connection gets before it counts as something else: a body is one run of
/// one direction, however long it is.
const MAX_LOOKS: u32 = 256;

/// [`tracer_common::head::starts`], filled by user space.
#[map]
static STARTS: HashMap<u64, u32> = HashMap::with_max_entries(MAX_STARTS, 0);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Send,
    Receive,
}

#[inline(always)]
pub(crate) fn try_operation(
    sk: *const u8,
    ret: i32,
    flags: i32,
    direction: Direction,
) -> Result<(), Stop> {
    count(match direction {
        Direction::Send => Counter::Sends,
        Direction::Receive => Counter::Receives,
    });
    let sock = Sock(sk);
    let is_unix = sock.is_unix();
    if flags & NOT_CONSUMING != 0 || !(is_unix || sock.is_tcp()) {
        return Err(Stop::NotOurs);
    }
    if ret < 0 {
        return failed(sock, is_unix, ret, direction);
    }
    let socket = match sock.find() {
        Some(socket) => socket,
        None if ret == 0 || !sock.has_file() => return Err(Stop::NotOurs),
        None => sock.find_or_create()?,
    };
    let len = ret as u32;
    if len == 0 && is_unix && socket.class != HTTP {
        return tell_unix_end(sock, socket);
    }
    if matches!(socket.class, OTHER | FILTERED) || (len == 0 && socket.class != HTTP) {
        return Err(Stop::NotOurs);
    }
    let stream = Stream::of(sock, is_unix, socket, direction, len)?;
    let head = header(KIND_DATA, sock.cookie());
    let verdict = socket.process_verdict(head.pid);
    if verdict != TRACE && (verdict != SELF || socket.flags & ANNOUNCED != 0) {
        return Err(Stop::NotOurs);
    }
    if socket.looks == 0 {
        socket.looks = 1;
        stream.meet(socket, len);
        sock.admit(socket)?;
        golang::tell_asked(sock, head.pid, head.time);
    }
    let index = head.cpu * 2 + (direction == Direction::Send) as u32;
    let Some(scratch) = scratch(index) else { return Err(Stop::NotOurs) };
    // SAFETY: this processor's, for this direction: see `SCRATCH`.
    let scratch = unsafe { &mut *scratch };
    let data = &mut scratch.data;
    data.header = head;
    data.flags = stream.flags(direction);
    data.len = len;
    (data.write_seq, data.copied_seq) = stream.sequence(socket, direction);
    data.send_base = socket.send_base;
    data.receive_base = socket.receive_base;
    if verdict == SELF {
        return announce(sock, socket, scratch, VERDICT_SELF);
    }
    wait_for_turn(socket, direction)?;
    let readable = len != 0 && (flags & DISCARDING == 0 || is_unix);
    let buffer = if readable { locate(sock, socket, direction, &mut scratch.data) } else { None };
    let pid = scratch.data.header.pid;
    let buffer = forget(&mut scratch.buffer, buffer.unwrap_or(Buffer::NONE));
    // In the middle of HTTP, sendfile and splice have no bytes to read, and that is no loss.
    if readable && buffer.is_none() && (socket.class == UNKNOWN || Call::current().is_uring()) {
        count_unreadable(pid);
    }
    let start = look(buffer, len);
    let start = forget(&mut scratch.start, start);
    let verdict = judge(socket, start.what, buffer);
    if verdict == VERDICT_UNDECIDED {
        return wait(sock, socket, scratch);
    }
    if verdict != VERDICT_HTTP || socket.flags & ANNOUNCED == 0 {
        announce(sock, socket, scratch, verdict)?;
    }
    if verdict != VERDICT_HTTP {
        socket.class = OTHER;
        return Err(Stop::Counted(Counter::NotHttp));
    }
    let want = share(socket, start.what, direction, len);
    leave_http(socket, start);
    let want = forget(&mut scratch.data.head_len, want);
    if Call::current().is_uring() {
        scratch.data.flow = flow::NOBODY;
    } else {
        flow::current(pid, direction, &mut scratch.data.flow);
        if direction == Direction::Receive && start.what == Start::Request as u32 {
            flow::reads(pid, scratch.data.header.time);
        }
        let flow = &mut scratch.data.flow;
        flow::message(pid, sock, &mut socket.owner, start.what, direction, flow);
    }
    record(scratch, buffer, len, want)?;
    if len == 0 && is_unix { tell_unix_end(sock, socket) } else { Ok(()) }
}

/// Whoever answers on a unix socket that has not shown yet what it carries may be answering a
/// request that nobody can see: user space has to know of it.
#[inline(always)]
fn wait(sock: Sock, socket: &mut Socket, scratch: &mut Scratch) -> Result<(), Stop> {
    if socket.flags & (ANNOUNCED | UNDECIDED) == 0 && sock.unix().is_some_and(UnixSock::is_named) {
        return announce(sock, socket, scratch, VERDICT_UNDECIDED);
    }
    Err(Stop::NotOurs)
}

/// Copies what is wanted of the bytes, `want` from their beginning, and sends the record.
#[inline(always)]
fn record(scratch: &mut Scratch, buffer: Buffer, len: u32, want: u32) -> Result<(), Stop> {
    let want = want.min(len);
    let tail = (len - want).min(MAX_TAIL as u32);
    let (mut copied, mut missing) = (want + tail, 0);
    if len != 0 {
        let outcome = if buffer.is_none() {
            Err((Counter::NoBuffer, DATA_NO_BUFFER))
        } else {
            let to = scratch.bytes.as_mut_ptr();
            buffer.copy(to, len, want, tail).map_err(|_| (Counter::PageFault, DATA_PAGE_FAULT))
        };
        if let Err((counter, flag)) = outcome {
            count(counter);
            (copied, missing) = (0, flag);
        }
    }
    let data = &mut scratch.data;
    data.flags |= missing;
    data.head_len = copied.min(want);
    data.tail_len = copied - copied.min(want);
    scratch.send(copied)
}

/// An operation failed: if it is part of a call that moves several messages, that call is over; and
/// it may show that the other end of a unix connection is closed.
#[inline(always)]
fn failed(sock: Sock, is_unix: bool, ret: i32, direction: Direction) -> Result<(), Stop> {
    const ECONNRESET: i32 = -104;
    const EPIPE: i32 = -32;
    let closed = is_unix && matches!(ret, EPIPE | ECONNRESET);
    let batch = Call::current().is_batch();
    if !closed && !batch {
        return Err(Stop::NotOurs);
    }
    let Some(socket) = sock.find() else { return Err(Stop::NotOurs) };
    if batch {
        socket.batch(direction).over();
    }
    if closed { tell_unix_end(sock, socket) } else { Err(Stop::NotOurs) }
}

/// Where the operation's bytes are in memory.
#[inline(always)]
fn locate(
    sock: Sock,
    socket: &mut Socket,
    direction: Direction,
    data: &mut Data,
) -> Option<Buffer> {
    let call = Call::current();
    if call.is_uring() {
        uring::request(sock, direction, &mut data.header, data.len)?.buffer(data.len)
    } else {
        call.buffer(direction, socket, data.header.tid, data.len)
    }
}

/// Passes over an operation of a connection that was found in the middle, where no head can begin.
#[inline(always)]
fn wait_for_turn(socket: &mut Socket, direction: Direction) -> Result<(), Stop> {
    if socket.class != UNKNOWN || socket.flags & CONNECTION_MIDSTREAM == 0 {
        return Ok(());
    }
    let turned = socket.run != run(direction);
    socket.run = run(direction);
    if turned || socket.looks <= FIRST_LOOKS { Ok(()) } else { Err(Stop::NotOurs) }
}

/// As [`Socket::run`] has it.
#[inline(always)]
fn run(direction: Direction) -> u32 {
    1 + (direction == Direction::Send) as u32
}

/// What an operation begins with.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Beginning {
    /// [`Start`].
    what: u32,
    /// The bytes that are the status code if it is a response.
    status: u32,
}

/// Writes a value to a map and reads it back. The verifier follows every way through a program on
/// which it knows something else; what comes out of a map it does not know, so the ways meet here.
#[inline(always)]
fn forget<T: Copy>(slot: &mut T, value: T) -> T {
    // SAFETY: a place for a `T`, as the reference says.
    unsafe {
        core::ptr::write_volatile(slot, value);
        core::ptr::read_volatile(slot)
    }
}

#[inline(always)]
fn look(buffer: Buffer, len: u32) -> Beginning {
    let other = Beginning { what: Start::Other as u32, status: 0 };
    if buffer.is_none() {
        return other;
    }
    let Ok(first) = buffer.look(len) else { return other };
    if is_response(first.low) {
        let status = (first.high >> 8) as u32 & 0xff_ffff;
        return Beginning { what: Start::Response as u32, status };
    }
    // SAFETY: the map does not change after loading.
    match unsafe { STARTS.get(key(first.low)) } {
        Some(&what) => Beginning { what, ..other },
        None => other,
    }
}

/// Decides what a socket carries: `VERDICT_*`. An unknown one that was seen from its first byte on
/// must begin with HTTP; one that was found in the middle is waited for until a head begins.
#[inline(always)]
fn judge(socket: &mut Socket, start: u32, buffer: Buffer) -> u32 {
    if socket.class == HTTP || start != Start::Other as u32 {
        socket.class = HTTP;
        return VERDICT_HTTP;
    }
    let wait = socket.flags & CONNECTION_MIDSTREAM != 0 || buffer.is_none();
    if wait && socket.looks < MAX_LOOKS {
        socket.looks += 1;
        return VERDICT_UNDECIDED;
    }
    VERDICT_OTHER
}

/// How many of the operation's first bytes are copied. A head can only begin where the direction
/// changes, where the operation begins like one, or (pipelining) close behind another message; so
/// each run of one direction has 16 KiB, renewed by what begins like a head. A longer body costs
/// nothing from there on. What this misses: a head that begins inside an operation, more than
/// 16 KiB into a run; user space sees that a message ended there and counts it.
#[inline(always)]
fn share(socket: &mut Socket, start: u32, direction: Direction, len: u32) -> u32 {
    if socket.run != run(direction) || start != Start::Other as u32 {
        socket.run = run(direction);
        socket.budget = MAX_COPY as u32;
    }
    if len <= SMALL {
        return len;
    }
    let want = len.min(socket.budget);
    socket.budget -= want;
    want
}

/// After `101 Switching Protocols`, and after the 2xx that answers a CONNECT, the bytes are no
/// longer HTTP.
#[inline(always)]
fn leave_http(socket: &mut Socket, Beginning { what, status }: Beginning) {
    const SWITCHING: u32 = u32::from_le_bytes(*b"101\0");
    if what == Start::ConnectRequest as u32 {
        socket.flags |= CONNECT_PENDING;
    } else if what == Start::Response as u32 {
        let connected = socket.flags & CONNECT_PENDING != 0 && status as u8 == b'2';
        if status == SWITCHING || connected {
            socket.class = OTHER;
        }
        socket.flags &= !CONNECT_PENDING;
    }
}
