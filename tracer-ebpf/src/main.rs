//! The kernel side of Tracer: looks at completed socket operations, and tells user space of those
//! that belong to HTTP connections, or to those of databases' clients. Everything else pays one look.
#![no_std]
#![no_main]
// The macros make public wrappers around the probes.
#![allow(missing_docs, unreachable_pub)]

mod buffer;
mod call;
mod carried;
mod datagram;
mod flow;
mod future;
mod golang;
mod kernel;
mod lifecycle;
mod moved;
mod nginx;
mod operation;
mod parts;
mod promise;
mod python;
mod ring;
mod socket;
mod stream;
mod tls;
mod tokio;
mod uring;
mod verdict;
mod work;

use aya_ebpf::{
    EbpfContext as _,
    macros::{btf_tracepoint, uprobe, uretprobe},
    programs::{BtfTracePointContext, ProbeContext, RetProbeContext},
};

use crate::operation::Direction;

/// Linux 6.3 and newer, include/trace/events/sock.h:
/// `TP_PROTO(struct sock *sk, int ret, int flags)`, after `sock_sendmsg` is done; `flags` is 0.
#[btf_tracepoint(function = "sock_send_length")]
pub(crate) fn sock_send_length(ctx: BtfTracePointContext) -> i32 {
    verdict::conclude(&ctx, operation::try_operation(ctx.arg(0), ctx.arg(1), 0, Direction::Send))
}

/// Linux 6.3 and newer: `TP_PROTO(struct sock *sk, int ret, int flags)`, after `sock_recvmsg` is
/// done; `flags` are the caller's `MSG_*`.
#[btf_tracepoint(function = "sock_recv_length")]
pub(crate) fn sock_recv_length(ctx: BtfTracePointContext) -> i32 {
    verdict::conclude(
        &ctx,
        operation::try_operation(ctx.arg(0), ctx.arg(1), ctx.arg(2), Direction::Receive),
    )
}

/// Linux 4.16 and newer: `TP_PROTO(const struct sock *sk, const int oldstate, const int newstate)`.
#[btf_tracepoint(function = "inet_sock_set_state")]
pub(crate) fn inet_sock_set_state(ctx: BtfTracePointContext) -> i32 {
    verdict::conclude(&ctx, lifecycle::try_set_state(ctx.arg(0), ctx.arg(1), ctx.arg(2)))
}

/// Linux 3.4 and newer: `TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)`.
#[btf_tracepoint(function = "sched_process_exec")]
pub(crate) fn sched_process_exec(ctx: BtfTracePointContext) -> i32 {
    verdict::conclude(&ctx, lifecycle::try_exec(ctx.arg(0)))
}

/// Linux 2.6.x and newer: `TP_PROTO(struct task_struct *parent, struct task_struct *child)`.
#[btf_tracepoint(function = "sched_process_fork")]
pub(crate) fn sched_process_fork(ctx: BtfTracePointContext) -> i32 {
    verdict::conclude(&ctx, lifecycle::try_fork(ctx.arg(1)))
}

/// Linux 2.6.x and newer: `TP_PROTO(struct task_struct *p)`, since 6.16 with `bool group_dead`.
#[btf_tracepoint(function = "sched_process_exit")]
pub(crate) fn sched_process_exit(ctx: BtfTracePointContext) -> i32 {
    verdict::conclude(&ctx, lifecycle::try_exit(ctx.arg(0)))
}

/// Linux 6.0 and newer, include/trace/events/io_uring.h: `TP_PROTO(struct io_kiocb *req)`, before
/// the request is carried out; loaded where io_uring's buffers can be found.
#[btf_tracepoint(function = "io_uring_submit_req")]
pub(crate) fn io_uring_submit_req(ctx: BtfTracePointContext) -> i32 {
    verdict::conclude(&ctx, uring::try_submit(ctx.arg(0), ctx.pid()))
}

/// Linux 5.8 and newer; since 6.0 `TP_PROTO(struct io_kiocb *req, int mask, int events)`: it waits
/// for its file to become ready.
#[btf_tracepoint(function = "io_uring_poll_arm")]
pub(crate) fn io_uring_poll_arm(ctx: BtfTracePointContext) -> i32 {
    verdict::conclude(&ctx, uring::try_arm(ctx.arg(0)))
}

