//! Drives a dialect in its unit tests, without an engine.

use super::{Calls, Dialect, Found, Message, Split};
use crate::connection::Moment;
use crate::protocol::http1::Direction;

/// An operation at this time (and with this order).
pub(super) fn at(time: u64) -> Moment {
    Moment { time, order: time, pid: 1, tid: 1, ..Moment::default() }
}

/// The messages that these bytes make up, of which the first is at stream position `position`, all of
/// one operation; what the dialect finds.
///
/// # Panics
/// Where the bytes do not end with a message.
pub(super) fn feed(
    dialect: &mut dyn Dialect,
    of: Direction,
    position: u64,
    mut bytes: &[u8],
    at: Moment,
) -> Vec<Found> {
    let (mut found, mut position) = (vec![], position);
    while !bytes.is_empty() {
        let Split::Message { length, want } = dialect.split(of, bytes) else {
            panic!("{:?} of {bytes:?}", dialect.split(of, bytes));
        };
        let end = usize::try_from(length).expect("a length");
        let (message, rest) = bytes.split_at_checked(end).expect("a whole message");
        let shown = message.get(..want).unwrap_or(message);
        let message = Message { bytes: shown, length, position, first: at, last: at };
        dialect.message(of, &message, &mut Calls::new(&mut found));
        position += length;
        bytes = rest;
    }
    found
}
