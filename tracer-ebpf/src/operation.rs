//! A completed send or receive.

use aya_ebpf::{macros::map, maps::HashMap};
use tracer_common::{
    counter::Counter,
    filter::{SELF, TRACE},
    head::{MAX_STARTS, Start, is_response, key},
    record::{
        CONNECTION_MIDSTREAM, DATA_NO_BUFFER, DATA_PAGE_FAULT, Header, KIND_DATA, MAX_COPY,
        MAX_TAIL, VERDICT_HTTP, VERDICT_OTHER, VERDICT_SELF,
    },
};

use crate::{
    buffer::Buffer,
    call::Call,
    kernel::{Sock, header},
    ring::{announce, scratch},
    socket::{ANNOUNCED, CONNECT_PENDING, FILTERED, HTTP, OTHER, Socket, UNKNOWN},
    stream::Stream,
    uring,
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
        return end_batch(sock, direction);
    }
    let socket = match sock.find() {
        Some(socket) => socket,
        None if ret == 0 || !sock.has_file() => return Err(Stop::NotOurs),
        None => sock.find_or_create()?,
    };
    if matches!(socket.class, OTHER | FILTERED) {
        return Err(Stop::NotOurs);
    }
    let len = ret as u32;
    let stream = Stream::of(sock, is_unix, socket, direction, len)?;
    if len == 0 && socket.class != HTTP {
        return Err(Stop::NotOurs);
    }
    let mut head = header(KIND_DATA, 0);
    let verdict = socket.process_verdict(head.pid);
    if verdict != TRACE && (verdict != SELF || socket.flags & ANNOUNCED != 0) {
        return Err(Stop::NotOurs);
    }
    if socket.looks == 0 {
        socket.looks = 1;
        stream.meet(socket, len);
        sock.admit(socket)?;
    }
    let index = head.cpu * 2 + (direction == Direction::Send) as u32;
    let Some(scratch) = scratch(index) else { return Err(Stop::NotOurs) };
    // SAFETY: this processor's, for this direction: see `SCRATCH`.
    let scratch = unsafe { &mut *scratch };
    let mut seen = Seen { buffer: None, start: Start::Other, status: 0 };
    let news = if verdict == SELF {
        VERDICT_SELF
    } else {
        wait_for_turn(socket, direction)?;
        let discarded = flags & DISCARDING != 0 && !is_unix;
        if !discarded && len != 0 {
            seen = Seen::at(locate(sock, socket, direction, len, &mut head), len);
        }
        judge(socket, &seen)?
    };
    if news != VERDICT_HTTP || socket.flags & ANNOUNCED == 0 {
        announce(sock, stream.unix(), socket, scratch, news)?;
    }
    if news == VERDICT_OTHER {
        socket.class = OTHER;
        return Err(Stop::Counted(Counter::NotHttp));
    }
    if news == VERDICT_SELF {
        return Ok(());
    }
    let Seen { buffer, start, status } = seen;
    let want = share(socket, start, direction, len);
    leave_http(socket, start, status);

    head.cookie = sock.cookie();
    let data = &mut scratch.data;
    data.header = head;
    data.flags = stream.flags(direction);
    data.len = len;
    (data.write_seq, data.copied_seq) = stream.sequence(socket, direction);
    data.send_base = socket.send_base;
    data.receive_base = socket.receive_base;
    let tail = (len - want).min(MAX_TAIL as u32);
    let copied = match buffer {
        None if len == 0 => Ok(()),
        None => Err((Counter::NoBuffer, DATA_NO_BUFFER)),
        Some(buffer) => buffer
            .copy(scratch.bytes.as_mut_ptr(), len, want, tail)
            .map_err(|_| (Counter::PageFault, DATA_PAGE_FAULT)),
    };
    match copied {
        Ok(()) => {
            data.head_len = want;
            data.tail_len = tail;
        }
        Err((counter, flag)) => {
            count(counter);
            data.flags |= flag;
            data.head_len = 0;
            data.tail_len = 0;
        }
    }
    let bytes = data.head_len + data.tail_len;
    scratch.send(bytes)
}

/// An operation failed: if it is part of a call that moves several messages, that call is over.
#[inline(always)]
fn end_batch(sock: Sock, direction: Direction) -> Result<(), Stop> {
    if Call::current().is_batch()
        && let Some(socket) = sock.find()
    {
        socket.batch(direction).over();
    }
    Err(Stop::NotOurs)
}

/// Where the operation's bytes are in memory.
#[inline(always)]
fn locate(
    sock: Sock,
    socket: &mut Socket,
    direction: Direction,
    len: u32,
    header: &mut Header,
) -> Option<Buffer> {
    let call = Call::current();
    if call.is_uring() {
        uring::request(sock, direction, header)?.buffer(len)
    } else {
        call.buffer(direction, socket, header.tid, len)
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

/// What an operation looks like from outside.
struct Seen {
    buffer: Option<Buffer>,
    /// What it begins with.
    start: Start,
    /// The bytes that are the status code if it is a response.
    status: u32,
}

impl Seen {
    #[inline(always)]
    fn at(buffer: Option<Buffer>, len: u32) -> Self {
        let (start, status) = match buffer.map(|buffer| buffer.look(len)) {
            Some(Ok(first)) => (look(first.low), (first.high >> 8) as u32 & 0xff_ffff),
            _ => (Start::Other, 0),
        };
        Self { buffer, start, status }
    }
}

#[inline(always)]
fn look(first: u64) -> Start {
    if is_response(first) {
        return Start::Response;
    }
    // SAFETY: the map does not change after loading.
    match unsafe { STARTS.get(key(first)) } {
        None => Start::Other,
        Some(&start) if start == Start::ConnectRequest as u32 => Start::ConnectRequest,
        Some(&start) if start == Start::Partial as u32 => Start::Partial,
        // What is done about it is the same as for a request.
        Some(_) => Start::Request,
    }
}

/// Decides what a socket carries: `VERDICT_*`. An unknown one that was seen from its first byte on
/// must begin with HTTP; one that was found in the middle is waited for until a head begins.
#[inline(always)]
fn judge(socket: &mut Socket, seen: &Seen) -> Result<u32, Stop> {
    if socket.class == HTTP || seen.start != Start::Other {
        socket.class = HTTP;
        return Ok(VERDICT_HTTP);
    }
    let wait = socket.flags & CONNECTION_MIDSTREAM != 0 || seen.buffer.is_none();
    if wait && socket.looks < MAX_LOOKS {
        socket.looks += 1;
        return Err(Stop::NotOurs);
    }
    Ok(VERDICT_OTHER)
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
