//! Fields: <https://kafka.apache.org/protocol#protocol_types>.

/// What of a message has not been read. Everything is `None` where bytes are missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    /// Lengths are compact, and structures end with tagged fields.
    pub(super) flexible: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, flexible: false }
    }

    /// So many bytes.
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*taken)
    }

    pub(super) fn int16(&mut self) -> Option<i16> {
        self.fixed().map(i16::from_be_bytes)
    }

    pub(super) fn int32(&mut self) -> Option<i32> {
        self.fixed().map(i32::from_be_bytes)
    }

    pub(super) fn int64(&mut self) -> Option<i64> {
        self.fixed().map(i64::from_be_bytes)
    }

    /// `UNSIGNED_VARINT`.
    fn varint(&mut self) -> Option<u32> {
        let mut number = 0_u32;
        for shift in (0..35).step_by(7) {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            number |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A length: of a compact one, one more is written, so that 0 says that there is nothing.
    fn length(&mut self, short: bool) -> Option<Option<usize>> {
        if self.flexible {
            let length = self.varint()?;
            return Some(length.checked_sub(1).map(|length| length as usize));
        }
        let length = if short { i32::from(self.int16()?) } else { self.int32()? };
        Some(usize::try_from(length).ok())
    }

    /// `NULLABLE_STRING`, `COMPACT_NULLABLE_STRING`, and those that are not nullable.
    pub(super) fn string(&mut self) -> Option<Option<&'a [u8]>> {
        match self.length(true)? {
            Some(length) => self.take(length).map(Some),
            None => Some(None),
        }
    }

    /// How many elements follow.
    pub(super) fn array(&mut self) -> Option<usize> {
        self.length(false).map(Option::unwrap_or_default)
    }

    /// `RECORDS`, `COMPACT_RECORDS`: the first bytes of them, and whether all of them are there.
    pub(super) fn records(&mut self) -> Option<(&'a [u8], bool)> {
        let length = self.length(false)?.unwrap_or_default();
        let whole = length <= self.bytes.len();
        let (records, rest) = self.bytes.split_at_checked(length).unwrap_or((self.bytes, &[]));
        self.bytes = rest;
        Some((records, whole))
    }

    /// `VARINT` or `VARLONG`: zigzag, as records have it.
    pub(super) fn signed(&mut self) -> Option<i64> {
        let mut number = 0_u64;
        for shift in (0..70).step_by(7) {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        None
    }

    /// What a record's key, value and headers are: bytes behind a [`Cursor::signed`] length, which is
    /// negative where there are none.
    pub(super) fn field(&mut self) -> Option<&'a [u8]> {
        let length = self.signed()?;
        self.take(usize::try_from(length).unwrap_or(0))
    }

    /// `UUID`.
    pub(super) fn uuid(&mut self) -> Option<[u8; 16]> {
        self.fixed()
    }

    /// An array's elements are passed over, each of which is so many bytes long.
    pub(super) fn skip_array(&mut self, bytes: usize) -> Option<()> {
        let length = self.array()?.checked_mul(bytes)?;
        self.take(length).map(drop)
    }

    /// What a structure ends with.
    pub(super) fn tags(&mut self) -> Option<()> {
        let count = if self.flexible { self.varint()? } else { 0 };
        for _ in 0..count {
            self.varint()?;
            let length = self.varint()?;
            self.take(length as usize)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn fields_are_read() {
        let mut cursor = Cursor::new(b"\0\x02ab\xff\xff\0\0\0\x03xyz\xff\xff\xff\xff");
        assert_eq!((cursor.string(), cursor.string()), (Some(Some(&b"ab"[..])), Some(None)));
        assert_eq!((cursor.records(), cursor.array()), (Some((&b"xyz"[..], true)), Some(0)));
        assert_eq!(Cursor::new(b"\0\0\0\x03xy").records(), Some((&b"xy"[..], false)));
        assert_eq!((cursor.int16(), cursor.int32(), cursor.string()), (None, None, None));
        let mut cursor = Cursor::new(b"\x03ab\0\x03\x01\x05\x02ab\xac\x02");
        cursor.flexible = true;
        assert_eq!((cursor.string(), cursor.string()), (Some(Some(&b"ab"[..])), Some(None)));
        assert_eq!(
            (cursor.array(), cursor.tags(), cursor.varint()),
            (Some(2), Some(()), Some(300))
        );
        assert_eq!(Cursor { bytes: &[0xff; 9], flexible: true }.tags(), None);
        // Examples of Protocol Buffers' documentation of ZigZag.
        let mut cursor = Cursor::new(b"\0\x01\x02\xfe\xff\xff\xff\x0f\x04ab\x01\0\0\0\x02abcd");
        let signed = [(); 4].map(|()| cursor.signed());
        assert_eq!(signed, [Some(0), Some(-1), Some(1), Some(0x7fff_ffff)]);
        assert_eq!((cursor.field(), cursor.field()), (Some(&b"ab"[..]), Some(&b""[..])));
        cursor.take(1);
        assert_eq!((cursor.skip_array(2), cursor.skip_array(2)), (None, None));
        assert_eq!(Cursor::new(&[0xff; 11]).signed(), None);
    }
}
