//! Where a message's body ends (RFC 9112 section 6.3).

use super::event::Fault;

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
    /// All that comes until the connection closes.
    UntilClose,
}

/// The fields that decide it, gathered from a head.
#[derive(Clone, Debug, Default)]
pub(super) struct Lengths {
    content_length: Option<Result<u64, ()>>,
    transfer_encoding: Option<Coding>,
}

/// The last transfer coding named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Chunked,
    Other,
}

impl Lengths {
    /// Takes one field into account; those that have nothing to do with framing are ignored.
    pub(super) fn add(&mut self, name: &str, value: &[u8]) {
        if name.eq_ignore_ascii_case("content-length") {
            // A list of equal numbers is one number: RFC 9110 section 8.6.
            for part in value.split(|b| *b == b',') {
                let number = decimal(part.trim_ascii()).ok_or(());
                self.content_length = Some(match self.content_length {
                    Some(before) if before != number => Err(()),
                    _ => number,
                });
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            let last = value.split(|b| *b == b',').map(<[u8]>::trim_ascii).rfind(|c| !c.is_empty());
            match last {
                // No coding any more since RFC 7230, but still sent to say "none".
                Some(coding)
                    if coding.eq_ignore_ascii_case(b"identity")
                        && self.transfer_encoding.is_none() => {}
                Some(coding) if coding.eq_ignore_ascii_case(b"chunked") => {
                    self.transfer_encoding = Some(Coding::Chunked);
                }
                Some(_) => self.transfer_encoding = Some(Coding::Other),
                None => {}
            }
        }
    }

    /// Content-Length, if it is valid.
    pub(super) fn content_length(&self) -> Option<u64> {
        self.content_length?.ok()
    }

    /// Of a request.
    pub(super) fn of_request(&self) -> Result<Framing, Fault> {
        match (self.transfer_encoding, self.content_length) {
            (Some(Coding::Chunked), _) => Ok(Framing::Chunked),
            (Some(Coding::Other), _) => Err(Fault::TransferEncoding),
            (None, Some(Err(()))) => Err(Fault::ContentLength),
            (None, Some(Ok(0)) | None) => Ok(Framing::None),
            (None, Some(Ok(length))) => Ok(Framing::Length(length)),
        }
    }

    /// Of a final response with this status to a request that was HEAD or not. What a 2xx to
    /// CONNECT begins is not a body, and not asked for here.
    pub(super) fn of_response(&self, status: u16, to_head: bool) -> Result<Framing, Fault> {
        if to_head || matches!(status, 100..=199 | 204 | 304) {
            return Ok(Framing::None);
        }
        match (self.transfer_encoding, self.content_length) {
            (Some(Coding::Chunked), _) => Ok(Framing::Chunked),
            (Some(Coding::Other), _) | (None, None) => Ok(Framing::UntilClose),
            (None, Some(Err(()))) => Err(Fault::ContentLength),
            (None, Some(Ok(0))) => Ok(Framing::None),
            (None, Some(Ok(length))) => Ok(Framing::Length(length)),
        }
    }
}

/// `1*DIGIT`, nothing else, within 64 bits.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::{Fault, Framing, Lengths};

    fn lengths(fields: &[(&str, &str)]) -> Lengths {
        let mut lengths = Lengths::default();
        fields.iter().for_each(|(name, value)| lengths.add(name, value.as_bytes()));
        lengths
    }

    #[test]
    fn of_requests() {
        for (fields, want) in [
            (&[][..], Ok(Framing::None)),
            (&[("Content-Length", "5")], Ok(Framing::Length(5))),
            (&[("content-length", "5"), ("Content-Length", "5, 5")], Ok(Framing::Length(5))),
            (&[("Content-Length", "5"), ("Content-Length", "6")], Err(Fault::ContentLength)),
            (&[("Content-Length", "5, 6")], Err(Fault::ContentLength)),
            (&[("Content-Length", "+5")], Err(Fault::ContentLength)),
            (&[("Content-Length", "")], Err(Fault::ContentLength)),
            (&[("Content-Length", "18446744073709551616")], Err(Fault::ContentLength)),
            (
                &[("Transfer-Encoding", "gzip, Chunked"), ("Content-Length", "5")],
                Ok(Framing::Chunked),
            ),
            (
                &[("Transfer-Encoding", "gzip"), ("Transfer-Encoding", "chunked")],
                Ok(Framing::Chunked),
            ),
            (&[("Transfer-Encoding", "chunked, gzip")], Err(Fault::TransferEncoding)),
            (&[("Transfer-Encoding", "identity"), ("Content-Length", "5")], Ok(Framing::Length(5))),
        ] {
            assert_eq!(lengths(fields).of_request(), want, "{fields:?}");
        }
    }

    #[test]
    fn of_responses() {
        let five = lengths(&[("Content-Length", "5")]);
        assert_eq!(five.of_response(200, false), Ok(Framing::Length(5)));
        assert_eq!(five.of_response(200, true), Ok(Framing::None));
        assert_eq!(five.of_response(204, false), Ok(Framing::None));
        assert_eq!(five.of_response(304, false), Ok(Framing::None));
        assert_eq!(lengths(&[]).of_response(200, false), Ok(Framing::UntilClose));
        let gzip = lengths(&[("Transfer-Encoding", "gzip"), ("Content-Length", "5")]);
        assert_eq!(gzip.of_response(200, false), Ok(Framing::UntilClose));
        let torn = lengths(&[("Content-Length", "5"), ("Content-Length", "x")]);
        assert_eq!(torn.of_response(200, false), Err(Fault::ContentLength));
        assert_eq!(torn.of_response(200, true), Ok(Framing::None));
    }
}
