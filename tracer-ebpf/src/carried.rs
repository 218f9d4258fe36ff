//! What a socket carries, by how operations on it begin, and how much of each is wanted.

use aya_ebpf::{macros::map, maps::HashMap};
use tracer_common::{
    backing::{self, ANSWERS},
    head::{MAX_STARTS, Start, is_frame, is_response, is_websocket, key},
    record::{
        CONNECTION_ACCEPTED, CONNECTION_MIDSTREAM, CONNECTION_OPENER, CONNECTION_SILENT, MAX_COPY,
        VERDICT_BACKING, VERDICT_HTTP, VERDICT_OTHER, VERDICT_TLS, VERDICT_UNDECIDED,
    },
    tls::{hello_len, is_record},
};

use crate::{
    buffer::Buffer,
    kernel::choices,
    operation::Direction,
    ring::{Scratch, scratch},
    socket::{
        BACKING, CONNECT_PENDING, HTTP, HTTP2, SERVES, Socket, TALKS, TLS, UNKNOWN, UPGRADED,
    },
    verdict::Stop,
};

/// Writes of this size to a backing service are of those that load data in bulk.
const BULK: u32 = 8192;
/// Operations up to this size are copied whole wherever they stand in a message: the end of a
/// body and the next head can share one, and copying them costs no more than copying their tail.
const SMALL: u32 = 256;
/// How many operations of a connection that was found in the middle are looked at whatever their
/// direction; a head begins where the direction changes, so from then on only those are.
const FIRST_LOOKS: u32 = 16;
/// How many looks such a connection gets before it counts as something else: a body is one run of
/// one direction, however long it is.
const MAX_LOOKS: u32 = 256;

/// How many looks a connection gets after it stopped being HTTP/1, to show that it is HTTP/2 now, or
/// WebSocket.
const SWITCHED_LOOKS: u32 = 8;

/// How many operations of a backing service's connection come before TLS, if that is asked for: each of
/// them says so first.
const STARTTLS_LOOKS: u32 = 8;

/// Bytes of the record with which a client asks for TLS, at least: the hello's fixed fields (RFC 8446,
/// 4.1.2). What else begins like a record, of those protocols, would be shorter.
const SHORTEST_HELLO: u32 = 46;
/// Where Linux begins to take the ports of those who connect (`ip_local_port_range`).
const EPHEMERAL: u32 = 32_768;

/// [`tracer_common::head::starts`], filled by user space.
#[map]
static STARTS: HashMap<u64, u32> = HashMap::with_max_entries(MAX_STARTS, 0);

/// Passes over an operation of a connection that was found in the middle, where no head can begin.
#[inline(always)]
pub(crate) fn wait_for_turn(socket: &mut Socket, direction: Direction) -> Result<(), Stop> {
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
    pub(crate) what: u32,
    /// The bytes that are the status code if it is a response; of anything else, what it looks like:
    /// 0 or one of these.
    status: u32,
}

/// [`Beginning::status`]: a TLS record, with [`hello_len`]. No three bytes have this bit.
const TLS_RECORD: u32 = 1 << 31;
/// [`Beginning::status`]: a frame of HTTP/2.
const FRAME: u32 = 1;
/// [`Beginning::status`]: a frame of WebSocket.
const MESSAGE: u32 = 2;

impl Beginning {
    /// Bytes of the record with which one side of TLS begins; 0 if it is none.
    #[inline(always)]
    pub(crate) fn hello(self) -> u32 {
        if self.is_tls() { self.status & !TLS_RECORD } else { 0 }
    }

    #[inline(always)]
    fn is_tls(self) -> bool {
        self.what == Start::Other as u32 && self.status & TLS_RECORD != 0
    }
}

