//! Records of the ring buffer. Each starts with a [`Header`]; `kind` says which one follows.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Version of these layouts: recordings hold records as they are, and one of another version is not
/// read. To be raised with every change of a layout or of what a field means.
pub const VERSION: u32 = 3;

/// Most bytes of one operation that are copied, and so the longest message head that is seen whole.
pub const MAX_COPY: usize = 16 * 1024;
/// Bytes copied from the end of an operation whose beginning was not copied: enough for the
/// `\r\n0\r\n\r\n` that ends a chunked body, and for a few ordinary trailers within it.
pub const MAX_TAIL: usize = 128;

/// Bytes of a unix socket's name (`sockaddr_un.sun_path`).
pub const MAX_PATH: usize = 108;

/// Processes at a time whose threads are told of.
pub const MAX_SPEAKERS: u32 = 16_384;

/// [`Header::kind`]: an operation moved bytes; a [`Data`] with its bytes behind it.
pub const KIND_DATA: u32 = 1;
/// [`Header::kind`]: first sight of a connection, or a new verdict on it; a [`Connection`].
pub const KIND_CONNECTION: u32 = 2;
/// [`Header::kind`]: a connection changed state; a [`State`].
pub const KIND_STATE: u32 = 3;
/// [`Header::kind`]: a process started another program or ended; a [`Process`].
pub const KIND_PROCESS: u32 = 4;
/// [`Header::kind`]: a flow of execution did what no socket operation shows; a [`Course`].
pub const KIND_COURSE: u32 = 5;
/// [`Header::kind`]: what a connection that carries TLS has moved so far; a [`Traffic`].
pub const KIND_TRAFFIC: u32 = 6;

/// [`Data::flags`]: the operation sent; otherwise it received.
pub const DATA_SEND: u32 = 1;
/// [`Data::flags`]: the bytes could not be read: their page was not in memory.
pub const DATA_PAGE_FAULT: u32 = 1 << 1;
/// [`Data::flags`]: no user memory was found that holds the bytes: they came from or went to a file
/// or a pipe (sendfile, splice), were thrown away (`MSG_TRUNC`), or the call is of an unknown form.
pub const DATA_NO_BUFFER: u32 = 1 << 2;
/// [`Data::flags`]: either of these.
pub const DATA_UNREADABLE: u32 = DATA_PAGE_FAULT | DATA_NO_BUFFER;
/// [`Data::flags`]: a unix socket, which has no sequence numbers: `write_seq` and `copied_seq` are
/// the bases plus what the probes counted since either end was first seen.
pub const DATA_UNIX: u32 = 1 << 3;
/// [`Data::flags`]: plaintext of a TLS session on this connection, as the program gave it to its
/// library or got it. `write_seq` and `copied_seq` are the bases plus the session's plaintext bytes.
pub const DATA_TLS: u32 = 1 << 4;
/// [`Data::flags`]: the TLS session's plaintext was not seen from its beginning.
pub const DATA_MIDSTREAM: u32 = 1 << 5;
/// [`Data::flags`]: the bytes are TLS's own, of the record with which one side of the connection says
/// hello; the connection's other bytes are not told of.
pub const DATA_HELLO: u32 = 1 << 6;
/// [`Data::flags`]: one datagram of UDP. As of a unix socket, what moved is counted ([`DATA_UNIX`] is set,
/// too): the datagrams since the socket was first seen, of those that are told of.
pub const DATA_DATAGRAM: u32 = 1 << 7;

/// [`Connection::verdict`]: HTTP/1 was seen on it.
pub const VERDICT_HTTP: u32 = 1;
/// [`Connection::verdict`]: it carries something else; nothing more will be heard of it but its end.
pub const VERDICT_OTHER: u32 = 2;
/// [`Connection::verdict`]: it belongs to the tracer itself; only its identity is told.
pub const VERDICT_SELF: u32 = 3;
/// [`Connection::verdict`]: a unix socket that has not shown yet what it carries; another verdict may
/// follow.
pub const VERDICT_UNDECIDED: u32 = 4;
/// [`Connection::verdict`]: it carries TLS; both sides' hellos may follow ([`DATA_HELLO`]), and of its
/// plaintext what is HTTP ([`DATA_TLS`]).
pub const VERDICT_TLS: u32 = 5;

