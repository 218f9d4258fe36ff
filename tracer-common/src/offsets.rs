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
    /// `sock.sk_type`, u16.
    pub socket_type: u32,
    /// `sock.sk_shutdown`, u8: `RCV_SHUTDOWN`, `SEND_SHUTDOWN`.
    pub shutdown: u32,
    /// `unix_sock.peer`, a pointer to `sock`.
    pub unix_peer: u32,
    /// `unix_sock.addr`, a pointer to `unix_address`; null for a socket without a name.
    pub unix_address: u32,
    /// `unix_address.len`, i32: of what follows.
    pub address_len: u32,
    /// `unix_address.name`: a `sockaddr_un`.
    pub address_name: u32,
    /// `task_struct.nvcsw`, u64: how often it gave up the processor by itself.
    pub task_sleeps: u32,
    /// `task_struct.thread.fsbase`, u64: x86-64's thread pointer.
    pub task_thread_pointer: u32,
    /// For descriptors of user space.
    pub descriptors: DescriptorOffsets,
    /// For io_uring.
    pub uring: UringOffsets,
    /// For epoll.
    pub epoll: EpollOffsets,
}

/// From a task's file descriptor to the socket behind it.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable,
)]
pub struct DescriptorOffsets {
    /// `task_struct.files`, a pointer to `files_struct`.
    pub task_files: u32,
    /// `files_struct.fdt`, a pointer to `fdtable`.
    pub files_table: u32,
    /// `fdtable.max_fds`, u32.
    pub table_length: u32,
    /// `fdtable.fd`, a pointer to pointers to `file`.
    pub table_files: u32,
    /// `file.private_data`: of a socket's file, its `socket`.
    pub file_private: u32,
    /// `socket.sk`, a pointer to `sock`.
    pub socket_sock: u32,
    /// `sock_common.skc_cookie`, u64.
    pub cookie: u32,
}

/// From a file to what it is registered with in epoll; all zero where the kernel does not say.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable,
)]
pub struct EpollOffsets {
    /// 1 where the rest is known.
    pub known: u32,
    /// `file.f_ep`, a pointer to the head of the list of its `epitem.fllink`.
    pub file_items: u32,
    /// `epitem.fllink`.
    pub item_link: u32,
    /// `epitem.event.data`, u64.
    pub item_data: u32,
}

/// The same for io_uring, in kernels that keep the buffers of every request where they can be
/// found (Linux 6.10 and newer); all zero in others.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable,
)]
pub struct UringOffsets {
    /// 1 where the rest is known.
    pub known: u32,
    /// `task_struct.flags`, u32.
    pub task_flags: u32,
    /// `task_struct.worker_private`: of a kernel worker, its `io_worker`.
    pub task_worker: u32,
    /// `io_worker.cur_work`: the `io_kiocb.work` of the request that it carries out.
    pub worker_work: u32,
    /// `io_kiocb.work`.
    pub request_work: u32,
    /// `io_kiocb.file`, a pointer to `file`.
    pub request_file: u32,
    /// `io_kiocb.opcode`, u8.
    pub request_opcode: u32,
    /// `io_kiocb.async_data`.
    pub request_async: u32,
    /// `io_kiocb.tctx` (a pointer to `io_uring_task`), or before Linux 6.13 `io_kiocb.task`.
    pub request_task: u32,
    /// `io_uring_task.task`; `u32::MAX` where `request_task` is the task itself.
    pub context_task: u32,
    /// `io_sr_msg.buf` in `io_kiocb.cmd`.
    pub message_buffer: u32,
    /// `io_sr_msg.done_io`, u32.
    pub message_done: u32,
    /// `io_rw.addr`, u64.
    pub file_buffer: u32,
    /// `msg.msg_iter` in `io_async_msghdr`.
    pub message_iter: u32,
    /// `iter` in `io_async_rw`.
    pub file_iter: u32,
    /// `iov_iter.iter_type`, u8.
    pub iter_type: u32,
    /// `iov_iter.iov_offset`, u64.
    pub iter_offset: u32,
    /// `iov_iter.ubuf` and `iov_iter.__iov`, which share their place.
    pub iter_pointer: u32,
    /// `ITER_UBUF` of `enum iter_type`: its numbers change from kernel to kernel.
    pub iter_flat: u32,
    /// `ITER_IOVEC`.
    pub iter_vectors: u32,
}

/// What the probes ask about every socket and process before they trace it; constants too.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable,
)]
pub struct Choices {
    /// Distinguishes this boot of this host from all others; for names of unix sockets.
    pub seed: u64,
    /// 1: user space chooses processes, so it must hear of a new program at once.
    pub wake_on_exec: u32,
    /// 1: a connection none of whose ports the port map names is left out.
    pub only_named_ports: u32,
    /// 1: the port map has entries.
    pub ports_matter: u32,
    /// Bytes in the ring buffer from which on the reader is woken at once.
    pub wake_at: u32,
    /// Protocols of backing services that are followed: a set of [`crate::backing`]'s bits.
    pub backing: u32,
    /// 1: on the connections of the services themselves, too, not on those of their clients alone.
    pub backing_servers: u32,
}
