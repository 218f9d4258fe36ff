//! What was said on a WebSocket connection. OpenTelemetry has no conventions for it; the code is named
//! as Datadog's tracers name it.

use crate::exchange::Side;
use crate::protocol::websocket::Tally;

use super::Value;

/// Codes with which a connection is closed that failed (RFC 6455 section 7.4.1, IANA's registry), by
/// the server's fault and by anybody's.
const SERVER_ERRORS: [u16; 3] = [1011, 1013, 1014];
const ERRORS: [u16; 6] = [1002, 1003, 1007, 1008, 1009, 1010];

/// The code with which it was closed: whoever hears one sends it back (RFC 6455 section 5.5.1).
fn code([client, server]: &[Tally; 2]) -> Option<u16> {
    client.code.or(server.code)
}

/// What went each way, as far as it could be followed.
pub(super) fn facts(tallies: &[Tally; 2], put: &mut impl FnMut(&'static str, Value)) {
    const KEYS: [[&str; 3]; 2] = [
        [
            "tracer.websocket.client.messages",
            "tracer.websocket.client.bytes",
            "tracer.websocket.client.pings_and_pongs",
        ],
        [
            "tracer.websocket.server.messages",
            "tracer.websocket.server.bytes",
            "tracer.websocket.server.pings_and_pongs",
        ],
    ];
    for (keys, tally) in KEYS.into_iter().zip(tallies).filter(|(_, tally)| !tally.inexact) {
        let counts = [tally.messages, tally.bytes, tally.beats];
        for (key, count) in keys.into_iter().zip(counts) {
            put(key, i64::try_from(count).unwrap_or(i64::MAX).into());
        }
    }
    if let Some(code) = code(tallies) {
        put("websocket.close.code", i64::from(code).into());
    }
}

/// `error.type`, if the code says that something failed for this side.
pub(super) fn error(side: Side, tallies: &[Tally; 2]) -> Option<String> {
    let code = code(tallies)?;
    let failed = SERVER_ERRORS.contains(&code) || side == Side::Client && ERRORS.contains(&code);
    failed.then(|| code.to_string())
}