/// [`Connection::verdict`]: a protocol of a backing service was seen on it ([`crate::backing`]).
pub const VERDICT_BACKING: u32 = 6;

/// [`Connection::flags`]: this side called connect(2).
pub const CONNECTION_OPENER: u32 = 1;
/// [`Connection::flags`]: this side accepted the connection.
pub const CONNECTION_ACCEPTED: u32 = 1 << 1;
/// [`Connection::flags`]: bytes had moved before the first look, or (unix sockets) may have.
pub const CONNECTION_MIDSTREAM: u32 = 1 << 2;
/// [`Connection::flags`]: `path` is this side's own name; otherwise the other side's.
pub const CONNECTION_NAMED: u32 = 1 << 3;

/// [`Connection::flags`]: UDP. It is told of before every request; an address of 0 is not known.
pub const CONNECTION_DATAGRAM: u32 = 1 << 4;
/// [`Connection::flags`]: the operation that shows that it carries a backing service's protocol is the
/// first on it since operations are seen.
pub const CONNECTION_SILENT: u32 = 1 << 5;

/// [`State::state`]: connect(2) was called; `header` names the caller.
pub const STATE_CONNECTING: u32 = 1;
/// [`State::state`]: this side will send nothing more.
pub const STATE_SEND_CLOSED: u32 = 2;
/// [`State::state`]: the connection is gone. Of unix sockets, whose ends nothing tells, as far as the
/// other end notices it.
pub const STATE_CLOSED: u32 = 3;
/// [`State::state`]: plaintext of the TLS session on it is seen; what of that is HTTP follows.
pub const STATE_DECODED: u32 = 4;

/// [`Process::change`]: execve(2) succeeded.
pub const PROCESS_EXEC: u32 = 1;
/// [`Process::change`]: the process's first thread ended.
pub const PROCESS_EXIT: u32 = 2;

/// [`Flow::kind`]: nothing names the context.
pub const FLOW_UNNAMED: u32 = 0;
/// [`Flow::kind`]: `context` is a goroutine's number, `parent` that of the one that started it.
pub const FLOW_GOROUTINE: u32 = 1;
/// [`Flow::kind`]: `context` is the address of a Python context (`PyThreadState.context`), which
/// names a task or a greenlet while it lives.
pub const FLOW_PYTHON: u32 = 2;
/// [`Flow::kind`]: `context` names the JavaScript promise that settles when all is done that waits
/// for what the thread runs.
pub const FLOW_PROMISE: u32 = 3;
/// [`Flow::kind`]: `context` is the address of the tokio task that answers (it owns the connection), or
/// that waits for the answer. It names that while it lives; it may serve one request after the other.
pub const FLOW_TASK: u32 = 4;
/// [`Flow::kind`]: `context` names the Java future that completes when all is done that waits for
/// what the thread runs, or the thread that waits for that.
pub const FLOW_FUTURE: u32 = 5;
/// [`Flow::kind`]: `context` is the address of what stands for the client's connection (nginx's
/// `ngx_connection_t`) whose request is read or answered, or for which a call is made.
pub const FLOW_CONNECTION: u32 = 6;
/// Bit of a context of [`FLOW_FUTURE`]: it is a thread; the lower half is the kernel's number of it.
pub const FUTURE_THREAD: u64 = 1 << 62;
/// Both bits: it is a virtual thread; the others are Java's number of it.
pub const FUTURE_VIRTUAL: u64 = 1 << 61 | FUTURE_THREAD;

/// [`Course::change`]: the flow is about to ask for something on the connection `header.cookie`;
/// another one may write it.
pub const COURSE_ASKS: u32 = 1;
/// [`Course::change`]: `flow.context` begins, started by `flow.parent`, which began at `flow.origin`
/// (boot time; 0 if that is not known): by now another one may have its name. The cookie is 0.
pub const COURSE_BEGINS: u32 = 2;

