//! Connections that open and close, processes that change and end.

use tracer_common::record::{
    CONNECTION_ACCEPTED, CONNECTION_OPENER, COURSE_ENDS, COURSE_SPAWNS, Course, Header,
    KIND_COURSE, KIND_PROCESS, KIND_STATE, KIND_TRAFFIC, PROCESS_EXEC, PROCESS_EXIT, Process,
    STATE_CLOSED, STATE_CONNECTING, STATE_SEND_CLOSED, State, Traffic,
};
use zerocopy::transmute;

use crate::{
    flow,
    kernel::{Sock, UnixSock, choices, header, task_ids},
    operation::Direction,
    ring::{SPEAKERS, comm, send, send_at_once},
    socket::{ANNOUNCED, GONE, Socket, TLS, UNDECIDED},
    verdict::Stop,
};

/// `TCP_*` of include/net/tcp_states.h.
mod tcp {
    pub(super) const ESTABLISHED: i32 = 1;
    pub(super) const SYN_SENT: i32 = 2;
    pub(super) const SYN_RECV: i32 = 3;
    pub(super) const FIN_WAIT1: i32 = 4;
    pub(super) const CLOSE: i32 = 7;
    pub(super) const LAST_ACK: i32 = 9;
}

#[inline(always)]
pub(crate) fn try_set_state(sk: *const u8, old: i32, new: i32) -> Result<(), Stop> {
    let sock = Sock(sk);
    if !sock.is_tcp() {
        return Err(Stop::NotOurs);
    }
    match (old, new) {
        (tcp::CLOSE, tcp::SYN_SENT) => {
            sock.find_or_create()?.flags |= CONNECTION_OPENER;
            let header = header(KIND_STATE, sock.cookie());
            let mut flow = flow::NOBODY;
            flow::current(header.pid, Direction::Send, &mut flow);
            let [copied_seq, receive_base, reserved] = [0; 3];
            let state = STATE_CONNECTING;
            send(&State { header, state, copied_seq, receive_base, reserved, flow })
        }
        (tcp::SYN_RECV, tcp::ESTABLISHED) => {
            sock.find_or_create()?.flags |= CONNECTION_ACCEPTED;
            Ok(())
        }
        (_, tcp::FIN_WAIT1 | tcp::LAST_ACK) => tell_known(sock, STATE_SEND_CLOSED),
        (_, tcp::CLOSE) => tell_known(sock, STATE_CLOSED),
        _ => Err(Stop::NotOurs),
    }
}

/// For connections that user space has heard of.
#[inline(always)]
fn tell_known(sock: Sock, state: u32) -> Result<(), Stop> {
    let (Some(socket), Some(tcp)) = (sock.find(), sock.tcp()) else { return Err(Stop::NotOurs) };
    if socket.flags & ANNOUNCED == 0 {
        return Err(Stop::NotOurs);
    }
    tell_traffic(sock, socket)?;
    let header = header(KIND_STATE, sock.cookie());
    let (copied_seq, receive_base) = (tcp.copied_seq(), socket.receive_base);
    send(&State { header, state, copied_seq, receive_base, reserved: 0, flow: flow::NOBODY })
}

/// Nothing tells of the end of a unix socket itself. When an operation on one end shows that the
/// other end is closed (nothing more to read, or a send into nothing), both are over.
#[inline(always)]
pub(crate) fn tell_unix_end(sock: Sock, socket: &mut Socket) -> Result<(), Stop> {
    const BOTH: u8 = 3;
    if sock.shutdown() != BOTH {
        return Err(Stop::NotOurs);
    }
    if let Some(peer) = sock.unix().and_then(UnixSock::peer)
        && let Some(other) = peer.find()
    {
        // What could not be told now cannot be told later.
        let _ = tell_gone(peer, other);
    }
    tell_gone(sock, socket)
}

#[inline(always)]
fn tell_gone(sock: Sock, socket: &mut Socket) -> Result<(), Stop> {
    if socket.flags & (ANNOUNCED | UNDECIDED) == 0 || socket.flags & GONE != 0 {
        return Err(Stop::NotOurs);
    }
    socket.flags |= GONE;
    tell_traffic(sock, socket)?;
    let header = header(KIND_STATE, sock.cookie());
    let receive_base = socket.receive_base;
    let copied_seq = receive_base.wrapping_add(socket.received());
    let (state, flow) = (STATE_CLOSED, flow::NOBODY);
    send(&State { header, state, copied_seq, receive_base, reserved: 0, flow })
}

/// What a socket that carries TLS has moved so far.
#[inline(always)]
fn tell_traffic(sock: Sock, socket: &Socket) -> Result<(), Stop> {
    if socket.class != TLS {
        return Ok(());
    }
    let header = header(KIND_TRAFFIC, sock.cookie());
    send(&Traffic { header, sent: socket.sent, received: socket.received })
}

#[inline(always)]
pub(crate) fn try_exec(task: *const u8) -> Result<(), Stop> {
    tell_process(task, PROCESS_EXEC)
}

/// The current thread starts another one, or a process.
#[inline(always)]
pub(crate) fn try_fork(child: *const u8) -> Result<(), Stop> {
    let (tid, pid) = task_ids(child);
    let course = header(KIND_COURSE, 0);
    if tid == pid || pid != course.pid {
        return Err(Stop::NotOurs);
    }
    tell_thread(course, COURSE_SPAWNS, tid)
}

#[inline(always)]
pub(crate) fn try_exit(task: *const u8) -> Result<(), Stop> {
    let (tid, pid) = task_ids(task);
    if tid == pid {
        return tell_process(task, PROCESS_EXIT);
    }
    tell_thread(header(KIND_COURSE, 0), COURSE_ENDS, 0)
}

/// Of processes that speak HTTP.
#[inline(always)]
fn tell_thread(header: Header, change: u32, thread: u32) -> Result<(), Stop> {
    if SPEAKERS.get_ptr(header.pid).is_none() {
        return Err(Stop::NotOurs);
    }
    send(&Course { header, change, subject: thread, flow: flow::NOBODY })
}

/// Only a process's first thread speaks for it.
#[inline(always)]
fn tell_process(task: *const u8, change: u32) -> Result<(), Stop> {
    let (tid, pid) = task_ids(task);
    if tid != pid {
        return Err(Stop::NotOurs);
    }
    let mut header = header(KIND_PROCESS, 0);
    header.pid = pid;
    header.tid = tid;
    let record = Process { header, change, reserved: 0, comm: transmute!(comm()) };
    // A program can be over before the reader looks next; whoever chooses processes by their
    // programs has to see it while it runs.
    if change == PROCESS_EXEC && choices().wake_on_exec != 0 {
        send_at_once(&record)
    } else {
        send(&record)
    }
}
