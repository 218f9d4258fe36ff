//! Where in a value the next element lies.

use super::element::{Element, Size};

/// Deepest nesting that is followed.
const MAX_DEPTH: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    /// So many elements are to come.
    Items(u64),
    /// So many elements of attributes, which are no value of what holds them.
    Attributes(u64),
    /// Elements until `.`.
    Open,
    /// Parts of a string until an empty one.
    Parts,
}

/// What holds the next element, from the outermost inwards.
#[derive(Debug, Default)]
pub(super) struct Nest(Vec<Frame>);

impl Nest {
    /// How many values hold the next element.
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }

    /// The next element begins a value.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether this element may come next.
    pub(super) fn allows(&self, element: &Element) -> bool {
        let within = match self.0.last() {
            Some(Frame::Parts) => element.kind == b';',
            Some(Frame::Open) => element.kind != b';',
            Some(Frame::Items(_) | Frame::Attributes(_)) | None => !b";.".contains(&element.kind),
        };
        let opens = matches!(element.size, Size::Items(_) | Size::Open);
        within && !(opens && self.depth() >= MAX_DEPTH)
    }

    /// It comes, and is one that may: whether a value is complete with it that nothing holds.
    pub(super) fn take(&mut self, element: &Element) -> bool {
        let frame = match (element.kind, element.size) {
            (b'$', Size::Open) => Frame::Parts,
            (_, Size::Open) => Frame::Open,
            (b'|', Size::Items(pairs)) => Frame::Attributes(pairs.saturating_mul(2)),
            (b'%', Size::Items(pairs)) => Frame::Items(pairs.saturating_mul(2)),
            (_, Size::Items(items)) => Frame::Items(items),
            (b';', Size::Bytes(_)) => return false,
            (b'.' | b';', _) => {
                self.0.pop();
                return self.complete();
            }
            (_, Size::Line | Size::Bytes(_)) => return self.complete(),
        };
        match frame {
            Frame::Attributes(0) => false,
            Frame::Items(0) => self.complete(),
            frame => {
                self.0.push(frame);
                false
            }
        }
    }

    /// A value is, and perhaps with it those that hold it.
    fn complete(&mut self) -> bool {
        while let Some(frame) = self.0.last_mut() {
            match frame {
                Frame::Open | Frame::Parts => return false,
                Frame::Items(left) | Frame::Attributes(left) if *left > 1 => {
                    *left -= 1;
                    return false;
                }
                Frame::Attributes(_) => {
                    self.0.pop();
                    return false;
                }
                Frame::Items(_) => {
                    self.0.pop();
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::element::{Parsed, parse};
    use super::Nest;

    /// How many values these bytes are, if they are whole ones.
    fn values(mut bytes: &[u8]) -> Option<usize> {
        let (mut nest, mut values) = (Nest::default(), 0);
        while !bytes.is_empty() {
            let Parsed::Whole(element) = parse(bytes) else { return None };
            if !nest.allows(&element) {
                return None;
            }
            values += usize::from(nest.take(&element));
            bytes = bytes.get(usize::try_from(element.length()).ok()?..)?;
        }
        (nest.depth() == 0).then_some(values)
    }

    #[test]
    fn values_end_with_their_last_element() {
        let cases: [(&[u8], usize); 12] = [
            (b"*0\r\n", 1),
            (b"+OK\r\n:1\r\n", 2),
            (b"*2\r\n$5\r\nhello\r\n$5\r\nworld\r\n", 1),
            (b"*2\r\n*3\r\n:1\r\n:2\r\n:3\r\n*2\r\n+Hello\r\n-World\r\n", 1),
            (b"*3\r\n$5\r\nhello\r\n$-1\r\n$5\r\nworld\r\n", 1),
            (b"%2\r\n+first\r\n:1\r\n+second\r\n:2\r\n", 1),
            (b"~2\r\n+orange\r\n#t\r\n", 1),
            (b"|1\r\n+key-popularity\r\n%2\r\n$1\r\na\r\n,0.1923\r\n$1\r\nb\r\n,0.0012\r\n*2\r\n:2039123\r\n:9543892\r\n", 1),
            (b"*3\r\n:1\r\n:2\r\n|1\r\n+ttl\r\n:3600\r\n:3\r\n", 1),
            (b"$?\r\n;4\r\nHell\r\n;5\r\no wor\r\n;1\r\nd\r\n;0\r\n", 1),
            (b"*?\r\n:1\r\n:2\r\n:3\r\n.\r\n", 1),
            (b"%?\r\n+a\r\n:1\r\n+b\r\n:2\r\n.\r\n", 1),
        ];
        for (bytes, count) in cases {
            assert_eq!(values(bytes), Some(count), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn what_may_not_come_is_refused() {
        assert_eq!(values(b".\r\n"), None);
        assert_eq!(values(b";1\r\na\r\n"), None);
        assert_eq!(values(b"$?\r\n:1\r\n"), None);
        assert_eq!(values(&b"*1\r\n".repeat(33)), None);
        assert_eq!(values(&[b"*1\r\n".repeat(32), b":1\r\n".to_vec()].concat()), Some(1));
    }
}
