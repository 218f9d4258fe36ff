//! As much of BSON as a bystander reads: <https://bsonspec.org/spec.html>.

pub(super) const DOUBLE: u8 = 0x01;
pub(super) const STRING: u8 = 0x02;
pub(super) const DOCUMENT: u8 = 0x03;
pub(super) const ARRAY: u8 = 0x04;
pub(super) const OBJECT_ID: u8 = 0x07;
pub(super) const BOOLEAN: u8 = 0x08;
pub(super) const DATE: u8 = 0x09;
pub(super) const NULL: u8 = 0x0a;
pub(super) const INT32: u8 = 0x10;
pub(super) const INT64: u8 = 0x12;

/// An element of a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub(super) kind: u8,
    pub(super) name: &'a [u8],
    /// Cut where the bytes are.
    value: &'a [u8],
}

/// The elements of a document, as far as its bytes are there.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a>(&'a [u8]);

/// A number of 4 bytes, and what follows it.
pub(super) fn int(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((i32::from_le_bytes(*number), rest))
}

/// Bytes until a zero, and what follows it.
pub(super) fn cstring(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}

impl<'a> Elements<'a> {
    /// Of the document that these bytes begin with; what follows it.
    pub(super) fn of(bytes: &'a [u8]) -> (Self, &'a [u8]) {
        let length = int(bytes).and_then(|(length, _)| usize::try_from(length).ok());
        let Some(length) = length.filter(|length| *length >= 5) else { return (Self(&[]), &[]) };
        let (document, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
        (Self(document.get(4..).unwrap_or_default()), rest)
    }

    /// The first one of this name.
    pub(super) fn get(&self, name: &str) -> Option<Element<'a>> {
        self.clone().find(|element| element.name == name.as_bytes())
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (&kind, rest) = self.0.split_first().filter(|(kind, _)| **kind != 0)?;
        let (name, rest) = cstring(rest)?;
        let length = length(kind, rest);
        let (value, rest) =
            length.and_then(|length| rest.split_at_checked(length)).unwrap_or((rest, &[]));
        self.0 = rest;
        Some(Element { kind, name, value })
    }
}

/// How long a value is; `None` if it is not known.
fn length(kind: u8, value: &[u8]) -> Option<usize> {
    let counted = |more: usize| {
        let (length, _) = int(value)?;
        usize::try_from(length).ok()?.checked_add(more)
    };
    match kind {
        0x06 | NULL | 0x7f | 0xff => Some(0),
        BOOLEAN => Some(1),
        INT32 => Some(4),
        DOUBLE | DATE | 0x11 | INT64 => Some(8),
        OBJECT_ID => Some(12),
        0x13 => Some(16),
        STRING | 0x0d | 0x0e => counted(4),
        0x05 => counted(5),
        0x0c => counted(16),
        DOCUMENT | ARRAY | 0x0f => counted(0).filter(|length| *length >= 5),
        0x0b => {
            let (_, rest) = cstring(value)?;
            let (_, rest) = cstring(rest)?;
            Some(value.len() - rest.len())
        }
        _ => None,
    }
}

impl<'a> Element<'a> {
    /// Of a string.
    pub(super) fn text(&self) -> Option<&'a [u8]> {
        let (length, rest) = int(self.value).filter(|_| self.kind == STRING)?;
        let length = usize::try_from(length).ok()?.checked_sub(1)?;
        Some(rest.get(..length).unwrap_or(rest))
    }

    /// Of a number or a boolean, without its fraction.
    pub(super) fn number(&self) -> Option<i64> {
        match self.kind {
            DOUBLE => Some(f64::from_le_bytes(*self.value.first_chunk()?) as i64),
            BOOLEAN => self.value.first().map(|byte| i64::from(*byte)),
            INT32 => Some(i64::from(i32::from_le_bytes(*self.value.first_chunk()?))),
            DATE | INT64 => Some(i64::from_le_bytes(*self.value.first_chunk()?)),
            _ => None,
        }
    }

    /// Of a number with its fraction.
    pub(super) fn double(&self) -> Option<f64> {
        self.value
            .first_chunk()
            .filter(|_| self.kind == DOUBLE)
            .map(|bytes| f64::from_le_bytes(*bytes))
    }

    /// Of a document or an array.
    pub(super) fn elements(&self) -> Option<Elements<'a>> {
        matches!(self.kind, DOCUMENT | ARRAY).then(|| Elements::of(self.value).0)
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::{ARRAY, Elements, INT32, STRING};

    /// Examples of the specification.
    const HELLO: &[u8] = b"\x16\0\0\0\x02hello\0\x06\0\0\0world\0\0";
    const ARRAYS: &[u8] =
        b"\x31\0\0\0\x04BSON\0\x26\0\0\0\x020\0\x08\0\0\0awesome\0\x011\0\x33\x33\x33\x33\x33\x33\x14\x40\x102\0\xc2\x07\0\0\0\0";

    #[test]
    fn documents_are_read() {
        let (mut elements, rest) = Elements::of(HELLO);
        let hello = elements.next().expect("an element");
        assert_eq!(
            (hello.kind, hello.name, hello.text()),
            (STRING, &b"hello"[..], Some(&b"world"[..]))
        );
        assert!(elements.next().is_none() && rest.is_empty());
        let array = Elements::of(ARRAYS).0.get("BSON").expect("an element");
        assert_eq!(array.kind, ARRAY);
        let values: Vec<_> = array.elements().expect("an array").collect();
        let [awesome, half, number] = &values[..] else { panic!("{values:?}") };
        assert_eq!(awesome.text(), Some(&b"awesome"[..]));
        assert_eq!((half.double(), half.number()), (Some(5.05), Some(5)));
        assert_eq!((number.kind, number.number()), (INT32, Some(1986)));
    }

    #[test]
    fn cut_and_broken_documents_end() {
        for bytes in [HELLO, ARRAYS] {
            for end in 0..bytes.len() {
                for element in Elements::of(&bytes[..end]).0 {
                    let _ =
                        (element.text(), element.number(), element.elements().map(Iterator::count));
                }
            }
        }
        assert_eq!(Elements::of(b"\xff\xff\xff\xff\x02").0.count(), 0);
        assert_eq!(Elements::of(b"\xff\0\0\0\x02a\0\xff\xff\xff\xff").0.count(), 1);
    }
}
