//! Writes the ring records that the kernel would, for hosts, processes and connections that exist
//! on paper only. Time passes because a line of the script says so.

mod flows;
mod tls;

use std::collections::{HashMap, VecDeque};

use tracer_common::record::{
    self, CONNECTION_ACCEPTED, CONNECTION_DATAGRAM, CONNECTION_MIDSTREAM, CONNECTION_NAMED,
    CONNECTION_OPENER, CONNECTION_SILENT, DATA_DATAGRAM, DATA_HELLO, DATA_NO_BUFFER, DATA_SEND,
    DATA_TLS, DATA_UNIX, DATA_UNREADABLE, FAMILY_INET, FAMILY_UNIX, Flow, Header, KIND_CONNECTION,
    KIND_DATA, KIND_PROCESS, KIND_STATE, PROCESS_EXEC, PROCESS_EXIT, STATE_CLOSED,
    STATE_CONNECTING, STATE_DECODED, STATE_SEND_CLOSED, VERDICT_HTTP,
};
use zerocopy::{FromZeros, IntoBytes};

pub(crate) const MICROSECOND: u64 = 1_000;
pub(crate) const SECOND: u64 = 1_000_000_000;

/// A thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) pid: u32,
    pub(crate) tid: u32,
}

/// The first thread of a process.
pub(crate) fn task(pid: u32) -> Task {
    Task { pid, tid: pid }
}

/// A connection, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wire(usize);

/// The end that called connect(2), or the one that accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Opener,
    Acceptor,
}

/// One end of a connection as its kernel sees it.
#[derive(Clone)]
struct Half {
    seen: bool,
    announced: bool,
    flags: u32,
    verdict: u32,
    cookie: u64,
    user: u32,
    address: [u8; 4],
    port: u16,
    /// `snd_una - bytes_acked` and `rcv_nxt - bytes_received`.
    bases: (u32, u32),
    /// `write_seq` and `copied_seq`.
    sequences: (u32, u32),
    /// Plaintext of TLS that it has sent and received.
    plain: (u32, u32),
}

struct Line {
    halves: [Half; 2],
    unix: bool,
    datagrams: bool,
    /// Bytes under way, by the end that sent them.
    flight: [VecDeque<u8>; 2],
}

/// A send whose bytes are on their way and whose system call has not returned.
pub(crate) struct Pending {
    by: Task,
    wire: Wire,
    end: End,
    bytes: Vec<u8>,
}

/// One ring record.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) pid: u32,
    pub(crate) time: u64,
    pub(crate) bytes: Vec<u8>,
}

