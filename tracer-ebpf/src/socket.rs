//! What is remembered of each socket, in storage that the kernel frees with the socket.

use core::ffi::c_void;

use aya_ebpf::{
    bindings::BPF_SK_STORAGE_GET_F_CREATE,
    btf_maps::SkStorage,
    helpers::generated::bpf_sk_storage_get,
    macros::{btf_map, map},
    maps::{Array, HashMap},
};
use tracer_common::{
    counter::Counter,
    filter::{MAX_PORTS, MAX_PROCESSES, PORT_SKIP, PORT_TRACE, SELF, SKIP, TRACE},
    follow::Frames,
    record::{CONNECTION_DATAGRAM, CONNECTION_MIDSTREAM, FAMILY_INET, FAMILY_INET6, FAMILY_UNIX},
    tls::MAX_HELLO,
};

use crate::{
    call::Batch,
    kernel::{Sock, TcpSock, UnixSock, choices},
    operation::Direction,
    verdict::{Stop, count},
};

#[btf_map]
static SOCKETS: SkStorage<Socket> = SkStorage::new();

/// Process -> `filter::{TRACE, SKIP, SELF}`.
#[map]
static PROCESSES: HashMap<u32, u32> = HashMap::with_max_entries(MAX_PROCESSES, 0);

/// Port -> `filter::{PORT_TRACE, PORT_SKIP}`.
#[map]
static PORTS: HashMap<u32, u32> = HashMap::with_max_entries(MAX_PORTS, 0);

/// One number that user space raises with every change of [`PROCESSES`].
#[map]
static GENERATION: Array<u32> = Array::with_max_entries(1, 0);

/// [`Socket::class`]: it has not shown yet what it carries.
pub(crate) const UNKNOWN: u32 = 0;
/// [`Socket::class`]: HTTP/1.
pub(crate) const HTTP: u32 = 1;
/// [`Socket::class`]: anything else, for good.
pub(crate) const OTHER: u32 = 2;
/// [`Socket::class`]: a port filter leaves it out, for good.
pub(crate) const FILTERED: u32 = 3;

/// [`Socket::class`]: HTTP/2.
pub(crate) const HTTP2: u32 = 4;
/// [`Socket::class`]: TLS. Its plaintext is looked at where the program's library has it.
pub(crate) const TLS: u32 = 5;
/// [`Socket::class`]: HTTP/1 has ended on it; it goes on as something else, which may be WebSocket.
pub(crate) const UPGRADED: u32 = 6;
/// [`Socket::class`]: a protocol of a backing service.
pub(crate) const BACKING: u32 = 7;

/// [`Socket::flags`], beside `CONNECTION_*`: user space knows its addresses.
pub(crate) const ANNOUNCED: u32 = 1 << 8;
/// [`Socket::flags`]: a CONNECT request has passed; a 2xx response makes it a tunnel.
pub(crate) const CONNECT_PENDING: u32 = 1 << 9;
/// [`Socket::flags`]: the bases are set.
pub(crate) const BASED: u32 = 1 << 10;

/// [`Socket::flags`]: user space knows of it, and that it is undecided.
pub(crate) const UNDECIDED: u32 = 1 << 11;
/// [`Socket::flags`]: user space knows that it is closed.
pub(crate) const GONE: u32 = 1 << 12;
/// [`Socket::flags`]: it is known which TLS session it carries, or given up.
pub(crate) const SETTLED: u32 = 1 << 14;

/// [`Socket::flags`]: what it carries since HTTP/1 has ended looks like WebSocket.
pub(crate) const TALKS: u32 = 1 << 13;

/// [`Socket::flags`]: of a backing service, the side that answers.
pub(crate) const SERVES: u32 = 1 << 15;

const PROTOCOL_TCP: u16 = 6;
const PROTOCOL_UDP: u16 = 17;
const SOCK_STREAM: u16 = 1;

