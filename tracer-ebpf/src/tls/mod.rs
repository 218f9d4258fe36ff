//! TLS, seen where a program gives plaintext to its library and gets it from there: probes on the entry
//! and the return of the library's functions (OpenSSL's and those of libraries with the same ones, and
//! GnuTLS's).
//!
//! What they see becomes operations of the socket that carries the session ([`plaintext`]), with
//! positions that count the session's plaintext: both ends count alike. Which socket that is
//! ([`session`]) shows by what the same thread does on sockets that carry TLS:
//!
//! - inside a call, if the library reads and writes the socket itself: that is the session's;
//! - around the calls, if the program does so and hands the bytes over (memory BIOs: asyncio, Node.js):
//!   it gives a session what it has just received, and sends what a session has just made. One such
//!   sight proves nothing; two that agree do, and the handshake alone makes as many.
//!
//! A tie lasts until the session is freed; a session without one is not told of, but counted.

mod golang;
mod plaintext;
mod session;
mod thread;

use aya_ebpf::{
    EbpfContext as _,
    helpers::{bpf_get_current_pid_tgid, generated::bpf_get_attach_cookie},
    programs::{ProbeContext, RetProbeContext},
};
use tracer_common::{record::DATA_UNIX, tls::Call};

use crate::{
    kernel::{Sock, peek_user},
    operation::{Direction, forget},
    socket::{SETTLED, Socket},
    verdict::Stop,
};
use session::{End, Vote, vote};
use thread::Thread;

pub(crate) use golang::{try_begins, try_read, try_read_done, try_write};

/// Operations of a socket that are looked at before it is taken for one whose library is not probed:
/// from then on they are counted only.
const MAX_LOOKS: u32 = 4096;

/// A socket that carries TLS has moved bytes: shows which session it is, unless that is known.
#[inline(always)]
pub(crate) fn operation(sock: Sock, socket: &mut Socket, direction: Direction) -> Result<(), Stop> {
    if socket.flags & SETTLED != 0 {
        return Err(Stop::NotOurs);
    }
    socket.looks += 1;
    if socket.looks > MAX_LOOKS {
        socket.flags |= SETTLED;
    }
    let unix = if sock.is_unix() { DATA_UNIX } else { 0 };
    let end = End {
        cookie: sock.cookie(),
        address: sock.0 as u64,
        send_base: socket.send_base,
        receive_base: socket.receive_base,
        flags: unix,
        reserved: 0,
    };
    if golang::notes(&end) || acts(&end, direction) == 1 {
        socket.flags |= SETTLED;
    }
    Err(Stop::NotOurs)
}

/// The current thread acts on a socket that carries TLS. Whether it is known now for which session: 1.
#[inline(never)]
fn acts(end: &End, direction: Direction) -> u32 {
    let ids = bpf_get_current_pid_tgid();
    let pid = ids >> 32;
    let Some(thread) = Thread::of(ids as u32) else { return 0 };
    if thread.inside != 0 {
        return vote(pid, thread.inside, end, Vote::Inside);
    }
    let last = thread.last;
    thread.last = 0;
    match direction {
        Direction::Send if last != 0 => vote(pid, last, end, Vote::Spoken),
        Direction::Send => 0,
        Direction::Receive => {
            thread.heard = *end;
            0
        }
    }
}

/// Entry of one of the functions of [`Call`].
#[inline(always)]
pub(crate) fn try_enter(ctx: &ProbeContext) -> Result<(), Stop> {
    // SAFETY: a helper on this program's context.
    let call = unsafe { bpf_get_attach_cookie(ctx.as_ptr()) };
    let ids = bpf_get_current_pid_tgid();
    let argument = |n| ctx.arg::<u64>(n).unwrap_or(0);
    let session = argument(0);
    if call == Call::Free as u64 {
        session::over(ids >> 32, session);
        return Ok(());
    }
    // SAFETY: the kernel hands in the registers.
    let stack = unsafe { (*ctx.regs).rsp };
    let thread = Thread::of(ids as u32).ok_or(Stop::NotOurs)?;
    if thread.inside == session && stack <= thread.stack {
        // One function of the library calls another one, or two probes are on one function.
        return Err(Stop::NotOurs);
    }
    if call == Call::Begin as u64 && session::find(ids >> 32, session).is_none() {
        session::born(ids >> 32, session);
    }
    thread.inside = session;
    thread.stack = stack;
    thread.buffer = argument(1);
    thread.out = argument(3);
    if thread.heard.cookie != 0 {
        let heard = thread.heard;
        thread.heard.cookie = 0;
        vote(ids >> 32, session, &heard, Vote::Heard);
    }
    Ok(())
}

/// Return of a function that makes a session or shakes hands.
#[inline(always)]
pub(crate) fn try_left(ctx: &RetProbeContext) -> Result<(), Stop> {
    // SAFETY: as above.
    let call = unsafe { bpf_get_attach_cookie(ctx.as_ptr()) };
    if call == Call::New as u64 {
        session::born(bpf_get_current_pid_tgid() >> 32, ctx.ret());
        return Ok(());
    }
    leave(ctx).map(|_| ())
}

/// Return of a function that moves plaintext.
#[inline(always)]
pub(crate) fn try_moved(ctx: &RetProbeContext, direction: Direction) -> Result<(), Stop> {
    let thread = leave(ctx)?;
    // SAFETY: as above.
    let call = unsafe { bpf_get_attach_cookie(ctx.as_ptr()) };
    let result: u64 = ctx.ret();
    let moved = if call == Call::ReadEx as u64 || call == Call::WriteEx as u64 {
        if result as i32 == 1 { peek_user(thread.out).unwrap_or(0) } else { 0 }
    } else if call == Call::Sendfile as u64 {
        thread.buffer = 0;
        result as i64
    } else {
        i64::from(result as i32)
    };
    // What the ways here have in common is all that the verifier is to know.
    let moved: i64 = forget(&mut thread.moved, moved);
    if moved <= 0 {
        return Err(Stop::NotOurs);
    }
    let len = moved.min(i64::from(i32::MAX)) as u32;
    plaintext::moved(thread.last, direction, thread.buffer, len)
}

/// The current thread returns from one of the functions.
#[inline(always)]
fn leave(ctx: &RetProbeContext) -> Result<&'static mut Thread, Stop> {
    let thread = Thread::of(bpf_get_current_pid_tgid() as u32).ok_or(Stop::NotOurs)?;
    // SAFETY: as above.
    let stack = unsafe { (*ctx.regs).rsp };
    // The return address is gone from the stack.
    if thread.inside == 0 || stack != thread.stack + 8 {
        return Err(Stop::NotOurs);
    }
    (thread.last, thread.inside) = (thread.inside, 0);
    Ok(thread)
}
