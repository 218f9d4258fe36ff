//! Elements of RESP: <https://redis.io/docs/latest/develop/reference/protocol-spec/>, and streamed ones:
//! <https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md>.

/// Longest line of those that hold a number.
const MAX_NUMBER: usize = 32;

/// What follows an element's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// Nothing: the line is all of it. So it is for nulls of RESP2.
    Line,
    /// So many bytes, and the end of a line.
    Bytes(u64),
    /// So many elements (in maps: pairs of them).
    Items(u64),
    /// Parts, until one says that it is the last.
    Open,
}

/// An element, or the beginning of one that holds others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// Its first byte.
    pub(super) kind: u8,
    /// Bytes of its line, with the end of it.
    pub(super) line: usize,
    pub(super) size: Size,
}

/// What some bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    More,
    Whole(Element),
    Invalid,
}

impl Element {
    /// Bytes of it without those that it holds.
    pub(super) fn length(&self) -> u64 {
        match self.size {
            Size::Bytes(bytes) => (self.line as u64).saturating_add(bytes).saturating_add(2),
            Size::Line | Size::Items(_) | Size::Open => self.line as u64,
        }
    }

    /// Of its bytes, those that are its value; cut where `bytes` are.
    pub(super) fn value<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let (from, to) = match self.size {
            Size::Bytes(length) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                (self.line, self.line.saturating_add(length).min(bytes.len()))
            }
            Size::Line | Size::Items(_) | Size::Open => (1, self.line.saturating_sub(2)),
        };
        bytes.get(from..to).unwrap_or_default()
    }
}

/// Reads the element that these bytes begin with.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let Some((&kind, rest)) = bytes.split_first() else { return Parsed::More };
    if !b"+-:_#,($=!;*%~>|.".contains(&kind) {
        return Parsed::Invalid;
    }
    let free = matches!(kind, b'+' | b'-' | b'(');
    let end =
        rest.iter().take(if free { usize::MAX } else { MAX_NUMBER }).position(|b| *b == b'\n');
    let Some(end) = end else {
        let text = rest.strip_suffix(b"\r").unwrap_or(rest);
        let begun = free || rest.len() < MAX_NUMBER && sounds(kind, text, false);
        return if begun && !text.contains(&b'\r') { Parsed::More } else { Parsed::Invalid };
    };
    let text = rest.get(..end).and_then(|line| line.strip_suffix(b"\r"));
    let Some(text) = text.filter(|text| !text.contains(&b'\r') && sounds(kind, text, true)) else {
        return Parsed::Invalid;
    };
    let Some(size) = size(kind, text) else { return Parsed::Invalid };
    Parsed::Whole(Element { kind, line: end + 2, size })
}

/// Whether a line of this kind may say so; if it is not `whole`, whether it may go on to.
fn sounds(kind: u8, text: &[u8], whole: bool) -> bool {
    match kind {
        b'+' => true,
        b'-' => !whole || text.first().is_some_and(u8::is_ascii_alphanumeric),
        b'(' | b':' => {
            text.iter().all(|b| b.is_ascii_digit() || b"+-".contains(b))
                && (!whole || !text.is_empty())
        }
        b',' => {
            text.iter().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b))
                && (!whole || !text.is_empty())
        }
        b'#' => matches!(text, b"t" | b"f") || !whole && text.is_empty(),
        b'_' | b'.' => text.is_empty(),
        _ => text.iter().all(|b| b.is_ascii_digit() || b"-?".contains(b)),
    }
}

/// What follows this line; `None` if it is no element's.
fn size(kind: u8, text: &[u8]) -> Option<Size> {
    let holds = match kind {
        b'$' | b'=' | b'!' | b';' => Size::Bytes,
        b'*' | b'%' | b'~' | b'>' | b'|' => Size::Items,
        _ => return Some(Size::Line),
    };
    match text {
        b"-1" if matches!(kind, b'$' | b'*') => Some(Size::Line),
        b"?" if matches!(kind, b'$' | b'*' | b'%' | b'~') => Some(Size::Open),
        b"0" if kind == b';' => Some(Size::Line),
        // Twelve digits: larger than any value, and none that overflows.
        digits
            if !digits.is_empty()
                && digits.len() <= 12
                && digits.iter().all(u8::is_ascii_digit) =>
        {
            Some(holds(digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Element, Parsed, Size, parse};

    #[test]
    fn each_kind_is_read() {
        let cases: [(&[u8], Size, u64); 18] = [
            (b"+OK\r\n", Size::Line, 5),
            (b"-ERR unknown command 'asdf'\r\n", Size::Line, 29),
            (b":-1000\r\n", Size::Line, 8),
            (b"$5\r\nhello\r\n", Size::Bytes(5), 11),
            (b"$-1\r\n", Size::Line, 5),
            (b"$1073741824\r\n", Size::Bytes(1 << 30), 13 + (1 << 30) + 2),
            (b"*-1\r\n", Size::Line, 5),
            (b"*3\r\n", Size::Items(3), 4),
            (b"_\r\n", Size::Line, 3),
            (b"#t\r\n", Size::Line, 4),
            (b",1.23\r\n", Size::Line, 7),
            (b",-inf\r\n", Size::Line, 7),
            (b"(3492890328409238509324850943850943825024385\r\n", Size::Line, 46),
            (b"!21\r\nSYNTAX invalid syntax\r\n", Size::Bytes(21), 28),
            (b"=15\r\ntxt:Some string\r\n", Size::Bytes(15), 22),
            (b"%2\r\n", Size::Items(2), 4),
            (b"$?\r\n", Size::Open, 4),
            (b";0\r\n", Size::Line, 4),
        ];
        for (bytes, size, length) in cases {
            let Parsed::Whole(element) = parse(bytes) else { panic!("{bytes:?}") };
            assert_eq!((element.size, element.length()), (size, length), "{bytes:?}");
            for end in 0..element.line {
                assert_eq!(parse(&bytes[..end]), Parsed::More, "{bytes:?} {end}");
            }
        }
    }

    #[test]
    fn values_are_those_bytes_that_are_there() {
        let element = Element { kind: b'$', line: 4, size: Size::Bytes(5) };
        assert_eq!(element.value(b"$5\r\nhello\r\n"), b"hello");
        assert_eq!(element.value(b"$5\r\nhel"), b"hel");
        assert_eq!(Element { kind: b'+', line: 5, size: Size::Line }.value(b"+OK\r\n"), b"OK");
    }

    #[test]
    fn other_bytes_are_none() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"*3\n",
            b"*x\r\n",
            b"$-2\r\n",
            b"$99999999999999\r\n",
            b"*11111111111111111111111111111111111111",
            b"+a\rb\r\n",
            b"#x\r\n",
            b"-\r\n",
            b":\r\n",
            b"\x16\x03\x01",
        ] {
            assert_eq!(parse(bytes), Parsed::Invalid, "{bytes:?}");
        }
    }
}
