//! Reading the kernel's structures at the offsets that user space found in its BTF.

use core::hint::black_box;
use core::mem::MaybeUninit;
use core::ptr::read_volatile;

use aya_ebpf::helpers::{
    bpf_get_current_pid_tgid, bpf_get_smp_processor_id, bpf_ktime_get_boot_ns,
    generated::{
        bpf_get_current_task_btf, bpf_get_socket_cookie, bpf_probe_read_kernel,
        bpf_probe_read_user, bpf_skc_to_tcp_sock, bpf_skc_to_unix_sock,
    },
};
use tracer_common::{
    offsets::{Choices, Offsets},
    record::{Header, MAX_PATH},
};
use zerocopy::FromBytes;

/// Set by user space before loading.
#[unsafe(no_mangle)]
pub(crate) static OFFSETS: Offsets = zerocopy::transmute!([0u32; size_of::<Offsets>() / 4]);
/// Set by user space before loading.
#[unsafe(no_mangle)]
static CHOICES: Choices = zerocopy::transmute!([0u32; size_of::<Choices>() / 4]);

/// What user space has chosen: the volatile read keeps the compiler from using the zeros written
/// here, and the verifier knows the frozen values.
#[inline(always)]
pub(crate) fn choices() -> Choices {
    // SAFETY: a static of plain integers.
    unsafe { read_volatile(&raw const CHOICES) }
}

/// One of the offsets into what io_uring works with.
macro_rules! uring {
    ($field:ident) => {{
        // SAFETY: a static of plain integers.
        unsafe { core::ptr::read_volatile(&raw const $crate::kernel::OFFSETS.uring.$field) }
    }};
}
pub(crate) use uring;

/// One of the offsets on the way from a descriptor to its socket.
macro_rules! descriptors {
    ($field:ident) => {{
        // SAFETY: a static of plain integers.
        u64::from(unsafe { read_volatile(&raw const OFFSETS.descriptors.$field) })
    }};
}

/// One of the offsets on the way from a file to its registration in epoll.
macro_rules! epoll {
    ($field:ident) => {{
        // SAFETY: a static of plain integers.
        u64::from(unsafe { read_volatile(&raw const OFFSETS.epoll.$field) })
    }};
}

/// `struct sock *` as a BTF tracepoint or a helper hands it out.
#[derive(Clone, Copy)]
pub(crate) struct Sock(pub(crate) *const u8);

/// `struct tcp_sock *` of the same.
#[derive(Clone, Copy)]
pub(crate) struct TcpSock(pub(crate) *const u8);

/// `struct unix_sock *` of the same.
#[derive(Clone, Copy)]
pub(crate) struct UnixSock(pub(crate) *const u8);

macro_rules! field {
    ($base:expr, $offset:ident: $type:ty) => {{
        // SAFETY: the verifier knows the type behind the pointer and refuses an offset that is not
        // a field of this size; a pointer that has become invalid reads as zero.
        unsafe { *($base.add(read_volatile(&raw const OFFSETS.$offset) as usize) as *const $type) }
    }};
}

/// Where each stream's sequence numbers began.
#[derive(Clone, Copy)]
pub(crate) struct Bases {
    pub(crate) send: u32,
    pub(crate) receive: u32,
}

impl Sock {
    #[inline(always)]
    pub(crate) fn family(self) -> u16 {
        field!(self.0, family: u16)
    }

    #[inline(always)]
    pub(crate) fn protocol(self) -> u16 {
        field!(self.0, protocol: u16)
    }

    #[inline(always)]
    pub(crate) fn local_port(self) -> u16 {
        field!(self.0, local_port: u16)
    }

    #[inline(always)]
    pub(crate) fn remote_port(self) -> u16 {
        u16::from_be(field!(self.0, remote_port: u16))
    }

    #[inline(always)]
    pub(crate) fn local_v4(self) -> u32 {
        field!(self.0, local_v4: u32)
    }

    #[inline(always)]
    pub(crate) fn remote_v4(self) -> u32 {
        field!(self.0, remote_v4: u32)
    }

    #[inline(always)]
    pub(crate) fn local_v6(self) -> [u64; 2] {
        [field!(self.0, local_v6: u64), field!(self.0.add(8), local_v6: u64)]
    }

    #[inline(always)]
    pub(crate) fn remote_v6(self) -> [u64; 2] {
        [field!(self.0, remote_v6: u64), field!(self.0.add(8), remote_v6: u64)]
    }

    #[inline(always)]
    pub(crate) fn netns(self) -> u32 {
        let net = field!(self.0, net: *const u8);
        if net.is_null() { 0 } else { field!(net, net_inum: u32) }
    }

    #[inline(always)]
    pub(crate) fn kind(self) -> u16 {
        field!(self.0, socket_type: u16)
    }

