//! gRPC calls, by OpenTelemetry's semantic conventions for RPC and gRPC (1.39, release candidates).

use crate::connection::Moment;
use crate::exchange::Side;
use crate::protocol::http1::RequestHead;
use crate::protocol::http2::{Messages, Rpc};

use super::{Event, Value};

/// gRPC's status codes that a reset stands for, or that mean the server's failure.
const CANCELLED: u32 = 1;
const DEADLINE_EXCEEDED: u32 = 4;
/// What the conventions count as a server's error: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL,
/// UNAVAILABLE, DATA_LOSS.
const SERVER_ERRORS: [u32; 6] = [2, DEADLINE_EXCEEDED, 12, 13, 14, 15];
/// CANCEL (RFC 9113 section 7).
const CANCEL: u32 = 8;

/// What is called: `package.Service/Method`, which is the span's name as well; `grpc` where that is
/// not known.
pub(super) fn name(request: &RequestHead) -> String {
    match full_method(request) {
        Some(method) => method.to_owned(),
        None => "grpc".to_owned(),
    }
}

fn full_method(request: &RequestHead) -> Option<&str> {
    request.target.strip_prefix('/').filter(|method| !method.is_empty())
}

/// The system and the method.
pub(super) fn method(request: &RequestHead, put: &mut impl FnMut(&'static str, Value)) {
    put("rpc.system.name", "grpc".into());
    if let Some(method) = full_method(request) {
        put("rpc.method", method.to_owned().into());
    }
}

/// The deadline, and how many messages went each way.
pub(super) fn facts(rpc: &Rpc, put: &mut impl FnMut(&'static str, Value)) {
    if let Some(timeout) = rpc.timeout {
        put("tracer.rpc.timeout", (timeout as f64 / 1e9).into());
    }
    let counts = [("tracer.rpc.requests", &rpc.requests), ("tracer.rpc.responses", &rpc.responses)];
    for (key, messages) in counts {
        if !messages.inexact {
            put(key, i64::try_from(messages.count).unwrap_or(i64::MAX).into());
        }
    }
}

/// The call's status: as told, or what a cancelled one amounts to. `duration`: nanoseconds. The client
/// resets the stream for both reasons alike, and its clock starts before the first byte moves: one
/// that lasted for nine tenths of the time that it was given has run out of it.
pub(super) fn status(rpc: &Rpc, reset: Option<u32>, duration: u64) -> Option<u32> {
    match (rpc.status, reset) {
        (Some(status), _) => Some(status),
        (None, Some(CANCEL)) if rpc.timeout.is_some_and(|time| duration >= time - time / 10) => {
            Some(DEADLINE_EXCEEDED)
        }
        (None, Some(CANCEL)) => Some(CANCELLED),
        (None, _) => None,
    }
}

/// `error.type`, if the status is an error on this side.
pub(super) fn error(side: Side, status: u32) -> Option<String> {
    let failed = match side {
        Side::Client => status != 0,
        Side::Server => SERVER_ERRORS.contains(&status),
    };
    failed.then(|| Rpc::status_name(status))
}

/// Of streams, the first and the last message each way. `unix`: a moment's time in nanoseconds of the
/// Unix epoch.
pub(super) fn messages(rpc: &Rpc, side: Side, unix: impl Fn(&Moment) -> u64) -> Vec<Event> {
    let mut events = vec![];
    let mut tell = |messages: &Messages, kind: &'static str| {
        if messages.count < 2 {
            return;
        }
        let last = if messages.inexact { None } else { i64::try_from(messages.count).ok() };
        for (at, number) in [(&messages.first, Some(1)), (&messages.last, last)] {
            let Some(at) = at else { continue };
            let mut attributes = vec![("rpc.message.type".into(), kind.into())];
            if let Some(number) = number {
                attributes.push(("rpc.message.id".into(), Value::Int(number)));
            }
            events.push(Event { time: unix(at), name: "rpc.message".to_owned(), attributes });
        }
    };
    let (sent, received) = match side {
        Side::Client => (&rpc.requests, &rpc.responses),
        Side::Server => (&rpc.responses, &rpc.requests),
    };
    tell(sent, "SENT");
    tell(received, "RECEIVED");
    events.sort_by_key(|event| event.time);
    events
}

/// The name of an error code (RFC 9113 section 7); its number where it has none.
pub(super) fn reset_name(code: u32) -> String {
    const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    let name = usize::try_from(code).ok().and_then(|code| NAMES.get(code));
    name.map_or_else(|| code.to_string(), |name| (*name).to_owned())
}