/// [`Course::change`]: the thread `header.tid` starts another one of its process; the cookie is 0.
pub const COURSE_SPAWNS: u32 = 3;
/// [`Course::change`]: the thread `header.tid`, which is not the process's first, ends; the cookie is
/// 0.
pub const COURSE_ENDS: u32 = 4;
/// [`Course::change`]: whatever the flow writes, it writes for the one that started it; the cookie is 0.
pub const COURSE_WRITES: u32 = 5;
/// [`Course::change`]: the flow has asked for what `subject` stands for, a stream of the connection
/// `header.cookie`; another one may write it, or have written it.
pub const COURSE_CALLS: u32 = 6;
/// [`Course::change`]: the flow answers what `subject` stands for, a stream of the connection
/// `header.cookie`; what it answered before, it is done with.
pub const COURSE_SERVES: u32 = 7;
/// [`Course::change`]: the flow runs, which may do nothing else that is told; the cookie is 0.
pub const COURSE_RUNS: u32 = 8;

/// `AF_UNIX`, as in [`Connection::family`].
pub const FAMILY_UNIX: u16 = 1;
/// `AF_INET`, as in [`Connection::family`].
pub const FAMILY_INET: u16 = 2;
/// `AF_INET6`, as in [`Connection::family`].
pub const FAMILY_INET6: u16 = 10;

/// What every record starts with.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
pub struct Header {
    /// One of `KIND_*`.
    pub kind: u32,
    /// Process (thread group) of the task that acted; in a [`State`] that a packet caused, of
    /// whoever the packet interrupted.
    pub pid: u32,
    /// Its thread.
    pub tid: u32,
    /// Which processor wrote the record.
    pub cpu: u32,
    /// Nanoseconds of `CLOCK_BOOTTIME`.
    pub time: u64,
    /// The socket's cookie, unique until the next boot; 0 where no socket is meant.
    pub cookie: u64,
}

/// The flow of execution that acted: which of the many that share a thread, and on whose behalf.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable,
)]
pub struct Flow {
    /// What names it in its process; 0 if nothing does.
    pub context: u64,
    /// The context that started it; 0 if that is not known.
    pub parent: u64,
    /// Boot time of the receive of the request for which another thread handed on the work that this
    /// one does; 0 if that is not known, or `context` or `parent` tells it.
    pub origin: u64,
    /// One of `FLOW_*`.
    pub kind: u32,
    /// How often the thread has gone to sleep (`task_struct.nvcsw`), modulo 2^32.
    pub sleeps: u32,
    /// From how many threads to how many next ones it went since `origin`.
    pub hops: u32,
    /// Always 0.
    pub reserved: u32,
}

/// One completed send or receive. `head_len` bytes from its beginning follow, then `tail_len`
/// bytes from its end.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
pub struct Data {
    /// `kind` is [`KIND_DATA`].
    pub header: Header,
    /// `DATA_*` bits.
    pub flags: u32,
    /// Bytes moved; a receive of 0 bytes is the peer's end of stream.
    pub len: u32,
    /// Bytes copied from the beginning.
    pub head_len: u32,
    /// Bytes copied from the end, never overlapping the head.
    pub tail_len: u32,
    /// `tcp_sock.write_seq` after the operation.
    pub write_seq: u32,
    /// `tcp_sock.copied_seq` after the operation.
    pub copied_seq: u32,
    /// `snd_una - bytes_acked` at first sight: where the sent stream's sequence numbers begin. Of a
    /// unix socket, a number made of its cookie and the boot's seed.
    pub send_base: u32,
    /// `rcv_nxt - bytes_received` at first sight. Of a unix socket, its peer's `send_base`.
    pub receive_base: u32,
    /// Who moved them.
    pub flow: Flow,
}