    /// Whether a file descriptor stands for it. The kernel's own sockets (NFS, NBD, SMB) have
    /// none, and the system call under way then has another buffer.
    #[inline(always)]
    pub(crate) fn has_file(self) -> bool {
        self.file() != 0
    }

    /// Address of its `struct file` as a plain number.
    #[inline(always)]
    pub(crate) fn file_number(self) -> Option<u64> {
        let socket = field!(self.0, socket: *const u8);
        // SAFETY: a static of plain integers.
        let offset = unsafe { read_volatile(&raw const OFFSETS.file) };
        peek(socket as u64 + u64::from(offset))
    }

    /// Address of its `struct file`; 0 if it has none.
    #[inline(always)]
    pub(crate) fn file(self) -> u64 {
        let socket = field!(self.0, socket: *const u8);
        if socket.is_null() { 0 } else { field!(socket, file: u64) }
    }

    /// `RCV_SHUTDOWN` and `SEND_SHUTDOWN` of include/net/sock.h.
    #[inline(always)]
    pub(crate) fn shutdown(self) -> u8 {
        field!(self.0, shutdown: u8)
    }

    #[inline(always)]
    pub(crate) fn tcp(self) -> Option<TcpSock> {
        // SAFETY: the helper takes any socket and returns null for one that is not TCP.
        let tcp = unsafe { bpf_skc_to_tcp_sock(self.0 as *mut _) } as *const u8;
        if tcp.is_null() { None } else { Some(TcpSock(tcp)) }
    }

    #[inline(always)]
    pub(crate) fn unix(self) -> Option<UnixSock> {
        // SAFETY: the helper takes any socket and returns null for one that is not a unix socket.
        let unix = unsafe { bpf_skc_to_unix_sock(self.0 as *mut _) } as *const u8;
        if unix.is_null() { None } else { Some(UnixSock(unix)) }
    }

    #[inline(always)]
    pub(crate) fn cookie(self) -> u64 {
        // SAFETY: a helper on a trusted pointer.
        unsafe { bpf_get_socket_cookie(self.0 as *mut _) }
    }
}

impl TcpSock {
    #[inline(always)]
    pub(crate) fn write_seq(self) -> u32 {
        field!(self.0, write_seq: u32)
    }

    #[inline(always)]
    pub(crate) fn copied_seq(self) -> u32 {
        field!(self.0, copied_seq: u32)
    }

    /// `snd_una - bytes_acked` and `rcv_nxt - bytes_received`: constant while the connection
    /// lives, but each pair is updated one after the other while a packet is processed on another
    /// processor. Two equal readings in a row are taken.
    #[inline(always)]
    pub(crate) fn bases(self) -> Bases {
        let mut bases = self.bases_once();
        let mut tries = 0;
        while tries < 3 {
            let again = self.bases_once();
            if again.send == bases.send && again.receive == bases.receive {
                break;
            }
            bases = again;
            tries += 1;
        }
        bases
    }

    #[inline(always)]
    fn bases_once(self) -> Bases {
        let una = field!(self.0, snd_una: u32);
        let acked = field!(self.0, bytes_acked: u64);
        let next = field!(self.0, rcv_nxt: u32);
        let received = field!(self.0, bytes_received: u64);
        Bases { send: una.wrapping_sub(acked as u32), receive: next.wrapping_sub(received as u32) }
    }
}

/// Where `unix_address` has its name.
#[inline(always)]
fn unix_name() -> u32 {
    // SAFETY: a static of plain integers.
    unsafe { read_volatile(&raw const OFFSETS.address_name) }
}

/// Where `task_struct` has the thread's number.
#[inline(always)]
pub(crate) fn task_tid() -> u32 {
    // SAFETY: a static of plain integers.
    unsafe { read_volatile(&raw const OFFSETS.task_tid) }
}

impl UnixSock {
    /// The other end; null once this one is closed.
    #[inline(always)]
    pub(crate) fn peer(self) -> Option<Sock> {
        let peer = field!(self.0, unix_peer: *const u8);
        if peer.is_null() { None } else { Some(Sock(peer)) }
    }

    /// Whether it is bound to a name, as one that was accepted is.
    #[inline(always)]
    pub(crate) fn is_named(self) -> bool {
        field!(self.0, unix_address: u64) != 0
    }

    /// Copies the name that it is bound to; returns its length, 0 if it has none.
    #[inline(always)]
    pub(crate) fn name(self, to: *mut u8) -> u32 {
        let address = field!(self.0, unix_address: *const u8);
        if address.is_null() {
            return 0;
        }
        // `sun_path` stands behind the two bytes of `sun_family`.
        // The compiler must check the very register that it hands on, or the verifier is lost.
        let len = black_box(field!(address, address_len: u32).wrapping_sub(2));
        if len > MAX_PATH as u32 {
            return 0;
        }
        let from = address as u64 + u64::from(unix_name()) + 2;
        // SAFETY: `to` has room for `MAX_PATH` bytes.
        match unsafe { bpf_probe_read_kernel(to.cast(), len, from as *const _) } {
            0 => len,
            _ => 0,
        }
    }
}

