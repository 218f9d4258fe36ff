//! The PROXY protocol's prefix, which load balancers put before the first request of a connection
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>, sections 2.1 and 2.2).

use super::window::Window;

/// Version 1: a line that begins so, at most 107 bytes with its CRLF.
const V1: &[u8] = b"PROXY ";
const V1_MAX: usize = 107;
/// Version 2: a signature, version and command, family, and the length of what follows as 16 bits,
/// big-endian.
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const V2_HEADER: usize = 16;

/// A prefix being read.
#[derive(Clone, Debug)]
pub(super) enum Prefix {
    /// Its bytes so far.
    Reading(Vec<u8>),
    /// Version 2: bytes still to skip.
    Skipping(u64),
}

/// What the bytes so far are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Not decided, or not over: the window is used up.
    More,
    /// A prefix that is over.
    Over,
    /// No prefix; these bytes were taken for its beginning.
    Other(Vec<u8>),
    /// A prefix that breaks off or is malformed.
    Broken,
}

impl Prefix {
    /// At a connection's first byte.
    pub(super) fn new() -> Self {
        Prefix::Reading(Vec::new())
    }

    /// It may be one that begins like this.
    pub(super) fn may_begin(bytes: &[u8]) -> bool {
        !bytes.is_empty() && (begins(bytes, V1) || begins(bytes, V2))
    }

    /// Reads on.
    pub(super) fn advance(&mut self, window: &mut Window<'_>) -> Verdict {
        loop {
            match self {
                Prefix::Skipping(left) => {
                    let step = window.len().min(*left);
                    window.skip(step);
                    *left -= step;
                    return if *left == 0 { Verdict::Over } else { Verdict::More };
                }
                Prefix::Reading(bytes) => {
                    let Some(byte) = window.next() else {
                        return if window.is_empty() { Verdict::More } else { Verdict::Broken };
                    };
                    bytes.push(byte);
                    if begins(bytes, V1) {
                        match (byte, bytes.len()) {
                            (b'\n', _) => return Verdict::Over,
                            (_, V1_MAX..) => return Verdict::Broken,
                            _ => {}
                        }
                    } else if begins(bytes, V2) {
                        if let Some([version, _, high, low]) = bytes.get(V2.len()..V2_HEADER) {
                            if version >> 4 != 2 {
                                return Verdict::Broken;
                            }
                            *self = Prefix::Skipping(u16::from_be_bytes([*high, *low]).into());
                        }
                    } else {
                        return Verdict::Other(std::mem::take(bytes));
                    }
                }
            }
        }
    }
}

/// Takes the next byte of what may be a prefix into `so_far`, which is kept short; whether the byte is
/// of those that tell what it is and where it ends.
pub(super) fn shows(so_far: &mut Vec<u8>, byte: u8) -> bool {
    if so_far.len() >= V2_HEADER {
        return begins(so_far, V1) && byte == b'\n';
    }
    so_far.push(byte);
    !begins(so_far, V1) || so_far.len() <= V1.len() || byte == b'\n'
}

/// The first bytes are those of a prefix, and not only of what might have become one.
pub(super) fn is_prefix(bytes: &[u8]) -> bool {
    bytes.starts_with(V1) || bytes.starts_with(V2)
}

/// One begins with the other.
fn begins(bytes: &[u8], pattern: &[u8]) -> bool {
    bytes.iter().zip(pattern).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use super::{Prefix, Verdict, Window};
    use crate::connection::{Chunk, Moment};

    fn read(bytes: &[u8]) -> (Verdict, u64) {
        let at = Moment::default();
        let mut window = Window::new(&Chunk {
            at,
            position: 0,
            len: bytes.len() as u64,
            head: bytes,
            tail: &[],
        });
        (Prefix::new().advance(&mut window), window.len())
    }

    #[test]
    fn both_versions_are_passed_over() {
        assert_eq!(read(b"PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\nGET"), (Verdict::Over, 3));
        assert_eq!(read(b"PROXY UNKNOWN\r\nGET"), (Verdict::Over, 3));
        let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0cabcdefghijklGET";
        assert_eq!(read(v2), (Verdict::Over, 3));
        assert_eq!(read(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0GET"), (Verdict::Over, 3));
    }

    #[test]
    fn what_is_none_is_given_back() {
        assert_eq!(read(b"PROPFIND /"), (Verdict::Other(b"PROP".to_vec()), 6));
        assert_eq!(read(b"\r\nGET /"), (Verdict::Other(b"\r\nG".to_vec()), 4));
        assert_eq!(read(b"P"), (Verdict::More, 0));
    }

    #[test]
    fn malformed_ones_are_refused() {
        let long = [V1_START, &[b'x'; 200]].concat();
        assert_eq!(read(&long).0, Verdict::Broken);
        assert_eq!(read(b"\r\n\r\n\0\r\nQUIT\n\x11\x11\0\x0c").0, Verdict::Broken);
    }

    const V1_START: &[u8] = b"PROXY TCP4 ";
}
