//! Lookups of names: DNS over UDP, on the side that asks.

use tracer_common::{
    backing::{ANSWERS, Beginning, DNS},
    head::Start,
    record::{
        Connection, DATA_DATAGRAM, DATA_SEND, DATA_UNIX, FAMILY_INET, FAMILY_INET6, KIND_DATA,
        VERDICT_BACKING,
    },
};
use zerocopy::transmute;

use crate::{
    buffer::{Buffer, First, read},
    call::Call,
    flow,
    kernel::{Sock, choices, header},
    operation::{Direction, forget, ports, record},
    ring::{describe, scratch, send},
    socket::{BACKING, FILTERED, OTHER, UNKNOWN},
    verdict::Stop,
};
use tracer_common::filter::TRACE;

/// Bytes of a datagram that are copied: as many as resolvers take (RFC 6891 section 6.2.5).
const MAX_DATAGRAM: u32 = 4096;

/// A datagram was sent or received. What a socket carries, its first one tells.
#[inline(always)]
pub(crate) fn try_datagram(sock: Sock, ret: i32, direction: Direction) -> Result<(), Stop> {
    if choices().backing & DNS == 0 || !sock.is_udp() {
        return Err(Stop::NotOurs);
    }
    let call = Call::current();
    if ret <= 0 {
        if call.is_batch()
            && let Some(socket) = sock.find()
        {
            socket.batch(direction).over();
        }
        return Err(Stop::NotOurs);
    }
    let socket = match sock.find() {
        Some(socket) => socket,
        None if !sock.has_file() => return Err(Stop::NotOurs),
        None => sock.find_or_create()?,
    };
    if matches!(socket.class, OTHER | FILTERED) || call.is_uring() {
        return Err(Stop::NotOurs);
    }
    let head = header(KIND_DATA, sock.cookie());
    if socket.process_verdict(head.pid) != TRACE {
        return Err(Stop::NotOurs);
    }
    let len = ret as u32;
    let buffer = call.buffer(direction, socket, head.tid, len).unwrap_or(Buffer::NONE);
    let index = head.cpu * 2 + (direction == Direction::Send) as u32;
    let Some(scratch) = scratch(index) else { return Err(Stop::NotOurs) };
    // SAFETY: this processor's, for this direction: see `SCRATCH`.
    let scratch = unsafe { &mut *scratch };
    let buffer = forget(&mut scratch.buffer, buffer);
    let found = recognise(sock, buffer, len, direction);
    if socket.class == UNKNOWN {
        sock.admit(socket)?;
        // Whoever is asked has a socket for all who ask.
        if found == 0 || (found & ANSWERS == 0) != (direction == Direction::Send) {
            socket.class = OTHER;
            return Err(Stop::NotOurs);
        }
        socket.class = BACKING;
        socket.set_datagram_bases(sock);
    }
    if found == 0 {
        return Err(Stop::NotOurs);
    }
    socket.count_bytes(direction, len);
    let sends = direction == Direction::Send;
    let data = &mut scratch.data;
    data.header = head;
    data.flags = DATA_UNIX | DATA_DATAGRAM | if sends { DATA_SEND } else { 0 };
    data.len = len;
    data.write_seq = socket.send_base.wrapping_add(socket.sent());
    data.copied_seq = socket.receive_base.wrapping_add(socket.received());
    data.send_base = socket.send_base;
    data.receive_base = socket.receive_base;
    if sends {
        describe(sock, socket, &mut scratch.connection, VERDICT_BACKING);
        if scratch.connection.remote_port == 0 {
            name(call, &mut scratch.connection);
        }
        send(&scratch.connection)?;
    }
    let start = if sends { Start::Request } else { Start::Response } as u32;
    flow::acts(scratch, &mut socket.owner, index, start, direction, sock.0 as u64);
    record(scratch, buffer, len, len.min(MAX_DATAGRAM))
}

/// [`DNS`], perhaps with [`ANSWERS`], or 0.
#[inline(always)]
fn recognise(sock: Sock, buffer: Buffer, len: u32, direction: Direction) -> u32 {
    if buffer.is_none() {
        return 0;
    }
    let Ok(First { low, high }) = buffer.look(len) else { return 0 };
    Beginning { low, high, len, ports: ports(sock, direction) }.recognise_datagram()
}

/// Whom a datagram is sent to, where its socket is not connected: as the caller has named it (`sockaddr_in`
/// or `sockaddr_in6`: family, port in the order of the network, address).
#[inline(always)]
fn name(call: Call, record: &mut Connection) {
    let Some(at) = call.destination() else { return };
    let mut start = [0u16; 4];
    if read((&raw mut start).cast(), 8, at).is_err() {
        return;
    }
    let [family, port, low, high] = start;
    let mut address = [u64::from(low) | u64::from(high) << 16, 0];
    // A socket of IPv6 is given no other addresses.
    if family != record.family || !matches!(family, FAMILY_INET | FAMILY_INET6) {
        return;
    }
    // Behind four more bytes, the flow's.
    if family == FAMILY_INET6 && read((&raw mut address).cast(), 16, at.wrapping_add(8)).is_err() {
        return;
    }
    record.remote_address = transmute!(address);
    record.remote_port = u16::from_be(port);
}
