//! Chunked transfer coding, followed byte by byte (RFC 9112 section 7.1).
//!
//! ```text
//! Size -> Extension -> Data -> DataEnd -> Size ...      last chunk: Size -> Trailer -> done
//! ```

use super::part::Part;
use super::window::Window;

/// Longest chunk-size line with its extensions, and longest trailer section. Peers of hyper and
/// Node's llhttp are held to 16 KiB as well.
const MAX_LINES: u32 = 16 * 1024;

/// Where in the coding the next byte lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Hexadecimal digits of the chunk size.
    Size { digits: u8 },
    /// White space after the size (bad, but tolerated as section 7.1.1 asks for extensions), then
    /// an extension or the line's end.
    AfterSize,
    /// The rest of the chunk-size line.
    Extension,
    /// The line feed after the carriage return of a chunk-size line.
    SizeEnd,
    /// Chunk data, `size` bytes of it to come.
    Data,
    /// CRLF after chunk data.
    DataEnd,
    /// The line feed of that.
    DataFeed,
    /// The beginning of a trailer line, or the final CRLF.
    TrailerStart,
    /// The line feed of the final CRLF.
    FinalFeed,
    /// The rest of a trailer line.
    Trailer,
    /// Nothing more belongs to the body.
    Over,
}

impl Phase {
    /// What the next byte is.
    fn part(self) -> Part {
        match self {
            Phase::Data => Part::Content,
            Phase::Extension => Part::Extension,
            Phase::TrailerStart | Phase::Trailer | Phase::FinalFeed => Part::Trailer,
            Phase::Size { .. }
            | Phase::AfterSize
            | Phase::SizeEnd
            | Phase::DataEnd
            | Phase::DataFeed
            | Phase::Over => Part::Framing,
        }
    }
}

/// How far a body has come within one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The operation is used up.
    More,
    /// The body is over; the window stands at the first byte after it.
    Done,
    /// Bytes are hidden that are needed to go on.
    Hidden,
    /// Not chunked coding.
    Broken,
}

/// A decoder.
#[derive(Clone, Debug)]
pub(super) struct Chunked {
    phase: Phase,
    size: u64,
    line: u32,
}

impl Chunked {
    /// At the beginning of a body.
    pub(super) fn new() -> Self {
        Chunked { phase: Phase::Size { digits: 0 }, size: 0, line: 0 }
    }

    /// Bytes of the current chunk's data that are to come.
    pub(super) fn data_left(&self) -> u64 {
        if self.phase == Phase::Data { self.size } else { 0 }
    }

    /// Reads on; `body` is advanced by the bytes of chunk data.
    pub(super) fn advance(&mut self, window: &mut Window<'_>, body: &mut u64) -> Progress {
        loop {
            window.mark(self.phase.part());
            if self.phase == Phase::Data {
                let step = self.size.min(window.len());
                window.skip(step);
                self.size -= step;
                *body = body.saturating_add(step);
                if self.size > 0 {
                    return Progress::More;
                }
                self.phase = Phase::DataEnd;
                window.mark(self.phase.part());
            }
            let Some(byte) = window.next() else {
                return if window.is_empty() { Progress::More } else { Progress::Hidden };
            };
            self.line += 1;
            match self.byte(byte) {
                Some(Phase::Over) => return Progress::Done,
                Some(phase) if self.line <= MAX_LINES => self.phase = phase,
                _ => return Progress::Broken,
            }
        }
    }

    /// The phase after this byte, or `None` if it has no place here. Lone line feeds pass for line
    /// ends, as RFC 9112 section 2.2 allows for heads.
    fn byte(&mut self, byte: u8) -> Option<Phase> {
        let phase = self.phase;
        Some(match (phase, byte) {
            (Phase::Size { digits: 0 }, b) if !b.is_ascii_hexdigit() => return None,
            (Phase::Size { digits }, b) if b.is_ascii_hexdigit() => {
                let value = char::from(b).to_digit(16).map(u64::from)?;
                self.size = self.size.checked_mul(16)?.checked_add(value)?;
                Phase::Size { digits: digits.saturating_add(1) }
            }
            (Phase::Size { .. } | Phase::AfterSize, b' ' | b'\t') => Phase::AfterSize,
            (Phase::Size { .. } | Phase::AfterSize, b';') => Phase::Extension,
            (Phase::Size { .. } | Phase::AfterSize | Phase::Extension, b'\r') => Phase::SizeEnd,
            (Phase::Size { .. } | Phase::AfterSize | Phase::Extension | Phase::SizeEnd, b'\n') => {
                if self.size == 0 {
                    Phase::TrailerStart
                } else {
                    self.line = 0;
                    Phase::Data
                }
            }
            (Phase::Size { .. } | Phase::AfterSize | Phase::SizeEnd, _) => return None,
            (Phase::Extension, _) => Phase::Extension,
            (Phase::DataEnd, b'\r') => Phase::DataFeed,
            (Phase::DataEnd | Phase::DataFeed, b'\n') => {
                self.line = 0;
                Phase::Size { digits: 0 }
            }
            (Phase::TrailerStart, b'\r') => Phase::FinalFeed,
            (Phase::TrailerStart | Phase::FinalFeed, b'\n') => Phase::Over,
            (
                Phase::Data | Phase::DataEnd | Phase::DataFeed | Phase::FinalFeed | Phase::Over,
                _,
            ) => {
                return None;
            }
            (Phase::Trailer, b'\n') => Phase::TrailerStart,
            (Phase::TrailerStart | Phase::Trailer, _) => Phase::Trailer,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunked, Progress, Window};
    use crate::connection::{Chunk, Moment};

    fn decode(bytes: &[u8]) -> (Progress, u64, u64) {
        let chunk = Chunk {
            at: Moment::default(),
            position: 0,
            len: bytes.len() as u64,
            head: bytes,
            tail: &[],
        };
        let (mut window, mut body) = (Window::new(&chunk), 0);
        let progress = Chunked::new().advance(&mut window, &mut body);
        (progress, body, window.len())
    }

    #[test]
    fn bodies_end_where_they_end() {
        for (bytes, want) in [
            (&b"0\r\n\r\nGET"[..], (Progress::Done, 0, 3)),
            (b"3\r\nabc\r\n0\r\n\r\n", (Progress::Done, 3, 0)),
            (
                b"003;a=\"b\"\r\nabc\r\nA \r\n0123456789\r\n00\r\nX: y\r\n\r\n!",
                (Progress::Done, 13, 1),
            ),
            (b"3\nabc\n0\n\n", (Progress::Done, 3, 0)),
            (b"3\r\nabc\r\n0\r\n\r", (Progress::More, 3, 0)),
        ] {
            assert_eq!(decode(bytes), want, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_is_not_chunked_is_refused() {
        for bytes in [
            &b"x"[..],
            b"\r\n",
            b"3 x\r\nabc",
            b"3\r\nabcd\r\n",
            b"3\r\nabc\rx",
            b"10000000000000000\r\n",
            b"0\r\n\rx",
        ] {
            assert_eq!(decode(bytes).0, Progress::Broken, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut bytes = b"1;".to_vec();
        bytes.resize(20_000, b'x');
        assert_eq!(decode(&bytes).0, Progress::Broken);
    }
}
