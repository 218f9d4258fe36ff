//! Where the running kernel keeps what the probes read. User space takes the numbers from the
//! kernel's BTF and sets them before the programs are verified, so that they are constants there.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Byte offsets into kernel structures. `sock_common` is the beginning of `sock`, and `sock` the
/// beginning of `tcp_sock`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
pub struct Offsets {
    /// `sock_common.skc_family`, u16.
    pub family: u32,
    /// `sock_common.skc_num`, u16, host byte order.
    pub local_port: u32,
    /// `sock_common.skc_dport`, u16, network byte order.
    pub remote_port: u32,
    /// `sock_common.skc_rcv_saddr`, 4 bytes.
    pub local_v4: u32,
    /// `sock_common.skc_daddr`, 4 bytes.
    pub remote_v4: u32,
    /// `sock_common.skc_v6_rcv_saddr`, 16 bytes.
    pub local_v6: u32,
    /// `sock_common.skc_v6_daddr`, 16 bytes.
    pub remote_v6: u32,
    /// `sock_common.skc_net`, a pointer to `net`.
    pub net: u32,
    /// `net.ns.inum`, u32.
    pub net_inum: u32,
    /// `sock.sk_protocol`, u16 (since Linux 5.6).
    pub protocol: u32,
    /// `sock.sk_socket`, a pointer to `socket`; null for a socket not yet accepted.
    pub socket: u32,
    /// `socket.file`; null for the kernel's own sockets.
    pub file: u32,
    /// `tcp_sock.write_seq`, u32.
    pub write_seq: u32,
    /// `tcp_sock.copied_seq`, u32.
    pub copied_seq: u32,
    /// `tcp_sock.snd_una`, u32.
    pub snd_una: u32,
    /// `tcp_sock.bytes_acked`, u64.
    pub bytes_acked: u32,
    /// `tcp_sock.rcv_nxt`, u32.
    pub rcv_nxt: u32,
    /// `tcp_sock.bytes_received`, u64.
    pub bytes_received: u32,
    /// `task_struct.pid`, i32: the thread.
    pub task_tid: u32,
    /// `task_struct.tgid`, i32: the process.
    pub task_pid: u32,
}

/// What the probes ask about every socket and process before they trace it; constants too.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable,
)]
pub struct Choices {
    /// 1: user space chooses processes, so it must hear of a new program at once.
    pub wake_on_exec: u32,
    /// 1: a connection none of whose ports the port map names is left out.
    pub only_named_ports: u32,
    /// 1: the port map has entries.
    pub ports_matter: u32,
    /// Bytes in the ring buffer from which on the reader is woken at once.
    pub wake_at: u32,
}
