//! Go: which goroutine asks for a call, and which one answers a request, where others read and write
//! for them: the goroutines of net/http's connections, of HTTP/2's, and of grpc-go's. Probes on the
//! functions in which one hands over to the other tell, and with that the socket.

mod connection;
mod stream;

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, generated::bpf_get_attach_cookie},
    macros::map,
    maps::LruHashMap,
    programs::ProbeContext,
};
use tracer_common::{
    golang::Layout,
    record::{COURSE_ASKS, COURSE_RUNS, Course, KIND_COURSE},
};

use crate::{
    flow,
    kernel::{Sock, header},
    operation::Direction,
    ring::send,
    verdict::Stop,
};

pub(crate) use connection::{NOT_FOUND, socket_behind};
pub(crate) use stream::{try_rpc_called, try_rpc_serves, try_serves, try_writes};

/// Connections from before the tracer on which something is asked for the first time.
const MAX_ASKED: u32 = 4096;
/// Nanoseconds between asking and writing; what has not been written by then never will be.
const PATIENCE: u64 = 1_000_000_000;

/// `struct sock *` without a cookie -> what was asked for on it. A probe on user space cannot make a
/// cookie; the first look at the socket does.
#[map]
static ASKED: LruHashMap<u64, Course> = LruHashMap::with_max_entries(MAX_ASKED, 0);

/// Registers of Go's ABIInternal (src/cmd/compile/abi-internal.md): integer arguments and results in
/// order, and the current goroutine (`*runtime.g`) in R14.
#[derive(Clone, Copy)]
pub(crate) struct Registers {
    pub(crate) first: u64,
    pub(crate) second: u64,
    pub(crate) third: u64,
    pub(crate) fourth: u64,
    pub(crate) goroutine: u64,
    pub(crate) stack: u64,
}

impl Registers {
    #[inline(always)]
    pub(crate) fn of(ctx: &ProbeContext) -> Self {
        // SAFETY: the kernel hands in the registers.
        let regs = unsafe { &*ctx.regs };
        Self {
            first: regs.rax,
            second: regs.rbx,
            third: regs.rcx,
            fourth: regs.rdi,
            goroutine: regs.r14,
            stack: regs.rsp,
        }
    }
}

#[inline(always)]
pub(crate) fn layout(ctx: &ProbeContext) -> Layout {
    // SAFETY: a helper on this program's context.
    Layout::from(unsafe { bpf_get_attach_cookie(ctx.regs.cast()) })
}

/// `func (pc *persistConn) roundTrip(req *transportRequest) (resp *Response, err error)`.
#[inline(always)]
pub(crate) fn try_round_trip(ctx: &ProbeContext) -> Result<(), Stop> {
    let layout = layout(ctx);
    let conn = Registers::of(ctx).first.wrapping_add(u64::from(layout.conn));
    let mut sock = NOT_FOUND;
    if socket_behind(conn, layout.into(), &mut sock) == 0 {
        return Err(Stop::NotOurs);
    }
    let course = course(COURSE_ASKS, sock.cookie, 0)?;
    if sock.cookie == 0 {
        // A full map evicts its oldest entry.
        let _ = ASKED.insert(sock.address, course, 0);
        return Ok(());
    }
    send(&course)
}

/// `func (r *Resolver) goLookupIPCNAMEOrder(ctx, network, name, ...)` and `func (t *Transport)
/// dialConnFor(w *wantConn)`: perhaps in goroutines that do nothing else, but start others that do.
#[inline(always)]
pub(crate) fn try_runs() -> Result<(), Stop> {
    send(&course(COURSE_RUNS, 0, 0)?)
}

/// What the current goroutine does: `COURSE_*`.
#[inline(always)]
fn course(change: u32, cookie: u64, subject: u32) -> Result<Course, Stop> {
    let pid = (bpf_get_current_pid_tgid() >> 32) as u32;
    let mut course =
        Course { header: header(KIND_COURSE, cookie), change, subject, flow: flow::NOBODY };
    flow::current(pid, Direction::Send, &mut course.flow);
    if course.flow.context == 0 { Err(Stop::NotOurs) } else { Ok(course) }
}

/// At the first look at a socket: tells who asked for what is written on it, if that is still to be
/// told. `time` is now.
#[inline(always)]
pub(crate) fn tell_asked(sock: Sock, pid: u32, time: u64) {
    let key = sock.0 as u64;
    let Some(asked) = ASKED.get_ptr_mut(key) else { return };
    // SAFETY: the kernel keeps the entry's memory as long as this program can run.
    let course = unsafe { &mut *asked };
    if course.header.pid == pid && time.wrapping_sub(course.header.time) < PATIENCE {
        course.header.cookie = sock.cookie();
        // What the ring has no room for is counted.
        if let Err(Stop::Counted(counter)) = send(course) {
            crate::verdict::count(counter);
        }
    }
    let _ = ASKED.remove(key);
}
