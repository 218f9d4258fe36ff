//! Integers and strings (RFC 7541 section 5).

use super::decoder::{Coded, Malformed};
use super::huffman;

/// Bytes of a header block that are still to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    /// The next byte, which stays.
    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    /// An integer whose first `prefix` bits are the low ones of the next byte. Larger ones than 32
    /// bits hold are malformed.
    pub(super) fn integer(&mut self, prefix: u32) -> Result<usize, Malformed> {
        let mask = (1u8 << prefix) - 1;
        let first = self.byte()? & mask;
        if first < mask {
            return Ok(first.into());
        }
        let mut value = u64::from(first);
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value += u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).map(|value| value as usize).map_err(|_| Malformed);
            }
        }
        Err(Malformed)
    }

    /// A string literal, and how it was coded.
    pub(super) fn string(&mut self) -> Result<(Vec<u8>, Coded), Malformed> {
        let coded = self.peek().ok_or(Malformed)? & 0x80 != 0;
        let length = self.integer(7)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        let text = if coded { huffman::decode(bytes).ok_or(Malformed)? } else { bytes.to_vec() };
        Ok((text, (coded, length)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Input, Malformed};

    /// RFC 7541 appendix C.1.
    #[test]
    fn integers_of_the_rfc() {
        assert_eq!(Input(&[0xea]).integer(5), Ok(10));
        assert_eq!(Input(&[0x1f, 0x9a, 0x0a]).integer(5), Ok(1337));
        assert_eq!(Input(&[0x7f, 0x00]).integer(7), Ok(127));
    }

    #[test]
    fn what_has_no_end_is_refused() {
        assert_eq!(Input(&[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0]).integer(7), Err(Malformed));
        assert_eq!(Input(&[0x7f, 0xff]).integer(7), Err(Malformed));
        assert_eq!(Input(&[0x05, b'a']).string(), Err(Malformed));
    }
}