/// Reads a value at an address in the kernel that the verifier knows nothing of.
#[inline(always)]
pub(crate) fn peek<T: FromBytes>(address: u64) -> Option<T> {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the helper writes the whole value or fails; every bit pattern is a `T`.
    unsafe {
        let size = size_of::<T>() as u32;
        match bpf_probe_read_kernel(value.as_mut_ptr().cast(), size, address as *const _) {
            0 => Some(value.assume_init()),
            _ => None,
        }
    }
}

/// Reads a value in the current process's memory; `T` is plain numbers.
#[inline(always)]
pub(crate) fn peek_user<T: Copy>(address: u64) -> Option<T> {
    let mut value = MaybeUninit::<T>::uninit();
    let (to, len) = (value.as_mut_ptr().cast(), size_of::<T>() as u32);
    // SAFETY: the helper writes the whole value, with zeros if it fails.
    match unsafe { bpf_probe_read_user(to, len, address as *const _) } {
        // SAFETY: it is written.
        0 => Some(unsafe { value.assume_init() }),
        _ => None,
    }
}

/// A socket that the verifier knows nothing of.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    /// Of its `struct sock`.
    pub(crate) address: u64,
    /// 0 if it has none yet.
    pub(crate) cookie: u64,
}

/// The socket behind a file descriptor of the current process. Another thread may close the
/// descriptor meanwhile; what is read then is checked before it is believed.
#[inline(always)]
pub(crate) fn socket_of_fd(fd: u32) -> Option<Found> {
    // SAFETY: a helper without arguments.
    let task = unsafe { bpf_get_current_task_btf() } as u64;
    let files: u64 = peek(task + descriptors!(task_files))?;
    let table: u64 = peek(files + descriptors!(files_table))?;
    let length: u32 = peek(table + descriptors!(table_length))?;
    if fd >= length {
        return None;
    }
    let all: u64 = peek(table + descriptors!(table_files))?;
    let file: u64 = peek(all + 8 * u64::from(fd))?;
    let socket: u64 = peek(file + descriptors!(file_private))?;
    // SAFETY: a static of plain integers.
    let back = u64::from(unsafe { read_volatile(&raw const OFFSETS.file) });
    // Only a socket's private data leads back to its file.
    if file == 0 || peek(socket + back) != Some(file) {
        return None;
    }
    let address: u64 = peek(socket + descriptors!(socket_sock))?;
    let cookie = peek(address + descriptors!(cookie))?;
    Some(Found { address, cookie })
}

/// The `struct file` of a socket that the verifier knows nothing of; 0 if it has none, or is another
/// one by now than the one with this cookie.
#[inline(always)]
pub(crate) fn file_of(sock: Found) -> u64 {
    if peek(sock.address + descriptors!(cookie)) != Some(sock.cookie) {
        return 0;
    }
    // SAFETY: a static of plain integers.
    let (socket, file) = unsafe {
        (read_volatile(&raw const OFFSETS.socket), read_volatile(&raw const OFFSETS.file))
    };
    let socket = peek(sock.address + u64::from(socket)).filter(|&socket: &u64| socket != 0);
    socket.and_then(|socket| peek(socket + u64::from(file))).unwrap_or(0)
}

/// What a socket is registered with in epoll (`epoll_data`), by its `struct file`; of several
/// registrations the latest counts.
#[inline(always)]
pub(crate) fn epoll_data(file: u64) -> Option<u64> {
    if epoll!(known) == 0 {
        return None;
    }
    let list: u64 = peek(file + epoll!(file_items)).filter(|&list| file != 0 && list != 0)?;
    let link: u64 = peek(list).filter(|&link| link != 0)?;
    peek(link - epoll!(item_link) + epoll!(item_data))
}

/// How often a `struct task_struct *` has gone to sleep.
#[inline(always)]
pub(crate) fn task_sleeps(task: *const u8) -> u64 {
    field!(task, task_sleeps: u64)
}

/// Its thread pointer (fs base).
#[inline(always)]
pub(crate) fn task_thread_pointer(task: *const u8) -> u64 {
    field!(task, task_thread_pointer: u64)
}

/// Thread and process of a `struct task_struct *`.
#[inline(always)]
pub(crate) fn task_ids(task: *const u8) -> (u32, u32) {
    (field!(task, task_tid: u32), field!(task, task_pid: u32))
}

/// A record's header for what the current task does now.
#[inline(always)]
pub(crate) fn header(kind: u32, cookie: u64) -> Header {
    let ids = bpf_get_current_pid_tgid();
    // SAFETY: helpers without arguments.
    let (cpu, time) = unsafe { (bpf_get_smp_processor_id(), bpf_ktime_get_boot_ns()) };
    Header { kind, pid: (ids >> 32) as u32, tid: ids as u32, cpu, time, cookie }
}