/// Two operations on one socket (a send and a receive) can run at the same time on two processors
/// and both write here; a lost update costs a superfluous or a missing copy, never more. The two
/// counts of bytes have one writer each, unless a program sends on one unix socket from two threads
/// at the same instant: then its two ends may no longer be paired.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Socket {
    pub(crate) class: u32,
    pub(crate) flags: u32,
    pub(crate) send_base: u32,
    pub(crate) receive_base: u32,
    /// Operations looked at while the class is unknown.
    pub(crate) looks: u32,
    /// Direction of the latest operation, plus one.
    pub(crate) run: u32,
    /// Bytes that may still be copied before the direction changes or a head begins.
    pub(crate) budget: u32,
    /// Process that `verdict` is about.
    pid: u32,
    /// [`GENERATION`] when `verdict` was taken.
    generation: u32,
    verdict: u32,
    /// Of a unix socket: bytes sent and received since either end was first seen. Of one that carries
    /// TLS, or datagrams: since it was first seen.
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Of a runtime that tells: the task that last waited for it, when something was sent on it.
    pub(crate) owner: u64,
    /// Of one that carries TLS, by direction: bytes of its first record that are still to be told,
    /// plus one; 0 before the first.
    hello: [u32; 2],
    batches: [Batch; 2],
    /// Of HTTP/2, what it has received and sent.
    frames: [Frames; 2],
}

impl Sock {
    /// TCP over IP: only then is there a `tcp_sock` behind it. MPTCP has a number of its own.
    #[inline(always)]
    pub(crate) fn is_tcp(self) -> bool {
        self.protocol() == PROTOCOL_TCP && matches!(self.family(), FAMILY_INET | FAMILY_INET6)
    }

    /// UDP over IP.
    #[inline(always)]
    pub(crate) fn is_udp(self) -> bool {
        self.protocol() == PROTOCOL_UDP && matches!(self.family(), FAMILY_INET | FAMILY_INET6)
    }

    /// A stream over a unix socket.
    #[inline(always)]
    pub(crate) fn is_unix(self) -> bool {
        self.family() == FAMILY_UNIX && self.kind() == SOCK_STREAM
    }

    #[inline(always)]
    pub(crate) fn find(self) -> Option<&'static mut Socket> {
        self.storage(0)
    }

    #[inline(always)]
    pub(crate) fn find_or_create(self) -> Result<&'static mut Socket, Stop> {
        // Where another processor creates it at the same time (for its peer), this one fails.
        self.storage(u64::from(BPF_SK_STORAGE_GET_F_CREATE))
            .or_else(|| self.find())
            .ok_or(Stop::Counted(Counter::NoStorage))
    }

    #[inline(always)]
    fn storage(self, flags: u64) -> Option<&'static mut Socket> {
        // SAFETY: the verifier checks that the socket is trusted; the kernel keeps the storage as
        // long as this program can run.
        unsafe {
            bpf_sk_storage_get(
                core::ptr::from_ref(&SOCKETS) as *mut c_void,
                self.0 as *mut c_void,
                core::ptr::null_mut(),
                flags,
            )
            .cast::<Socket>()
            .as_mut()
        }
    }

    /// First sight of a socket by an operation: decides by port whether it is traced at all.
    #[inline(always)]
    pub(crate) fn admit(self, socket: &mut Socket) -> Result<(), Stop> {
        if choices().ports_matter != 0 {
            let local = port_choice(self.local_port());
            let remote = port_choice(self.remote_port());
            let skip = local == PORT_SKIP || remote == PORT_SKIP;
            let named = local == PORT_TRACE || remote == PORT_TRACE;
            if skip || (choices().only_named_ports != 0 && !named) {
                socket.class = FILTERED;
                return Err(Stop::Counted(Counter::Filtered));
            }
        }
        Ok(())
    }
}

impl Socket {
    /// It carries HTTP.
    #[inline(always)]
    pub(crate) fn is_http(&self) -> bool {
        matches!(self.class, HTTP | HTTP2 | UPGRADED)
    }

    /// It carries what user space decodes.
    #[inline(always)]
    pub(crate) fn is_decoded(&self) -> bool {
        self.is_http() || self.class == BACKING
    }

    /// Reads where the sequence numbers began, once.
    #[inline(always)]
    pub(crate) fn set_bases(&mut self, tcp: TcpSock) {
        if self.flags & BASED != 0 {
            return;
        }
        let bases = tcp.bases();
        self.send_base = bases.send;
        self.receive_base = bases.receive;
        self.flags |= BASED;
    }

    #[inline(always)]
    pub(crate) fn is_based(&self) -> bool {
        self.flags & BASED != 0
    }

