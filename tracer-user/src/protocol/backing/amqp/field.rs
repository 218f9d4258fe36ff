//! Fields: sections 4.2.5 of the specification, with the types of table entries that RabbitMQ has
//! (<https://www.rabbitmq.com/amqp-0-9-1-errata.html>).

/// What of a payload has not been read. Everything is `None` where bytes are missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*number)
    }

    pub(super) fn octet(&mut self) -> Option<u8> {
        self.number().map(u8::from_be_bytes)
    }

    pub(super) fn short(&mut self) -> Option<u16> {
        self.number().map(u16::from_be_bytes)
    }

    pub(super) fn long(&mut self) -> Option<u32> {
        self.number().map(u32::from_be_bytes)
    }

    pub(super) fn long_long(&mut self) -> Option<u64> {
        self.number().map(u64::from_be_bytes)
    }

    /// A string of at most 255 bytes.
    pub(super) fn short_string(&mut self) -> Option<&'a [u8]> {
        let length = self.octet()?;
        self.take(usize::from(length))
    }

    /// A long string, an array or a table.
    pub(super) fn long_string(&mut self) -> Option<&'a [u8]> {
        let length = self.long()?;
        self.take(usize::try_from(length).ok()?)
    }

    /// The next entry of a table: its name, and its value where that is a string.
    pub(super) fn entry(&mut self) -> Option<(&'a [u8], Option<&'a [u8]>)> {
        let name = self.short_string()?;
        let value = match self.octet()? {
            b'S' => return Some((name, Some(self.long_string()?))),
            b'x' | b'A' | b'F' => return self.long_string().map(|_| (name, None)),
            b'V' => 0,
            b't' | b'b' | b'B' => 1,
            b's' | b'u' => 2,
            b'I' | b'i' | b'f' => 4,
            b'D' => 5,
            b'l' | b'L' | b'd' | b'T' => 8,
            _ => return None,
        };
        self.take(value).map(|_| (name, None))
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn fields_are_read() {
        let mut fields = Fields::new(b"\x02ab\0\0\0\x03xyz\x07\x01\x02\0");
        assert_eq!(
            (fields.short_string(), fields.long_string()),
            (Some(&b"ab"[..]), Some(&b"xyz"[..]))
        );
        assert_eq!((fields.octet(), fields.short(), fields.short()), (Some(7), Some(0x0102), None));
        assert!(!fields.is_empty());
    }

    #[test]
    fn entries_of_all_types_are_passed_over() {
        let table = b"\x01at\x01\x01bI\0\0\0\x01\x01cD\0\0\0\0\x01\x01dF\0\0\0\x02xx\x01eV\x01fl\0\0\0\0\0\0\0\0\x01gS\0\0\0\x01v\x01h?";
        let mut fields = Fields::new(table);
        let names: Vec<_> = std::iter::from_fn(|| fields.entry()).collect();
        assert_eq!(names.len(), 7);
        assert_eq!(names.last(), Some(&(&b"g"[..], Some(&b"v"[..]))));
    }
}
