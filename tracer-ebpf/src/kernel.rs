//! Reading the kernel's structures at the offsets that user space found in its BTF.

use core::ptr::read_volatile;

use aya_ebpf::helpers::{
    bpf_get_current_pid_tgid, bpf_get_smp_processor_id, bpf_ktime_get_boot_ns,
    generated::bpf_get_socket_cookie,
};
use tracer_common::{
    offsets::{Choices, Offsets},
    record::Header,
};

/// Set by user space before loading.
#[unsafe(no_mangle)]
static OFFSETS: Offsets = zerocopy::transmute!([0u32; size_of::<Offsets>() / 4]);
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

/// `struct sock *` as a BTF tracepoint or a helper hands it out.
#[derive(Clone, Copy)]
pub(crate) struct Sock(pub(crate) *const u8);

/// `struct tcp_sock *` of the same.
#[derive(Clone, Copy)]
pub(crate) struct TcpSock(pub(crate) *const u8);

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

    /// Whether a file descriptor stands for it. The kernel's own sockets (NFS, NBD, SMB) have
    /// none, and the system call under way then has another buffer.
    #[inline(always)]
    pub(crate) fn has_file(self) -> bool {
        let socket = field!(self.0, socket: *const u8);
        if socket.is_null() {
            return false;
        }
        field!(socket, file: u64) != 0
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
