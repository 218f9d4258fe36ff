//! Plaintext that a TLS session has moved, as an operation of its socket.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use tracer_common::{
    counter::Counter,
    filter::TRACE,
    record::{
        CONNECTION_MIDSTREAM, DATA_MIDSTREAM, DATA_SEND, DATA_TLS, KIND_DATA, KIND_STATE,
        STATE_DECODED, State, VERDICT_BACKING, VERDICT_HTTP, VERDICT_UNDECIDED,
    },
};

use super::session::{Session, find};
use crate::{
    buffer::Buffer,
    carried::{IN_PARTS, Sight, begins, judge, leave_http, look, share, wait_for_turn},
    flow,
    kernel::header,
    operation::{Direction, forget, record},
    parts,
    ring::{FREE, SPEAKERS, Scratch, scratch, send},
    socket::OTHER,
    verdict::{Stop, count},
};

/// `len` bytes, which are at the address `from`; 0 if they are in no memory.
#[inline(always)]
pub(crate) fn moved(session: u64, direction: Direction, from: u64, len: u32) -> Result<(), Stop> {
    let pid = bpf_get_current_pid_tgid() >> 32;
    let session = find(pid, session).ok_or(Stop::NotOurs)?;
    session.socket.count_bytes(direction, len);
    if !session.is_tied() {
        return Err(Stop::Counted(Counter::TlsUntied));
    }
    if session.socket.class == OTHER || session.socket.process_verdict(pid as u32) != TRACE {
        return Err(Stop::NotOurs);
    }
    if session.socket.looks == 0 {
        session.socket.looks = 1;
        tell_decoded(session.end.cookie)?;
    }
    wait_for_turn(&mut session.socket, direction)?;
    let Ok(Some(index)) = FREE.pop() else { return Err(Stop::Counted(Counter::TlsNoScratch)) };
    let outcome = match scratch(index) {
        // SAFETY: nobody else has this one, until it is given back.
        Some(scratch) => told(session, unsafe { &mut *scratch }, index, direction, from, len),
        None => Ok(()),
    };
    if FREE.push(index, 0).is_err() {
        count(Counter::TlsNoScratch);
    }
    outcome
}

/// User space need not take the connection for one whose plaintext cannot be had.
#[inline(always)]
fn tell_decoded(cookie: u64) -> Result<(), Stop> {
    let (header, flow) = (header(KIND_STATE, cookie), flow::NOBODY);
    let [copied_seq, receive_base, reserved] = [0; 3];
    send(&State { header, state: STATE_DECODED, copied_seq, receive_base, reserved, flow })
}

#[inline(always)]
fn told(
    session: &mut Session,
    scratch: &mut Scratch,
    index: u32,
    direction: Direction,
    from: u64,
    len: u32,
) -> Result<(), Stop> {
    let socket = &mut session.socket;
    // Not in the session: another thread may be at its other direction.
    let buffer = forget(&mut scratch.buffer, buffer(from));
    let start = look(buffer, len);
    let start = forget(&mut scratch.start, start);
    // Only what speaks for itself is recognised.
    match judge(socket, start, buffer, Sight { index, len, ports: 0, direction }) {
        VERDICT_HTTP | VERDICT_BACKING => {}
        VERDICT_UNDECIDED => return Err(Stop::NotOurs),
        _ => {
            socket.class = OTHER;
            return Err(Stop::Counted(Counter::NotHttp));
        }
    }
    let data = &mut scratch.data;
    data.header = header(KIND_DATA, session.end.cookie);
    let pid = data.header.pid;
    let sent = if direction == Direction::Send { DATA_SEND } else { 0 };
    let midstream = if socket.flags & CONNECTION_MIDSTREAM != 0 { DATA_MIDSTREAM } else { 0 };
    data.flags = DATA_TLS | sent | midstream | session.end.flags;
    data.send_base = socket.send_base;
    data.receive_base = socket.receive_base;
    data.write_seq = socket.send_base.wrapping_add(socket.sent());
    data.copied_seq = socket.receive_base.wrapping_add(socket.received());
    // A full map evicts its oldest entry.
    let _ = SPEAKERS.insert(pid, 0, 0);
    let what = begins(socket, start.what, direction);
    let want = share(socket, start.what, direction, len);
    leave_http(socket, start);
    // As little as possible is known from here on: the verifier goes through what follows once for
    // each thing that is.
    let want = forget(&mut data.head_len, want);
    let len = forget(&mut data.len, len);
    let what = forget(&mut scratch.start.what, what);
    let Session { end, socket, .. } = session;
    flow::acts(scratch, &mut socket.owner, index, what, direction, end.address);
    let buffer = scratch.buffer;
    let buffer = forget(&mut scratch.buffer, buffer);
    if want == IN_PARTS {
        parts::send(scratch, socket, index, len, direction);
        return Ok(());
    }
    record(scratch, buffer, len, want)
}

#[inline(always)]
fn buffer(from: u64) -> Buffer {
    if from == 0 { Buffer::NONE } else { Buffer::flat(from) }
}