    /// Gives a unix socket's streams their bases: numbers that both ends can name, and that no
    /// other boot or host has.
    #[inline(always)]
    pub(crate) fn set_unix_bases(&mut self, sock: Sock, unix: UnixSock) {
        self.send_base = base(sock);
        self.receive_base = unix.peer().map_or(0, base);
        // Nothing tells whether bytes had moved before.
        self.flags |= BASED | CONNECTION_MIDSTREAM;
    }

    /// Gives the two directions of a socket of UDP bases, which no other socket of any host and boot has.
    #[inline(always)]
    pub(crate) fn set_datagram_bases(&mut self, sock: Sock) {
        let name = spread(sock);
        self.send_base = (name >> 32) as u32;
        self.receive_base = name as u32;
        self.flags |= BASED | CONNECTION_DATAGRAM;
    }

    /// Counts what has been moved.
    #[inline(always)]
    pub(crate) fn count_bytes(&mut self, direction: Direction, len: u32) {
        match direction {
            Direction::Send => self.sent = self.sent.wrapping_add(len.into()),
            Direction::Receive => self.received = self.received.wrapping_add(len.into()),
        }
    }

    /// Nothing is left to be told of how one side of TLS began.
    #[inline(always)]
    pub(crate) fn said_hello(&self, direction: Direction) -> bool {
        self.hello[(direction == Direction::Send) as usize] == 1
    }

    /// How many bytes of an operation, from its first one on, belong to the record with which one side
    /// of TLS begins; `first`: how long that is if it begins here, up to what is told of it.
    #[inline(always)]
    pub(crate) fn hello(&mut self, direction: Direction, first: u32, len: u32) -> u32 {
        let state = &mut self.hello[(direction == Direction::Send) as usize];
        let left = match *state {
            0 => first.min(MAX_HELLO),
            more => more - 1,
        };
        let here = left.min(len);
        *state = 1 + left - here;
        here
    }

    /// What it has sent so far, modulo 2^32.
    #[inline(always)]
    pub(crate) fn sent(&self) -> u32 {
        self.sent as u32
    }

    /// What it has received so far, modulo 2^32.
    #[inline(always)]
    pub(crate) fn received(&self) -> u32 {
        self.received as u32
    }

    #[inline(always)]
    pub(crate) fn frames(&mut self, direction: Direction) -> &mut Frames {
        &mut self.frames[(direction == Direction::Send) as usize]
    }

    #[inline(always)]
    pub(crate) fn batch(&mut self, direction: Direction) -> &mut Batch {
        &mut self.batches[(direction == Direction::Send) as usize]
    }

    /// Notes whether bytes had moved before this operation of `len` bytes: the opener's own SYN
    /// counts as one.
    #[inline(always)]
    pub(crate) fn note_midstream(&mut self, tcp: TcpSock, len: u32) {
        let sent = tcp.write_seq().wrapping_sub(self.send_base);
        let received = tcp.copied_seq().wrapping_sub(self.receive_base);
        if sent.wrapping_add(received).wrapping_sub(len) > 1 {
            self.flags |= CONNECTION_MIDSTREAM;
        }
    }

    /// `filter::{TRACE, SKIP, SELF}` for the process that uses the socket now.
    #[inline(always)]
    pub(crate) fn process_verdict(&mut self, pid: u32) -> u32 {
        let generation = GENERATION.get(0).copied().unwrap_or(0);
        if self.pid == pid && self.generation == generation && self.verdict != 0 {
            return self.verdict;
        }
        // SAFETY: a value is read once; user space replaces it as a whole.
        let verdict = match unsafe { PROCESSES.get(pid) } {
            Some(&verdict @ (TRACE | SELF)) => verdict,
            Some(_) => SKIP,
            None => TRACE,
        };
        self.pid = pid;
        self.generation = generation;
        self.verdict = verdict;
        if verdict == SKIP {
            count(Counter::Filtered);
        }
        verdict
    }
}

/// A number for one end of a unix connection: the upper half of a multiplication by the golden
/// ratio, which depends on every bit of the cookie and the seed.
#[inline(always)]
fn base(sock: Sock) -> u32 {
    (spread(sock) >> 32) as u32
}

/// All of it: no other socket of this boot has the same.
#[inline(always)]
fn spread(sock: Sock) -> u64 {
    (sock.cookie() ^ choices().seed).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[inline(always)]
fn port_choice(port: u16) -> u32 {
    // SAFETY: the map does not change after loading.
    unsafe { PORTS.get(u32::from(port)) }.copied().unwrap_or(0)
}
