//! gRPC over HTTP/2 (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>): what a call's
//! frames tell.

use crate::connection::Moment;

/// What is known of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rpc {
    /// `grpc-status`, if it was told.
    pub status: Option<u32>,
    /// `grpc-timeout`, nanoseconds.
    pub timeout: Option<u64>,
    /// Messages of the client.
    pub requests: Messages,
    /// Messages of the server.
    pub responses: Messages,
}

/// The messages of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// How many have begun.
    pub count: u64,
    /// Some may not have been seen.
    pub inexact: bool,
    /// The operation with the first byte of the first one.
    pub first: Option<Moment>,
    /// The same of the last one.
    pub last: Option<Moment>,
    /// Of a message's prefix, what has come: a flag and four bytes of length.
    prefix: Vec<u8>,
    /// Bytes of the message that are still to come.
    left: u64,
}

/// Bytes of a message's prefix.
pub(super) const PREFIX: usize = 5;

impl Messages {
    /// Bytes of content came with an operation.
    pub(super) fn bytes(&mut self, mut bytes: &[u8], at: Moment) {
        while !bytes.is_empty() && !self.inexact {
            if self.left > 0 {
                let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.left -= taken as u64;
                bytes = bytes.get(taken..).unwrap_or_default();
                continue;
            }
            if self.prefix.is_empty() {
                self.count += 1;
                self.first.get_or_insert(at);
                self.last = Some(at);
            }
            let taken = (PREFIX - self.prefix.len()).min(bytes.len());
            let (prefix, rest) = bytes.split_at(taken);
            self.prefix.extend_from_slice(prefix);
            bytes = rest;
            if let [_, a, b, c, d] = self.prefix[..] {
                self.left = u32::from_be_bytes([a, b, c, d]).into();
                self.prefix.clear();
            }
        }
    }

    /// Bytes of content came that are not known.
    pub(super) fn unseen(&mut self, bytes: u64) {
        self.inexact |= bytes > self.left;
        self.left = self.left.saturating_sub(bytes);
    }
}

impl Rpc {
    /// If that is what a content type says: `application/grpc`, perhaps with a suffix.
    pub(super) fn of(content_type: &[u8]) -> Option<Self> {
        let rest = content_type.strip_prefix(b"application/grpc")?;
        matches!(rest.first(), None | Some(b'+' | b';')).then(Self::default)
    }

    /// The name of a status code (<https://grpc.io/docs/guides/status-codes/>); its number where it
    /// has none.
    #[must_use]
    pub fn status_name(code: u32) -> String {
        const NAMES: [&str; 17] = [
            "OK",
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED",
        ];
        let name = usize::try_from(code).ok().and_then(|code| NAMES.get(code));
        name.map_or_else(|| code.to_string(), |name| (*name).to_owned())
    }
}

/// `grpc-timeout`: at most eight digits and a unit; nanoseconds.
pub(super) fn timeout(value: &[u8]) -> Option<u64> {
    let (unit, digits) = value.split_last()?;
    let unit = match unit {
        b'H' => 3_600_000_000_000,
        b'M' => 60_000_000_000,
        b'S' => 1_000_000_000,
        b'm' => 1_000_000,
        b'u' => 1_000,
        b'n' => 1,
        _ => return None,
    };
    let count: u64 = number(digits)?;
    count.checked_mul(unit)
}

/// A decimal number of at most eight digits.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    let plain = (1..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::{Messages, Moment, Rpc, timeout};

    #[test]
    fn messages_are_counted_however_they_are_cut() {
        let bytes =
            [&[0, 0, 0, 0, 3][..], b"abc", &[0, 0, 0, 0, 0], &[1, 0, 0, 0, 1], b"x"].concat();
        for size in 1..=bytes.len() {
            let mut messages = Messages::default();
            bytes.chunks(size).for_each(|part| messages.bytes(part, Moment::default()));
            assert_eq!((messages.count, messages.inexact), (3, false), "{size}");
        }
    }

    #[test]
    fn what_is_not_seen_is_passed_over_within_a_message() {
        let mut messages = Messages::default();
        messages.bytes(&[0, 0, 0, 0, 200], Moment::default());
        messages.unseen(200);
        assert!(!messages.inexact);
        messages.bytes(&[0, 0, 0, 0, 9], Moment::default());
        messages.unseen(10);
        assert_eq!((messages.count, messages.inexact), (2, true));
    }

    #[test]
    fn content_types_and_timeouts() {
        assert!(
            Rpc::of(b"application/grpc").is_some() && Rpc::of(b"application/grpc+proto").is_some()
        );
        assert!(Rpc::of(b"application/grpc-web").is_none() && Rpc::of(b"text/html").is_none());
        assert_eq!(timeout(b"5S"), Some(5_000_000_000));
        assert_eq!(timeout(b"99999999H"), None);
        assert_eq!((timeout(b""), timeout(b"S"), timeout(b"1x")), (None, None, None));
    }
}