/// What happened, in the order in which the ring buffer has it.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) now: u64,
    pub(crate) records: Vec<Record>,
    lines: Vec<Line>,
    /// What each thread runs.
    flows: HashMap<u32, Flow>,
    /// When each context of a process began.
    begun: HashMap<(u32, u64), u64>,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self { now: 1000 * SECOND, ..Self::default() }
    }

    /// When what is done next will have been done.
    pub(crate) fn next(&self) -> u64 {
        self.now + 10 * MICROSECOND
    }

    /// Time passes.
    pub(crate) fn wait(&mut self, nanoseconds: u64) {
        self.now += nanoseconds;
    }

    /// Opens a connection to a port of this host.
    pub(crate) fn connect(&mut self, by: Task, port: u16) -> Wire {
        let wire = self.line(port, (0, 0), (true, true), (CONNECTION_OPENER, CONNECTION_ACCEPTED));
        self.state(by, wire, End::Opener, STATE_CONNECTING);
        wire
    }

    /// Opens a connection to a port of another host.
    pub(crate) fn abroad(&mut self, by: Task, port: u16) -> Wire {
        let wire = self.line(port, (0, 0), (true, false), (CONNECTION_OPENER, 0));
        self.state(by, wire, End::Opener, STATE_CONNECTING);
        wire
    }

    /// A connection that someone on another host opens.
    pub(crate) fn outsider(&mut self, port: u16) -> Wire {
        self.line(port, (0, 0), (false, true), (0, CONNECTION_ACCEPTED))
    }

    /// A connection from before the tracer, on which this many bytes had been sent by the opener
    /// and by the acceptor.
    pub(crate) fn opened_before(&mut self, port: u16, moved: (u32, u32)) -> Wire {
        let flags = (CONNECTION_MIDSTREAM, CONNECTION_MIDSTREAM);
        self.line(port, moved, (true, true), flags)
    }

    fn line(
        &mut self,
        port: u16,
        moved: (u32, u32),
        seen: (bool, bool),
        flags: (u32, u32),
    ) -> Wire {
        let number = self.lines.len() as u32;
        // Initial sequence numbers; some connections cross the 32-bit border at once.
        let ours = number.wrapping_mul(0x9e37_79b9).wrapping_sub(40);
        let theirs = number.wrapping_mul(0x85eb_ca6b).wrapping_add(0x1234_5678);
        let half = |opener: bool| {
            let (sends, receives) = if opener { (ours, theirs) } else { (theirs, ours) };
            let (sent, read) = if opener { moved } else { (moved.1, moved.0) };
            // The opener's SYN counts as acknowledged, so its base is the SYN itself.
            let base = if opener { sends } else { sends.wrapping_add(1) };
            let port_of_opener = 32_768 + (number % 28_000) as u16;
            Half {
                seen: if opener { seen.0 } else { seen.1 },
                announced: false,
                flags: if opener { flags.0 } else { flags.1 },
                verdict: VERDICT_HTTP,
                cookie: 2 * u64::from(number) + 1 + u64::from(opener),
                user: 0,
                address: if opener { [10, 0, (number / 28_000) as u8, 2] } else { [10, 1, 0, 1] },
                port: if opener { port_of_opener } else { port },
                bases: (base, receives.wrapping_add(1)),
                sequences: (
                    sends.wrapping_add(1).wrapping_add(sent),
                    receives.wrapping_add(1).wrapping_add(read),
                ),
                plain: (0, 0),
            }
        };
        let halves = [half(true), half(false)];
        self.lines.push(Line { halves, unix: false, datagrams: false, flight: Default::default() });
        Wire(self.lines.len() - 1)
    }

    /// A connection to a unix socket of this host. The acceptor had already been sent `in_flight`
    /// bytes when the probes began to count.
    pub(crate) fn unix(&mut self, in_flight: u32) -> Wire {
        let flags = (CONNECTION_MIDSTREAM, CONNECTION_MIDSTREAM | CONNECTION_NAMED);
        let wire = self.line(0, (0, 0), (true, true), flags);
        let line = &mut self.lines[wire.0];
        line.unix = true;
        let [opener, acceptor] = &mut line.halves;
        let bases = (opener.cookie as u32, acceptor.cookie as u32);
        (opener.bases, opener.sequences) = (bases, bases);
        let bases = (bases.1, bases.0);
        (acceptor.bases, acceptor.sequences) = (bases, bases);
        acceptor.sequences.1 += in_flight;
        wire
    }

    /// A socket of UDP, connected to a port of another host.
    pub(crate) fn datagrams(&mut self, port: u16) -> Wire {
        let wire = self.line(port, (0, 0), (true, false), (CONNECTION_DATAGRAM, 0));
        let line = &mut self.lines[wire.0];
        line.datagrams = true;
        let [opener, _] = &mut line.halves;
        (opener.bases, opener.sequences) = ((7, 9), (7, 9));
        wire
    }

    /// What one end is found to carry when it is first used.
    pub(crate) fn judge(&mut self, wire: Wire, end: End, verdict: u32) {
        self.half(wire, end).verdict = verdict;
    }

    /// The opener's end: nothing moved on it between when operations began to be seen and the next one.
    pub(crate) fn silent(&mut self, wire: Wire) {
        self.half(wire, End::Opener).flags |= CONNECTION_SILENT;
    }

    /// Addresses of one end as it sees them, its own first.
    pub(crate) fn ends(&mut self, wire: Wire, end: End) -> tracer_user::pipeline::Ends {
        let of = |half: &Half| (half.address.into(), half.port);
        let [opener, acceptor] = &self.lines[wire.0].halves;
        match end {
            End::Opener => (of(opener), of(acceptor)),
            End::Acceptor => (of(acceptor), of(opener)),
        }
    }

    /// Sends in one system call.
    pub(crate) fn send(&mut self, by: Task, wire: Wire, end: End, bytes: &[u8]) {
        let pending = self.send_slowly(by, wire, end, bytes);
        self.complete(pending);
    }

    /// Sends, but the system call does not return before [`Script::complete`].
    pub(crate) fn send_slowly(&mut self, by: Task, wire: Wire, end: End, bytes: &[u8]) -> Pending {
        self.lines[wire.0].flight[end as usize].extend(bytes);
        let half = self.half(wire, end);
        half.sequences.0 = half.sequences.0.wrapping_add(bytes.len() as u32);
        Pending { by, wire, end, bytes: bytes.to_vec() }
    }

    pub(crate) fn complete(&mut self, Pending { by, wire, end, bytes }: Pending) {
        self.data(by, wire, end, DATA_SEND, &bytes);
    }

    /// Receives all that is under way.
    pub(crate) fn receive(&mut self, by: Task, wire: Wire, end: End) {
        let from = 1 - end as usize;
        let bytes: Vec<u8> = self.lines[wire.0].flight[from].drain(..).collect();
        assert!(!bytes.is_empty(), "nothing to receive");
        let half = self.half(wire, end);
        half.sequences.1 = half.sequences.1.wrapping_add(bytes.len() as u32);
        self.data(by, wire, end, 0, &bytes);
    }

    /// Both ends close; each side's kernel says so.
    pub(crate) fn close(&mut self, wire: Wire) {
        for end in [End::Opener, End::Acceptor] {
            self.close_end(wire, end);
        }
    }

    /// One end is closed by whoever used it last, and is gone.
    pub(crate) fn close_end(&mut self, wire: Wire, end: End) {
        self.close_sending(wire, end);
        self.gone(wire, end);
    }

    /// shutdown(2) of what one end sends; its FIN takes a sequence number.
    pub(crate) fn close_sending(&mut self, wire: Wire, end: End) {
        let by = task(self.half(wire, end).user);
        self.state(by, wire, end, STATE_SEND_CLOSED);
        let half = self.half(wire, end);
        half.sequences.0 = half.sequences.0.wrapping_add(1);
    }

    /// A packet of the peer's ends one end; what it has received stays.
    pub(crate) fn gone(&mut self, wire: Wire, end: End) {
        let by = task(self.half(wire, end).user);
        self.state(by, wire, end, STATE_CLOSED);
    }

    /// Sends from a file: the bytes are in nobody's memory.
    pub(crate) fn sendfile(&mut self, by: Task, wire: Wire, end: End, bytes: &[u8]) {
        let Pending { bytes, .. } = self.send_slowly(by, wire, end, bytes);
        self.data(by, wire, end, DATA_SEND | DATA_NO_BUFFER, &bytes);
    }

    /// Receives so many bytes into a pipe: no probe sees that.
    pub(crate) fn splice(&mut self, wire: Wire, end: End, count: usize) {
        self.lines[wire.0].flight[1 - end as usize].drain(..count);
        let half = self.half(wire, end);
        half.sequences.1 = half.sequences.1.wrapping_add(count as u32);
    }

    /// Reads the end of the stream.
    pub(crate) fn receive_end(&mut self, by: Task, wire: Wire, end: End) {
        let half = self.half(wire, end);
        half.sequences.1 = half.sequences.1.wrapping_add(1);
        self.data(by, wire, end, 0, b"");
    }

    /// Receives the first bytes of what is under way.
    pub(crate) fn receive_some(&mut self, by: Task, wire: Wire, end: End, count: usize) {
        let bytes: Vec<u8> = self.lines[wire.0].flight[1 - end as usize].drain(..count).collect();
        let half = self.half(wire, end);
        half.sequences.1 = half.sequences.1.wrapping_add(count as u32);
        self.data(by, wire, end, 0, &bytes);
    }

    pub(crate) fn exit(&mut self, pid: u32) {
        self.change(pid, PROCESS_EXIT);
    }

    pub(crate) fn exec(&mut self, pid: u32) {
        self.change(pid, PROCESS_EXEC);
    }

    fn change(&mut self, pid: u32, change: u32) {
        let mut record = record::Process::new_zeroed();
        record.header = self.header(KIND_PROCESS, task(pid), 0);
        record.change = change;
        self.push(pid, record.as_bytes().to_vec());
    }

    /// The first look at a connection, without a byte of data.
    pub(crate) fn announce(&mut self, by: Task, wire: Wire, end: End) {
        let cookie = self.half(wire, end).cookie;
        let header = self.header(KIND_CONNECTION, by, cookie);
        let other = match end {
            End::Opener => self.half(wire, End::Acceptor).clone(),
            End::Acceptor => self.half(wire, End::Opener).clone(),
        };
        let unix = self.lines[wire.0].unix;
        let half = self.half(wire, end);
        half.user = by.pid;
        if !half.seen || std::mem::replace(&mut half.announced, true) {
            return;
        }
        let mut record = record::Connection::new_zeroed();
        record.header = header;
        (record.verdict, record.flags) = (half.verdict, half.flags);
        (record.send_base, record.receive_base) = half.bases;
        if unix {
            record.family = FAMILY_UNIX;
            record.path_len = 7;
            record.path[..7].copy_from_slice(b"/a.sock");
        } else {
            record.family = FAMILY_INET;
            record.local_address[..4].copy_from_slice(&half.address);
            record.remote_address[..4].copy_from_slice(&other.address);
            (record.local_port, record.remote_port) = (half.port, other.port);
        }
        record.netns = 1;
        record.comm[..4].copy_from_slice(b"task");
        self.push(by.pid, record.as_bytes().to_vec());
    }

    fn data(&mut self, by: Task, wire: Wire, end: End, flags: u32, bytes: &[u8]) {
        let cookie = self.half(wire, end).cookie;
        // The kernel side reads the clock for the operation before it announces the connection.
        let header = self.header(KIND_DATA, by, cookie);
        let Line { unix, datagrams, .. } = self.lines[wire.0];
        if datagrams && flags & DATA_SEND != 0 {
            self.half(wire, end).announced = false;
        }
        self.announce(by, wire, end);
        let flags = if unix || datagrams { flags | DATA_UNIX } else { flags };
        let flags = if datagrams { flags | DATA_DATAGRAM } else { flags };
        let flow = self.flow(by);
        let half = self.half(wire, end);
        let told = half.verdict == VERDICT_HTTP || flags & (DATA_HELLO | DATA_TLS) != 0;
        if !half.seen || !told {
            return;
        }
        let mut record = record::Data::new_zeroed();
        record.header = header;
        record.flow = flow;
        record.flags = flags;
        record.len = bytes.len() as u32;
        record.head_len = if flags & DATA_UNREADABLE == 0 { record.len } else { 0 };
        (record.write_seq, record.copied_seq) = half.sequences;
        (record.send_base, record.receive_base) = half.bases;
        if flags & DATA_TLS != 0 {
            record.write_seq = half.bases.0.wrapping_add(half.plain.0);
            record.copied_seq = half.bases.1.wrapping_add(half.plain.1);
        }
        let bytes = [record.as_bytes(), &bytes[..record.head_len as usize]].concat();
        self.push(by.pid, bytes);
    }

    fn state(&mut self, by: Task, wire: Wire, end: End, state: u32) {
        let cookie = self.half(wire, end).cookie;
        let header = self.header(KIND_STATE, by, cookie);
        let flow = self.flow(by);
        let half = self.half(wire, end);
        if half.seen && (half.announced || state == STATE_CONNECTING) {
            let mut record = record::State::new_zeroed();
            (record.header, record.state) = (header, state);
            if state == STATE_CONNECTING {
                record.flow = flow;
            }
            if !matches!(state, STATE_CONNECTING | STATE_DECODED) {
                (record.copied_seq, record.receive_base) = (half.sequences.1, half.bases.1);
            }
            self.push(by.pid, record.as_bytes().to_vec());
        }
    }

    fn push(&mut self, pid: u32, bytes: Vec<u8>) {
        self.records.push(Record { pid, time: self.now, bytes });
    }

    fn half(&mut self, wire: Wire, end: End) -> &mut Half {
        &mut self.lines[wire.0].halves[end as usize]
    }

    /// Whatever is done takes ten microseconds.
    fn header(&mut self, kind: u32, by: Task, cookie: u64) -> Header {
        self.now = self.next();
        Header { kind, pid: by.pid, tid: by.tid, cpu: by.tid % 2, time: self.now, cookie }
    }
}
