//! HTTP/2's streams: which goroutine asks for one, and which one answers it.

use aya_ebpf::programs::ProbeContext;
use tracer_common::{
    golang::Layout,
    record::{COURSE_CALLS, COURSE_SERVES, COURSE_WRITES},
};

use super::{Registers, connection::socket_of, course, layout};
use crate::{kernel::peek_user, ring::send, verdict::Stop};

/// Kinds of structures that have connections.
const SERVER: u32 = 1;
const RPC_SERVER: u32 = 2;
const RPC_CLIENT: u32 = 3;

/// `func (sc *serverConn) runHandler(rw *responseWriter, req *Request, handler func(...))` of net/http and
/// golang.org/x/net/http2: the goroutine answers one stream. `responseWriter` begins with a
/// `*responseWriterState`, that with a `*stream`, and that with its `*serverConn` and its number; so in
/// every version since Go 1.18.
#[inline(always)]
pub(crate) fn try_serves(ctx: &ProbeContext) -> Result<(), Stop> {
    let registers = Registers::of(ctx);
    let state: u64 = peek_user(registers.second).ok_or(Stop::NotOurs)?;
    let stream: u64 = peek_user(state).ok_or(Stop::NotOurs)?;
    let [connection, number] = peek_user::<[u64; 2]>(stream).ok_or(Stop::NotOurs)?;
    if connection != registers.first {
        return Err(Stop::NotOurs);
    }
    tell(COURSE_SERVES, connection, SERVER, number as u32, layout(ctx))
}

/// `func (s *Server) handleStream(t transport.ServerTransport, stream *transport.ServerStream)` of
/// grpc-go: the goroutine answers one stream now, and may answer another one after it.
#[inline(always)]
pub(crate) fn try_rpc_serves(ctx: &ProbeContext) -> Result<(), Stop> {
    let (registers, layout) = (Registers::of(ctx), layout(ctx));
    let number = number(registers.fourth, layout).ok_or(Stop::NotOurs)?;
    tell(COURSE_SERVES, registers.third, RPC_SERVER, number, layout)
}

/// A return of `func (t *http2Client) NewStream(ctx, callHdr, ...) (*ClientStream, error)` of grpc-go: the
/// goroutine has asked for a call, and its stream has a number.
#[inline(always)]
pub(crate) fn try_rpc_called(ctx: &ProbeContext) -> Result<(), Stop> {
    let (stream, layout) = (Registers::of(ctx).first, layout(ctx));
    if stream == 0 {
        return Err(Stop::NotOurs);
    }
    let transport = peek_user(stream.wrapping_add(layout.conn.into())).ok_or(Stop::NotOurs)?;
    let number = number(stream, layout).ok_or(Stop::NotOurs)?;
    tell(COURSE_CALLS, transport, RPC_CLIENT, number, layout)
}

/// `func (cs *clientStream) doRequest(req *Request, ...)` of net/http and golang.org/x/net/http2: whoever asks
/// has started this goroutine, and it writes that request, and nothing else.
#[inline(always)]
pub(crate) fn try_writes() -> Result<(), Stop> {
    send(&course(COURSE_WRITES, 0, 0)?)
}

/// The number of a stream of grpc-go.
#[inline(always)]
fn number(stream: u64, layout: Layout) -> Option<u32> {
    let holder = if layout.behind == 0 { stream } else { peek_user(stream)? };
    peek_user(holder.wrapping_add(layout.stream.into()))
}

/// Clients' streams have odd numbers (RFC 9113 section 5.1.1).
#[inline(always)]
fn tell(change: u32, holder: u64, kind: u32, number: u32, layout: Layout) -> Result<(), Stop> {
    let sock = socket_of(holder, kind, layout).ok_or(Stop::NotOurs)?;
    if sock.cookie == 0 || number & 0x8000_0001 != 1 {
        return Err(Stop::NotOurs);
    }
    send(&course(change, sock.cookie, number)?)
}
