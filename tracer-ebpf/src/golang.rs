//! Go: which goroutine asks net/http's client for a call. Another one writes it, the connection's
//! own; so the one that asks is caught where it hands the request over, and with it the socket on
//! which the request will be written.

use aya_ebpf::{
    helpers::generated::bpf_get_attach_cookie, macros::map, maps::LruHashMap,
    programs::ProbeContext,
};
use tracer_common::{
    golang::Layout,
    record::{COURSE_ASKS, Course, FAMILY_INET, FAMILY_INET6, FAMILY_UNIX, KIND_COURSE},
};

use crate::{
    flow,
    kernel::{Sock, header, peek_user, socket_of_fd},
    operation::Direction,
    ring::send,
    verdict::Stop,
};

/// Connections from before the tracer on which something is asked for the first time.
const MAX_ASKED: u32 = 4096;
/// Nanoseconds between asking and writing; what has not been written by then never will be.
const PATIENCE: u64 = 1_000_000_000;
/// `SOCK_STREAM`.
const STREAM: u64 = 1;

/// `struct sock *` without a cookie -> what was asked for on it. A probe on user space cannot make a
/// cookie; the first look at the socket does.
#[map]
static ASKED: LruHashMap<u64, Course> = LruHashMap::with_max_entries(MAX_ASKED, 0);

/// `func (pc *persistConn) roundTrip(req *transportRequest) (resp *Response, err error)`: by Go's
/// ABIInternal the receiver is in RAX.
#[inline(always)]
pub(crate) fn try_round_trip(ctx: &ProbeContext) -> Result<(), Stop> {
    // SAFETY: a helper on this program's context.
    let layout = Layout::from(unsafe { bpf_get_attach_cookie(ctx.regs.cast()) });
    // SAFETY: the kernel hands in the registers.
    let receiver = unsafe { (*ctx.regs).rax };
    let sock = connection(receiver, layout).and_then(socket_of_fd).ok_or(Stop::NotOurs)?;
    let mut course = Course {
        header: header(KIND_COURSE, sock.cookie),
        change: COURSE_ASKS,
        thread: 0,
        flow: flow::NOBODY,
    };
    flow::current(course.header.pid, Direction::Send, &mut course.flow);
    if course.flow.context == 0 {
        return Err(Stop::NotOurs);
    }
    if sock.cookie == 0 {
        // A full map evicts its oldest entry.
        let _ = ASKED.insert(sock.address, course, 0);
        return Ok(());
    }
    send(&course)
}

/// Descriptor of the connection behind a `net.Conn` that is a plain `*net.TCPConn` or
/// `*net.UnixConn`, whose only field is a `*netFD`. Of anything else (TLS, wrappers) the family and
/// the type read as something else.
#[inline(always)]
fn connection(receiver: u64, layout: Layout) -> Option<u32> {
    // An interface is two words: type and value.
    let conn = peek_user(receiver.wrapping_add(u64::from(layout.conn) + 8))?;
    let fd: u64 = peek_user(conn)?;
    let word = |offset: u16| peek_user::<u64>(fd.wrapping_add(u64::from(offset)));
    let family = word(layout.family)?;
    let known = [FAMILY_INET, FAMILY_INET6, FAMILY_UNIX].iter().any(|&it| u64::from(it) == family);
    if !known || word(layout.kind)? != STREAM {
        return None;
    }
    u32::try_from(word(layout.descriptor)?).ok()
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
