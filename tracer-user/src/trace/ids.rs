//! Ids that follow from pair keys, so that the same events always give the same ids, and both ends
//! of an exchange can compute each other's.

use crate::exchange::{PairKey, Side, mix};

use super::{SpanId, TraceId};

const CLIENT: u64 = 0x636c_6965_6e74;
const SERVER: u64 = 0x7365_7276_6572;
const TRACE: [u64; 2] = [0x7472_6163_6530, 0x7472_6163_6531];

/// The id of the span of one side of an exchange.
#[must_use]
pub fn span_id(key: PairKey, side: Side) -> SpanId {
    let salt = match side {
        Side::Client => CLIENT,
        Side::Server => SERVER,
    };
    SpanId(mix(key.0 ^ salt).max(1).to_be_bytes())
}

/// The id to take instead of one that is taken: only exchanges that share a pair key need it.
pub(super) fn another(taken: SpanId) -> SpanId {
    SpanId(mix(u64::from_be_bytes(taken.0)).max(1).to_be_bytes())
}

/// The id of the trace that begins with an exchange.
#[must_use]
pub fn trace_id(key: PairKey) -> TraceId {
    let [high, low] = TRACE.map(|salt| mix(key.0 ^ salt).max(1).to_be_bytes());
    let mut id = [0; 16];
    let (first, second) = id.split_at_mut(8);
    first.copy_from_slice(&high);
    second.copy_from_slice(&low);
    TraceId(id)
}
