//! Frame headers of HTTP/2 (RFC 9113 section 4.1). The kernel side follows frames by them so as not to
//! copy what DATA carries; user space reads them again.

/// What a client's side of a connection begins with (RFC 9113 section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a frame header.
pub const HEADER: usize = 9;
/// No endpoint that is known allows longer frames than this, though the protocol has 24 bits.
const MAX_PLAUSIBLE: u32 = 1 << 20;

/// [`Frame::kind`] (RFC 9113 section 6).
pub const DATA: u8 = 0;
/// [`Frame::kind`].
pub const HEADERS: u8 = 1;
/// [`Frame::kind`].
pub const PRIORITY: u8 = 2;
/// [`Frame::kind`].
pub const RST_STREAM: u8 = 3;
/// [`Frame::kind`].
pub const SETTINGS: u8 = 4;
/// [`Frame::kind`].
pub const PUSH_PROMISE: u8 = 5;
/// [`Frame::kind`].
pub const PING: u8 = 6;
/// [`Frame::kind`].
pub const GOAWAY: u8 = 7;
/// [`Frame::kind`].
pub const WINDOW_UPDATE: u8 = 8;
/// [`Frame::kind`].
pub const CONTINUATION: u8 = 9;

/// [`Frame::flags`]; ACK (of SETTINGS and PING) is the same bit.
pub const END_STREAM: u8 = 0x1;
/// [`Frame::flags`].
pub const END_HEADERS: u8 = 0x4;
/// [`Frame::flags`].
pub const PADDED: u8 = 0x8;
/// [`Frame::flags`]: HEADERS begin with five bytes of priority.
pub const WITH_PRIORITY: u8 = 0x20;

/// A frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Bytes of the payload.
    pub length: u32,
    /// Which frame it is.
    pub kind: u8,
    /// What they mean depends on the kind.
    pub flags: u8,
    /// 0 is the connection itself.
    pub stream: u32,
}

impl Frame {
    /// From the nine bytes of the wire, given as the little-endian number that the first eight make, and
    /// the last.
    #[inline(always)]
    #[must_use]
    pub fn new(first: u64, last: u8) -> Self {
        let wire = first.swap_bytes();
        Self {
            length: (wire >> 40) as u32,
            kind: (wire >> 32) as u8,
            flags: (wire >> 24) as u8,
            stream: ((wire << 8) as u32 & 0x7fff_ff00) | last as u32,
        }
    }

    /// Has this flag.
    #[inline(always)]
    #[must_use]
    pub fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Nothing speaks against it where a frame has to begin: types that are not known are to be
    /// passed over (RFC 9113 section 4.1).
    #[inline(always)]
    #[must_use]
    pub fn is_possible(self) -> bool {
        self.length <= MAX_PLAUSIBLE || self.kind == DATA
    }

    /// What only a frame header looks like, so that one can be found where it is not expected.
    #[inline(always)]
    #[must_use]
    pub fn is_plausible(self) -> bool {
        let Self { length, kind, flags, stream } = self;
        let only = |allowed: u8| flags & !allowed == 0;
        let ordinary = length <= MAX_PLAUSIBLE && stream < 1 << 28;
        ordinary
            && match kind {
                DATA => stream > 0 && only(END_STREAM | PADDED),
                HEADERS => {
                    let flags = END_STREAM | END_HEADERS | PADDED | WITH_PRIORITY;
                    stream > 0 && length > 0 && only(flags)
                }
                PRIORITY => stream > 0 && length == 5 && only(0),
                RST_STREAM => stream > 0 && length == 4 && only(0),
                SETTINGS => {
                    let acknowledges = flags == END_STREAM;
                    stream == 0
                        && only(END_STREAM)
                        && length % 6 == 0
                        && length <= 96
                        && (!acknowledges || length == 0)
                }
                PUSH_PROMISE => stream > 0 && length > 4 && only(END_HEADERS | PADDED),
                PING => stream == 0 && length == 8 && only(END_STREAM),
                GOAWAY => stream == 0 && length >= 8 && only(0),
                WINDOW_UPDATE => length == 4 && only(0),
                CONTINUATION => stream > 0 && only(END_HEADERS),
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::{END_STREAM, Frame, HEADERS};

    #[test]
    fn a_header_is_read_from_its_words() {
        let wire = [0x01, 0x02, 0x03, HEADERS, END_STREAM, 0x84, 0x05, 0x06, 0x07];
        let first = u64::from_le_bytes(*wire.first_chunk().unwrap());
        let frame = Frame::new(first, wire[8]);
        let want =
            Frame { length: 0x0001_0203, kind: HEADERS, flags: END_STREAM, stream: 0x0405_0607 };
        assert_eq!(frame, want, "without the reserved bit");
    }
}