/// `_asyncio.Task.__init__` of CPython (Modules/_asynciomodule.c): `int (TaskObj *self, PyObject *args,
/// PyObject *kwargs)`.
#[uprobe]
pub(crate) fn python_task(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, python::try_task(&ctx))
}

/// The return of `PyContext_CopyCurrent` (Include/cpython/context.h): `PyObject *(void)`.
#[uretprobe]
pub(crate) fn python_copied(ctx: RetProbeContext) -> i32 {
    verdict::conclude(&ctx, python::try_copied(&ctx))
}

/// `Greenlet.__init__` of gevent (src/gevent/greenlet.py, compiled): `int (PyObject *self, PyObject *args,
/// PyObject *kwargs)`.
#[uprobe]
pub(crate) fn python_greenlet(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, python::try_greenlet(&ctx))
}

/// On the entry of Go's `net/http.(*persistConn).roundTrip`; its attach cookie is a
/// [`tracer_common::golang::Layout`].
#[uprobe]
pub(crate) fn go_round_trip(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, golang::try_round_trip(&ctx))
}

/// On the entry of `(*serverConn).runHandler` of Go's HTTP/2; the cookie is the same, as in all of these.
#[uprobe]
pub(crate) fn go_serves(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, golang::try_serves(&ctx))
}

/// On the entry of `(*clientStream).doRequest` of Go's HTTP/2.
#[uprobe]
pub(crate) fn go_writes(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, golang::try_writes())
}

/// On the entry of `net.(*Resolver).goLookupIPCNAMEOrder` and `net/http.(*Transport).dialConnFor` of Go.
#[uprobe]
pub(crate) fn go_runs(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, golang::try_runs())
}

/// On the entry of grpc-go's `(*Server).handleStream`.
#[uprobe]
pub(crate) fn go_rpc_serves(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, golang::try_rpc_serves(&ctx))
}

/// On the returns of grpc-go's `(*http2Client).NewStream`.
#[uprobe]
pub(crate) fn go_rpc_called(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, golang::try_rpc_called(&ctx))
}

/// On the entry of the handshake of Go's `*tls.Conn`.
#[uprobe]
pub(crate) fn go_tls_begins(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, tls::try_begins(&ctx))
}

/// On the entry of its `Write`.
#[uprobe]
pub(crate) fn go_tls_write(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, tls::try_write(&ctx))
}

/// On the entry of its `Read`.
#[uprobe]
pub(crate) fn go_tls_read(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, tls::try_read(&ctx))
}

/// On the returns of its `Read`.
#[uprobe]
pub(crate) fn go_tls_read_done(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, tls::try_read_done(&ctx))
}

/// `SimpleQueue.put` of CPython (Modules/_queuemodule.c), by the vectorcall convention: `PyObject
/// *(simplequeueobject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)`.
#[uprobe]
pub(crate) fn python_put(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, work::try_put(&ctx))
}

/// `SimpleQueue.get` and `get_nowait`; they return the item, or null.
#[uretprobe]
pub(crate) fn python_get(ctx: RetProbeContext) -> i32 {
    verdict::conclude(&ctx, work::try_get(&ctx))
}

/// The entry of a TLS library's function; its attach cookie is a [`tracer_common::tls::Call`], which
/// has the prototypes.
#[uprobe]
pub(crate) fn tls_enter(ctx: ProbeContext) -> i32 {
    verdict::conclude(&ctx, tls::try_enter(&ctx))
}

/// The return of one that makes a session, or its connection.
#[uretprobe]
pub(crate) fn tls_left(ctx: RetProbeContext) -> i32 {
    verdict::conclude(&ctx, tls::try_left(&ctx))
}

/// The return of one that takes plaintext.
#[uretprobe]
pub(crate) fn tls_wrote(ctx: RetProbeContext) -> i32 {
    verdict::conclude(&ctx, tls::try_moved(&ctx, Direction::Send))
}

/// The return of one that gives plaintext.
#[uretprobe]
pub(crate) fn tls_read(ctx: RetProbeContext) -> i32 {
    verdict::conclude(&ctx, tls::try_moved(&ctx, Direction::Receive))
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Most helpers used here are for GPL-compatible programs only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