/// First sight of a connection, or a new verdict on it.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
pub struct Connection {
    /// `kind` is [`KIND_CONNECTION`].
    pub header: Header,
    /// One of `VERDICT_*`.
    pub verdict: u32,
    /// `CONNECTION_*` bits.
    pub flags: u32,
    /// As in [`Data`].
    pub send_base: u32,
    /// As in [`Data`].
    pub receive_base: u32,
    /// This side's address as it sees it: 4 bytes for IPv4, 16 for IPv6.
    pub local_address: [u8; 16],
    /// The other side's.
    pub remote_address: [u8; 16],
    /// Host byte order.
    pub local_port: u16,
    /// Host byte order.
    pub remote_port: u16,
    /// `FAMILY_*`.
    pub family: u16,
    /// Always 0.
    pub reserved: u16,
    /// Inode number of the socket's network namespace.
    pub netns: u32,
    /// Always 0.
    pub reserved2: u32,
    /// Name of the thread that acted, zero-terminated.
    pub comm: [u8; 16],
    /// Bytes of `path`; 0 where neither end of a unix socket has a name, and for other families.
    pub path_len: u32,
    /// What a unix socket is bound to (`sockaddr_un.sun_path`; unix(7)): a path, which may be
    /// zero-terminated, or after a zero byte an abstract name.
    pub path: [u8; MAX_PATH],
}

/// A connection changed state.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
pub struct State {
    /// `kind` is [`KIND_STATE`].
    pub header: Header,
    /// One of `STATE_*`.
    pub state: u32,
    /// As in [`Data`], so that what was received unseen until now is known; 0 in
    /// [`STATE_CONNECTING`].
    pub copied_seq: u32,
    /// The same.
    pub receive_base: u32,
    /// Always 0.
    pub reserved: u32,
    /// In [`STATE_CONNECTING`], who called; otherwise zero.
    pub flow: Flow,
}

/// Bytes of a connection that carries TLS, since it was first seen. Told before a [`State`] that ends a
/// direction or both.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
pub struct Traffic {
    /// `kind` is [`KIND_TRAFFIC`].
    pub header: Header,
    /// Sent, ciphertext and all that goes with it.
    pub sent: u64,
    /// The same, received.
    pub received: u64,
}

/// A process started another program, or ended.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
pub struct Process {
    /// `kind` is [`KIND_PROCESS`]; the cookie is 0.
    pub header: Header,
    /// One of `PROCESS_*`.
    pub change: u32,
    /// Always 0.
    pub reserved: u32,
    /// Name of the thread, zero-terminated: after an exec that of the program's file.
    pub comm: [u8; 16],
}

/// What a flow of execution did besides socket operations.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
pub struct Course {
    /// `kind` is [`KIND_COURSE`].
    pub header: Header,
    /// One of `COURSE_*`.
    pub change: u32,
    /// The thread that is started, or the stream that is meant; else 0.
    pub subject: u32,
    /// Which one.
    pub flow: Flow,
}

const _: () = {
    assert!(size_of::<Header>() == 32);
    assert!(size_of::<Flow>() == 40);
    assert!(size_of::<Data>() == 104);
    assert!(size_of::<Connection>() == 224);
    assert!(size_of::<State>() == 88);
    assert!(size_of::<Course>() == 80);
    assert!(size_of::<Process>() == 56);
    assert!(size_of::<Traffic>() == 48);
};

#[cfg(test)]
mod tests {
    use super::{Connection, Data, Header, KIND_DATA};
    use zerocopy::{FromBytes, FromZeros, IntoBytes};

    #[test]
    fn data_survives_the_ring() {
        let mut data = Data::new_zeroed();
        data.header = Header { kind: KIND_DATA, pid: 1, tid: 2, cpu: 3, time: 4, cookie: 5 };
        data.len = 6;
        data.receive_base = 7;
        let bytes = data.as_bytes();
        assert_eq!(bytes[..4], KIND_DATA.to_le_bytes());
        assert_eq!(bytes[60..64], 7u32.to_le_bytes());
        let (back, rest) = Data::read_from_prefix(bytes).unwrap();
        assert_eq!((back.header.cookie, back.len), (5, 6));
        assert!(rest.is_empty());
    }

    #[test]
    fn a_short_record_is_refused() {
        assert!(Connection::read_from_prefix(&[0u8; 20]).is_err());
    }
}
