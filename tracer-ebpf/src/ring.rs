//! Records on their way to user space.

use core::mem::MaybeUninit;

use aya_ebpf::{
    bindings::{BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP},
    helpers::generated::bpf_get_current_comm,
    macros::map,
    maps::{Array, LruHashMap, Queue, RingBuf},
};
use tracer_common::{
    counter::Counter,
    record::{
        CONNECTION_ACCEPTED, CONNECTION_DATAGRAM, CONNECTION_MIDSTREAM, CONNECTION_NAMED,
        CONNECTION_OPENER, CONNECTION_SILENT, Connection, Data, FAMILY_INET, FAMILY_UNIX,
        KIND_CONNECTION, MAX_COPY, MAX_SPEAKERS, MAX_TAIL, VERDICT_HTTP, VERDICT_UNDECIDED,
    },
};
use zerocopy::transmute;

use crate::{
    buffer::Buffer,
    carried::Beginning,
    kernel::{Sock, choices, header},
    parts::Parts,
    socket::{ANNOUNCED, Socket, UNDECIDED},
    verdict::Stop,
};

/// User space sets its size.
#[map]
static EVENTS: RingBuf = RingBuf::with_byte_size(1 << 24, 0);

/// Two for every processor, by direction, and behind them those of [`FREE`]: a probe is never entered
/// again on the processor that it runs on, but the other one can be, where the kernel lets probes be
/// preempted. User space sets the length.
#[map]
static SCRATCH: Array<Scratch> = Array::with_max_entries(2, 0);

/// Numbers of scratch buffers for probes on user space, which can be preempted by others like them.
/// User space fills it.
#[map]
pub(crate) static FREE: Queue<u32> = Queue::with_max_entries(1, 0);

/// Processes that have spoken HTTP.
#[map]
pub(crate) static SPEAKERS: LruHashMap<u32, u32> = LruHashMap::with_max_entries(MAX_SPEAKERS, 0);

/// What is told of [`Socket::flags`].
const TOLD: u32 = CONNECTION_OPENER
    | CONNECTION_ACCEPTED
    | CONNECTION_MIDSTREAM
    | CONNECTION_DATAGRAM
    | CONNECTION_SILENT;

/// `BPF_RB_AVAIL_DATA`.
const AVAILABLE: u64 = 0;

/// A data record in the making. The second half of `bytes` is never used; it is there because the
/// verifier adds up the largest offset and the largest length.
#[repr(C)]
pub(crate) struct Scratch {
    pub(crate) data: Data,
    pub(crate) bytes: [u8; 2 * MAX_COPY + MAX_TAIL],
    pub(crate) connection: Connection,
    pub(crate) buffer: Buffer,
    pub(crate) start: Beginning,
    /// Of the connection and the address of its socket, while it is found out who acts.
    pub(crate) owner: u64,
    pub(crate) sock: u64,
    pub(crate) parts: Parts,
}

pub(crate) fn scratch(index: u32) -> Option<*mut Scratch> {
    SCRATCH.get_ptr_mut(index)
}

impl Scratch {
    #[inline(always)]
    pub(crate) fn send(&self, bytes: u32) -> Result<(), Stop> {
        let len = (size_of::<Data>() as u32 + bytes)
            .min((size_of::<Data>() + MAX_COPY + MAX_TAIL) as u32);
        // SAFETY: `len` bytes of the scratch buffer, which is longer.
        let record = unsafe {
            core::slice::from_raw_parts(core::ptr::from_ref(self).cast::<u8>(), len as usize)
        };
        output(record, false)
    }
}

/// Sends a fixed-size record.
#[inline(always)]
pub(crate) fn send<T>(record: &T) -> Result<(), Stop> {
    output(bytes(record), false)
}

/// The same, and wakes the reader whatever else waits.
#[inline(always)]
pub(crate) fn send_at_once<T>(record: &T) -> Result<(), Stop> {
    output(bytes(record), true)
}

#[inline(always)]
fn bytes<T>(record: &T) -> &[u8] {
    // SAFETY: records are plain values without padding.
    unsafe { core::slice::from_raw_parts(core::ptr::from_ref(record).cast::<u8>(), size_of::<T>()) }
}

/// How far beyond the mark the reader is still woken: several records of the largest size.
const WAKING: u64 = 64 * 1024;

/// The reader looks by itself every few milliseconds and is woken early only when much waits, so
/// that busy traffic does not pay for a wake-up per record; and not again and again when more waits
/// still, for then it is awake and behind.
#[inline(always)]
fn output(record: &[u8], at_once: bool) -> Result<(), Stop> {
    let beyond = EVENTS.query(AVAILABLE).wrapping_sub(u64::from(choices().wake_at));
    let wake = if at_once || beyond < WAKING { BPF_RB_FORCE_WAKEUP } else { BPF_RB_NO_WAKEUP };
    EVENTS.output::<[u8]>(record, u64::from(wake)).map_err(|_| Stop::Counted(Counter::RingFull))
}

/// Tells user space of a connection. What could not be told now is told with the next operation.
#[inline(always)]
pub(crate) fn announce(
    sock: Sock,
    socket: &mut Socket,
    scratch: &mut Scratch,
    verdict: u32,
) -> Result<(), Stop> {
    let record = &mut scratch.connection;
    describe(sock, socket, record, verdict);
    let told = output(bytes(record), false);
    // Were it told again, that would be by another operation.
    socket.flags &= !CONNECTION_SILENT;
    told?;
    if verdict == VERDICT_HTTP {
        // A full map evicts its oldest entry.
        let _ = SPEAKERS.insert(record.header.pid, 0, 0);
    }
    socket.flags |= if verdict == VERDICT_UNDECIDED { UNDECIDED } else { ANNOUNCED };
    Ok(())
}

/// What user space is told of a connection.
#[inline(always)]
pub(crate) fn describe(sock: Sock, socket: &Socket, record: &mut Connection, verdict: u32) {
    record.header = header(KIND_CONNECTION, sock.cookie());
    record.verdict = verdict;
    record.flags = socket.flags & TOLD;
    record.send_base = socket.send_base;
    record.receive_base = socket.receive_base;
    record.family = sock.family();
    record.netns = sock.netns();
    record.comm = transmute!(comm());
    record.path_len = 0;
    if record.family == FAMILY_UNIX
        && let Some(unix) = sock.unix()
    {
        record.path_len = unix.name(record.path.as_mut_ptr());
        if record.path_len != 0 {
            record.flags |= CONNECTION_NAMED;
        } else if let Some(peer) = unix.peer().and_then(Sock::unix) {
            record.path_len = peer.name(record.path.as_mut_ptr());
        }
    } else {
        let (local, remote) = if record.family == FAMILY_INET {
            ([u64::from(sock.local_v4()), 0], [u64::from(sock.remote_v4()), 0])
        } else {
            (sock.local_v6(), sock.remote_v6())
        };
        record.local_address = transmute!(local);
        record.remote_address = transmute!(remote);
        record.local_port = sock.local_port();
        record.remote_port = sock.remote_port();
    }
}

/// Name of the current thread, zero-terminated.
#[inline(always)]
pub(crate) fn comm() -> [u64; 2] {
    let mut name = MaybeUninit::<[u64; 2]>::uninit();
    // SAFETY: the helper fills all 16 bytes, with zeros if it fails.
    unsafe {
        bpf_get_current_comm(name.as_mut_ptr().cast(), 16);
        name.assume_init()
    }
}