/// What an operation of this many bytes begins with.
#[inline(always)]
pub(crate) fn look(buffer: Buffer, len: u32) -> Beginning {
    let other = Beginning { what: Start::Other as u32, status: 0 };
    if buffer.is_none() {
        return other;
    }
    let Ok(first) = buffer.look(len) else { return other };
    if is_record(first.low) {
        return Beginning { status: TLS_RECORD | hello_len(first.low), ..other };
    }
    if is_response(first.low) {
        let status = (first.high >> 8) as u32 & 0xff_ffff;
        return Beginning { what: Start::Response as u32, status };
    }
    // SAFETY: the map does not change after loading.
    match unsafe { STARTS.get(key(first.low)) } {
        Some(&what) => Beginning { what, ..other },
        None if is_frame(first.low, first.high) => Beginning { status: FRAME, ..other },
        None => Beginning { status: u32::from(is_websocket(first.low)) * MESSAGE, ..other },
    }
}

/// An operation that is looked at: of the buffer in this scratch memory.
#[derive(Clone, Copy)]
pub(crate) struct Sight {
    pub(crate) index: u32,
    pub(crate) len: u32,
    /// Of the sender, in the upper half, and of the receiver; 0 if unknown.
    pub(crate) ports: u32,
    pub(crate) direction: Direction,
}

/// Decides what a socket carries: `VERDICT_*`. An unknown one that was seen from its first byte on
/// must begin with what is decoded; one that was found in the middle is waited for until a head begins.
#[inline(always)]
pub(crate) fn judge(socket: &mut Socket, start: Beginning, buffer: Buffer, sight: Sight) -> u32 {
    let Beginning { what, status } = start;
    let other = what == Start::Other as u32;
    let upgraded = socket.class == UPGRADED && socket.flags & TALKS == 0;
    if socket.is_http() && !upgraded {
        return VERDICT_HTTP;
    }
    if socket.class == BACKING {
        if socket.looks >= STARTTLS_LOOKS {
            return VERDICT_BACKING;
        }
        socket.looks += 1;
        if start.hello() < SHORTEST_HELLO {
            return VERDICT_BACKING;
        }
    }
    if start.is_tls() {
        socket.class = TLS;
        return VERDICT_TLS;
    }
    if what == Start::Preface as u32 || (other && status == FRAME) {
        socket.class = HTTP2;
        return VERDICT_HTTP;
    }
    if upgraded {
        if other && status == MESSAGE {
            socket.flags |= TALKS;
        } else if socket.looks > SWITCHED_LOOKS {
            return VERDICT_OTHER;
        }
        socket.looks += 1;
        return VERDICT_HTTP;
    }
    if !other {
        socket.class = HTTP;
        return VERDICT_HTTP;
    }
    if choices().backing != 0 && !buffer.is_none() {
        let Sight { index, len, ports, direction } = sight;
        let found = recognise_backing(index, len, ports);
        let asks = found & ANSWERS == 0;
        let is_client = asks == (direction == Direction::Send);
        if found != 0 && may_be(socket, is_client, ports, direction) {
            if !is_client && choices().backing_servers == 0 {
                return VERDICT_OTHER;
            }
            socket.flags |= SERVES * !is_client as u32;
            // This operation is counted: at 1 it is the first.
            socket.flags |= CONNECTION_SILENT * (socket.looks == 1) as u32;
            // Looks have taken turns, too: a run begins with this, of which all may be wanted.
            (socket.class, socket.looks, socket.run) = (BACKING, 1, 0);
            return VERDICT_BACKING;
        }
    }
    let wait = socket.flags & CONNECTION_MIDSTREAM != 0 || buffer.is_none();
    if wait && socket.looks < MAX_LOOKS {
        socket.looks += 1;
        return VERDICT_UNDECIDED;
    }
    VERDICT_OTHER
}

/// Nothing says that a socket is on the other side than the bytes say: a server of Redis sends what looks
/// like commands, to replicas and subscribers.
#[inline(always)]
fn may_be(socket: &Socket, is_client: bool, ports: u32, direction: Direction) -> bool {
    let (sender, receiver) = (ports >> 16, ports & 0xffff);
    let (local, remote) =
        if direction == Direction::Send { (sender, receiver) } else { (receiver, sender) };
    match socket.flags & (CONNECTION_OPENER | CONNECTION_ACCEPTED) {
        CONNECTION_OPENER => is_client,
        CONNECTION_ACCEPTED => !is_client,
        _ if local >= EPHEMERAL && remote < EPHEMERAL && remote != 0 => is_client,
        _ if remote >= EPHEMERAL && local < EPHEMERAL && local != 0 => !is_client,
        _ => true,
    }
}

