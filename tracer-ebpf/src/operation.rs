//! A completed send or receive.

use tracer_common::{
    counter::Counter,
    filter::{SELF, TRACE},
    head::Start,
    record::{
        DATA_HELLO, DATA_NO_BUFFER, DATA_PAGE_FAULT, Data, KIND_DATA, MAX_TAIL, VERDICT_BACKING,
        VERDICT_HTTP, VERDICT_SELF, VERDICT_TLS, VERDICT_UNDECIDED,
    },
};

use crate::{
    buffer::Buffer,
    call::Call,
    carried::{IN_PARTS, Sight, begins, judge, leave_http, look, share, wait_for_turn},
    datagram::try_datagram,
    flow, golang,
    kernel::{Sock, UnixSock, header},
    lifecycle::tell_unix_end,
    parts,
    ring::{Scratch, announce, scratch},
    socket::{ANNOUNCED, FILTERED, OTHER, Socket, TLS, UNDECIDED, UNKNOWN},
    stream::Stream,
    tls, uring,
    verdict::{Stop, count, count_unreadable},
};

/// `MSG_OOB`, `MSG_PEEK` and `MSG_ERRQUEUE`: the stream does not move.
const NOT_CONSUMING: i32 = 0x1 | 0x2 | 0x2000;
/// `MSG_TRUNC`: TCP throws the bytes away and leaves the buffer alone; of a datagram the call returns how
/// long it was.
const DISCARDING: i32 = 0x20;

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
    if flags & NOT_CONSUMING != 0 {
        return Err(Stop::NotOurs);
    }
    if !(is_unix || sock.is_tcp()) {
        // Of one that is cut to the buffer's length, that is not known.
        let readable = flags & DISCARDING == 0;
        return if readable { try_datagram(sock, ret, direction) } else { Err(Stop::NotOurs) };
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
    if len == 0 && is_unix && !socket.is_decoded() {
        return tell_unix_end(sock, socket);
    }
    if matches!(socket.class, OTHER | FILTERED) || (len == 0 && !socket.is_decoded()) {
        return Err(Stop::NotOurs);
    }
    let known_tls = socket.class == TLS && socket.flags & ANNOUNCED != 0;
    if known_tls && socket.said_hello(direction) {
        socket.count_bytes(direction, len);
        return tls::operation(sock, socket, direction);
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
    let verdict = if known_tls {
        VERDICT_TLS
    } else {
        let asked = !is_unix && socket.class == UNKNOWN;
        let ports = if asked { ports(sock, direction) } else { 0 };
        judge(socket, start, buffer, Sight { index, len, ports, direction })
    };
    if verdict == VERDICT_UNDECIDED {
        return wait(sock, socket, scratch);
    }
    let decoded = verdict == VERDICT_HTTP || verdict == VERDICT_BACKING;
    if !known_tls && (!decoded || socket.flags & ANNOUNCED == 0) {
        announce(sock, socket, scratch, verdict)?;
    }
    if !decoded && verdict != VERDICT_TLS {
        socket.class = OTHER;
        return Err(Stop::Counted(Counter::NotHttp));
    }
    let (want, what) = if verdict == VERDICT_TLS {
        if !is_unix {
            socket.count_bytes(direction, len);
        }
        let want = socket.hello(direction, start.hello(), len);
        if want == 0 {
            return tls::operation(sock, socket, direction);
        }
        scratch.data.flags |= DATA_HELLO;
        // Whoever waits for the connection waits for this.
        let opens = direction == Direction::Send;
        (want, if opens { Start::Request } else { Start::Other } as u32)
    } else {
        let what = begins(socket, start.what, direction);
        let want = share(socket, start.what, direction, len);
        leave_http(socket, start);
        (want, what)
    };
    let want = forget(&mut scratch.data.head_len, want);
    let what = forget(&mut scratch.start.what, what);
    if Call::current().is_uring() {
        scratch.data.flow = flow::NOBODY;
    } else {
        flow::acts(scratch, &mut socket.owner, index, what, direction, sock.0 as u64);
    }
    if want == IN_PARTS {
        parts::send(scratch, socket, index, len, direction);
        return Ok(());
    }
    record(scratch, buffer, len, want)?;
    if socket.class == TLS {
        return tls::operation(sock, socket, direction);
    }
    if len == 0 && is_unix { tell_unix_end(sock, socket) } else { Ok(()) }
}

/// As [`Sight::ports`] has them.
#[inline(always)]
pub(crate) fn ports(sock: Sock, direction: Direction) -> u32 {
    let (local, remote) = (u32::from(sock.local_port()), u32::from(sock.remote_port()));
    match direction {
        Direction::Send => local << 16 | remote,
        Direction::Receive => remote << 16 | local,
    }
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

/// Copies what is wanted of the bytes, `want` from their beginning, and sends the record. Of TLS no
/// more than that is wanted.
#[inline(always)]
pub(crate) fn record(
    scratch: &mut Scratch,
    buffer: Buffer,
    len: u32,
    want: u32,
) -> Result<(), Stop> {
    let want = want.min(len);
    // 0 or all of it, without a branch: the verifier would follow both.
    let most = (((scratch.data.flags / DATA_HELLO) & 1) ^ 1) * MAX_TAIL as u32;
    let tail = (len - want).min(most).min(MAX_TAIL as u32);
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

/// Writes a value to a map and reads it back. The verifier follows every way through a program on
/// which it knows something else; what comes out of a map it does not know, so the ways meet here.
#[inline(always)]
pub(crate) fn forget<T: Copy>(slot: &mut T, value: T) -> T {
    // SAFETY: a place for a `T`, as the reference says.
    unsafe {
        core::ptr::write_volatile(slot, value);
        core::ptr::read_volatile(slot)
    }
}
