//! A completed send or receive.

use aya_ebpf::helpers::generated::bpf_skc_to_tcp_sock;
use tracer_common::{
    counter::Counter,
    filter::{SELF, TRACE},
    head::{Start, look},
    record::{
        CONNECTION_MIDSTREAM, DATA_SEND, DATA_UNREADABLE, KIND_DATA, MAX_COPY, MAX_TAIL,
        VERDICT_HTTP, VERDICT_OTHER, VERDICT_SELF,
    },
};

use crate::{
    buffer::Buffer,
    kernel::{Sock, TcpSock, header},
    ring::{announce, scratch},
    socket::{ANNOUNCED, CONNECT_PENDING, FILTERED, HTTP, OTHER, Socket, UNKNOWN},
    verdict::{Stop, count},
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
    if ret < 0 || flags & NOT_CONSUMING != 0 || !sock.is_tcp() {
        return Err(Stop::NotOurs);
    }
    let socket = match sock.find() {
        Some(socket) => socket,
        None if ret == 0 || !sock.has_file() => return Err(Stop::NotOurs),
        None => sock.find_or_create()?,
    };
    if matches!(socket.class, OTHER | FILTERED) || (ret == 0 && socket.class != HTTP) {
        return Err(Stop::NotOurs);
    }
    let mut head = header(KIND_DATA, 0);
    let verdict = socket.process_verdict(head.pid);
    if verdict != TRACE && (verdict != SELF || socket.flags & ANNOUNCED != 0) {
        return Err(Stop::NotOurs);
    }
    // SAFETY: the helper takes any socket and returns null for one that is not TCP.
    let tcp = unsafe { bpf_skc_to_tcp_sock(sk as *mut _) } as *const u8;
    if tcp.is_null() {
        return Err(Stop::NotOurs);
    }
    let tcp = TcpSock(tcp);
    let len = ret as u32;
    if socket.looks == 0 {
        socket.looks = 1;
        socket.set_bases(tcp);
        socket.note_midstream(tcp, len);
        sock.admit(socket)?;
    }
    if verdict == SELF {
        return announce(sock, socket, VERDICT_SELF);
    }
    wait_for_turn(socket, direction)?;
    let buffer = if flags & DISCARDING != 0 { None } else { Buffer::locate(direction) };
    let (start, status) = look_at(buffer, len);
    judge(sock, socket, start, buffer.is_some())?;
    if socket.flags & ANNOUNCED == 0 {
        announce(sock, socket, VERDICT_HTTP)?;
    }
    let want = share(socket, start, direction, len);
    leave_http(socket, start, status);

    let index = head.cpu * 2 + (direction == Direction::Send) as u32;
    let Some(scratch) = scratch(index) else { return Err(Stop::NotOurs) };
    // SAFETY: this processor's, for this direction: see `SCRATCH`.
    let scratch = unsafe { &mut *scratch };
    head.cookie = sock.cookie();
    let data = &mut scratch.data;
    data.header = head;
    data.flags = if direction == Direction::Send { DATA_SEND } else { 0 };
    data.len = len;
    data.write_seq = tcp.write_seq();
    data.copied_seq = tcp.copied_seq();
    data.send_base = socket.send_base;
    data.receive_base = socket.receive_base;
    let tail = (len - want).min(MAX_TAIL as u32);
    let copied = match buffer {
        None if len == 0 => Ok(()),
        None => Err(Counter::NoBuffer),
        Some(buffer) => {
            buffer.copy(scratch.bytes.as_mut_ptr(), len, want, tail).map_err(|_| Counter::PageFault)
        }
    };
    match copied {
        Ok(()) => {
            data.head_len = want;
            data.tail_len = tail;
        }
        Err(counter) => {
            count(counter);
            data.flags |= DATA_UNREADABLE;
            data.head_len = 0;
            data.tail_len = 0;
        }
    }
    let bytes = data.head_len + data.tail_len;
    scratch.send(bytes)
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

/// What the operation begins with, and the bytes that are the status code if it is a response.
#[inline(always)]
fn look_at(buffer: Option<Buffer>, len: u32) -> (Start, u32) {
    if len == 0 {
        return (Start::Other, 0);
    }
    match buffer.map(|buffer| buffer.look(len)) {
        Some(Ok((bytes, len))) => (look(bytes.low, len), (bytes.high >> 8) as u32 & 0xff_ffff),
        _ => (Start::Other, 0),
    }
}

/// Decides what an unknown socket carries. One that was seen from its first byte on must begin
/// with HTTP; one that was found in the middle is waited for until a head begins.
#[inline(always)]
fn judge(sock: Sock, socket: &mut Socket, start: Start, readable: bool) -> Result<(), Stop> {
    if socket.class != UNKNOWN {
        return Ok(());
    }
    if start != Start::Other {
        socket.class = HTTP;
        return Ok(());
    }
    let wait = socket.flags & CONNECTION_MIDSTREAM != 0 || !readable;
    if wait && socket.looks < MAX_LOOKS {
        socket.looks += 1;
        return Err(Stop::NotOurs);
    }
    // If this can't be told now, the next operation is looked at again.
    announce(sock, socket, VERDICT_OTHER)?;
    socket.class = OTHER;
    Err(Stop::Counted(Counter::NotHttp))
}

/// How many of the operation's first bytes are copied. A head can only begin where the direction
/// changes, where the operation begins like one, or (pipelining) close behind another message; so
/// each run of one direction has 16 KiB, renewed by what begins like a head. A longer body costs
/// nothing from there on. What this misses: a head that begins inside an operation, more than
/// 16 KiB into a run; user space sees that a message ended there and counts it.
#[inline(always)]
fn share(socket: &mut Socket, start: Start, direction: Direction, len: u32) -> u32 {
    if socket.run != run(direction) || start != Start::Other {
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
fn leave_http(socket: &mut Socket, start: Start, status: u32) {
    const SWITCHING: u32 = u32::from_le_bytes(*b"101\0");
    match start {
        Start::ConnectRequest => socket.flags |= CONNECT_PENDING,
        Start::Response => {
            let connected = socket.flags & CONNECT_PENDING != 0 && status as u8 == b'2';
            if status == SWITCHING || connected {
                socket.class = OTHER;
            }
            socket.flags &= !CONNECT_PENDING;
        }
        _ => {}
    }
}
