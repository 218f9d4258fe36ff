//! Go's crypto/tls: the functions of `*tls.Conn`. Their entry has the plaintext that is written; what is
//! read is known when the function returns, at one of its return instructions: a uretprobe would
//! change the return address, which Go's runtime looks at. The tie to the socket is the connection's
//! own: it begins with the connection that it encrypts.

use aya_ebpf::{
    helpers::bpf_get_current_pid_tgid, macros::map, maps::LruHashMap, programs::ProbeContext,
};
use tracer_common::{golang::MAX_TLS_READS, record::FLOW_GOROUTINE, tls::MAX_SESSIONS};

use super::{
    plaintext,
    session::{self, End, Vote, find, vote},
};
use crate::{
    flow,
    golang::{NOT_FOUND, Registers, layout, socket_behind},
    kernel::peek_user,
    operation::Direction,
    verdict::Stop,
};

/// Cookie of a socket of a Go program that carries TLS -> what is to be told of it with plaintext.
#[map]
static GO_ENDS: LruHashMap<u64, End> = LruHashMap::with_max_entries(MAX_SESSIONS, 0);

/// Goroutine that reads, with where its stack ends -> what it reads.
#[map]
static GO_READS: LruHashMap<[u64; 2], Reading> = LruHashMap::with_max_entries(MAX_TLS_READS, 0);

#[repr(C)]
#[derive(Clone, Copy)]
struct Reading {
    connection: u64,
    /// Where the bytes go; of memory on the goroutine's stack, which may be moved meanwhile, how far
    /// before its upper end.
    buffer: u64,
    on_stack: u64,
}

/// A socket that carries TLS has moved bytes. Whether its program is Go: then nothing else shows
/// which session it is.
#[inline(always)]
pub(super) fn notes(end: &End) -> bool {
    let pid = (bpf_get_current_pid_tgid() >> 32) as u32;
    if flow::kind(pid) != FLOW_GOROUTINE {
        return false;
    }
    // A full map evicts its oldest entry.
    let _ = GO_ENDS.insert(end.cookie, end, 0);
    true
}

/// `func (c *Conn) clientHandshake(ctx context.Context) error`, and the same of a server: once in each
/// connection's life, before anything is read or written.
#[inline(always)]
pub(crate) fn try_begins(ctx: &ProbeContext) -> Result<(), Stop> {
    session::born(bpf_get_current_pid_tgid() >> 32, Registers::of(ctx).first);
    Ok(())
}

/// `func (c *Conn) Write(b []byte) (int, error)`.
#[inline(always)]
pub(crate) fn try_write(ctx: &ProbeContext) -> Result<(), Stop> {
    let registers = Registers::of(ctx);
    if registers.third == 0 {
        return Err(Stop::NotOurs);
    }
    moves(ctx, registers.first, Direction::Send, registers.second, registers.third)
}

/// Entry of `func (c *Conn) Read(b []byte) (int, error)`.
#[inline(always)]
pub(crate) fn try_read(ctx: &ProbeContext) -> Result<(), Stop> {
    let registers = Registers::of(ctx);
    let [low, high] = stack(registers.goroutine)?;
    let buffer = registers.second;
    let on_stack = low <= buffer && buffer < high;
    let reading = Reading {
        connection: registers.first,
        buffer: if on_stack { high - buffer } else { buffer },
        on_stack: on_stack.into(),
    };
    // A full map evicts its oldest entry; what a panic left is overwritten or evicted.
    let _ = GO_READS.insert(key(&registers, high), reading, 0);
    Ok(())
}

/// Its returns: the first result is the number of bytes.
#[inline(always)]
pub(crate) fn try_read_done(ctx: &ProbeContext) -> Result<(), Stop> {
    let registers = Registers::of(ctx);
    let [_, high] = stack(registers.goroutine)?;
    let key = key(&registers, high);
    // SAFETY: the value is copied at once, and only this goroutine writes it.
    let reading = unsafe { GO_READS.get(key) }.copied().ok_or(Stop::NotOurs)?;
    let _ = GO_READS.remove(key);
    if registers.first as i64 <= 0 {
        return Err(Stop::NotOurs);
    }
    let Reading { connection, buffer, on_stack } = reading;
    let buffer = if on_stack != 0 { high.wrapping_sub(buffer) } else { buffer };
    moves(ctx, connection, Direction::Receive, buffer, registers.first)
}

/// Where a goroutine's stack begins and ends: `runtime.g` begins with that.
#[inline(always)]
fn stack(goroutine: u64) -> Result<[u64; 2], Stop> {
    peek_user(goroutine).ok_or(Stop::NotOurs)
}

/// One goroutine can be in several calls, one in the other: TLS in TLS.
#[inline(always)]
fn key(registers: &Registers, high: u64) -> [u64; 2] {
    let process = bpf_get_current_pid_tgid() >> 32 << 32;
    [registers.goroutine, process | u64::from(high.wrapping_sub(registers.stack) as u32)]
}

#[inline(always)]
fn moves(
    ctx: &ProbeContext,
    connection: u64,
    direction: Direction,
    from: u64,
    len: u64,
) -> Result<(), Stop> {
    let pid = bpf_get_current_pid_tgid() >> 32;
    if find(pid, connection).is_none_or(|session| !session.is_tied()) {
        tie(pid, connection, layout(ctx).into());
    }
    plaintext::moved(connection, direction, from, len.min(i32::MAX as u64) as u32)
}

/// Ties a session to its socket, if that is found.
#[inline(never)]
fn tie(pid: u64, connection: u64, layout: u64) -> u32 {
    let mut sock = NOT_FOUND;
    if socket_behind(connection, layout, &mut sock) == 0 {
        return 0;
    }
    // SAFETY: the value is copied at once, and written once.
    let Some(end) = unsafe { GO_ENDS.get(sock.cookie) }.copied() else { return 0 };
    vote(pid, connection, &end, Vote::Inside)
}
