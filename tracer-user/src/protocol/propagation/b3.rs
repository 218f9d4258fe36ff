//! What both forms of B3 have in common (<https://github.com/openzipkin/b3-propagation>).

use super::hex::id;

/// A trace id of 16 or 32 digits, the short one filled with zeros in front, and whether it was
/// short. Upper case is tolerated.
pub(super) fn trace_id(digits: &[u8]) -> Option<([u8; 16], bool)> {
    if digits.len() != 16 {
        return Some((id::<16>(digits)?, false));
    }
    let mut wide = [0; 16];
    let low = id::<8>(digits)?;
    wide.iter_mut().skip(8).zip(low).for_each(|(wide, low)| *wide = low);
    Some((wide, true))
}

/// A sampling decision: accept or deny. `true` and `false` are what old tracers send.
pub(super) fn sampled(value: &[u8]) -> Option<bool> {
    match value {
        b"1" => Some(true),
        b"0" => Some(false),
        _ if value.eq_ignore_ascii_case(b"true") => Some(true),
        _ if value.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}