/// The protocol that an operation's first bytes show, if it is followed; see
/// [`backing::Beginning::recognise`]. A function that others could link to: the verifier looks at such a
/// one once.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn recognise_backing(index: u32, len: u32, ports: u32) -> u32 {
    let Some(scratch) = scratch(index) else { return 0 };
    // SAFETY: this processor's, for this direction, or nobody else's: see `SCRATCH`; its caller does
    // not go on with it before this returns.
    let Scratch { buffer, bytes, .. } = unsafe { &mut *scratch };
    let to = bytes.as_mut_ptr();
    // SAFETY: there is room for much more than these 16 bytes.
    unsafe { to.cast::<[u64; 2]>().write_unaligned([0; 2]) };
    // Of pieces, all: lengths are often written apart.
    if buffer.copy(to, len, len.min(16), 0).is_err() {
        return 0;
    }
    // SAFETY: as above.
    let [low, high] = unsafe { to.cast::<[u64; 2]>().read_unaligned() };
    let found = backing::Beginning { low, high, len, ports }.recognise();
    if found & choices().backing != 0 { found } else { 0 }
}

/// [`share`]: as the frames say.
pub(crate) const IN_PARTS: u32 = u32::MAX;

/// How many of the operation's first bytes are copied. A head can only begin where the direction
/// changes, where the operation begins like one, or (pipelining) close behind another message; so
/// each run of one direction has 16 KiB, renewed by what begins like a head. A longer body costs
/// nothing from there on. What this misses: a head that begins inside an operation, more than
/// 16 KiB into a run; user space sees that a message ended there and counts it.
#[inline(always)]
pub(crate) fn share(socket: &mut Socket, start: u32, direction: Direction, len: u32) -> u32 {
    // Pipelines take several writes.
    let goes_on = socket.class == BACKING && direction == Direction::Send && len < BULK;
    if socket.run != run(direction) || start != Start::Other as u32 || goes_on {
        socket.run = run(direction);
        socket.budget = MAX_COPY as u32;
    }
    // Of both, a frame can begin anywhere.
    if matches!(socket.class, HTTP2 | UPGRADED) {
        return if len == 0 { 0 } else { IN_PARTS };
    }
    if len <= SMALL {
        return len;
    }
    let want = len.min(socket.budget);
    socket.budget -= want;
    want
}

/// What stands at the beginning of an operation, for those who follow who acts: clients of backing
/// services write whole requests; and what they read first behind one is its answer.
#[inline(always)]
pub(crate) fn begins(socket: &Socket, start: u32, direction: Direction) -> u32 {
    if socket.class != BACKING {
        return start;
    }
    let asks = (direction == Direction::Send) == (socket.flags & SERVES == 0);
    match (asks, socket.run != run(direction)) {
        (true, _) => Start::Request as u32,
        (false, true) => Start::Response as u32,
        (false, false) => Start::Other as u32,
    }
}

/// After `101 Switching Protocols` the bytes are WebSocket or HTTP/2, as the next operations show, or
/// anything else; after the 2xx that answers a CONNECT they are no longer HTTP.
#[inline(always)]
pub(crate) fn leave_http(socket: &mut Socket, Beginning { what, status }: Beginning) {
    const SWITCHING: u32 = u32::from_le_bytes(*b"101\0");
    if matches!(socket.class, HTTP2 | UPGRADED | BACKING) {
        return;
    }
    if what == Start::ConnectRequest as u32 {
        socket.flags |= CONNECT_PENDING;
    } else if what == Start::Response as u32 {
        let connected = socket.flags & CONNECT_PENDING != 0 && status as u8 == b'2';
        if status == SWITCHING {
            (socket.class, socket.looks) = (UPGRADED, 1);
        } else if connected {
            // Most tunnels are made for it.
            socket.class = TLS;
        }
        socket.flags &= !CONNECT_PENDING;
    }
}
