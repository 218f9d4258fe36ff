//! Identifiers in decimal.

/// Most digits of a 64-bit number.
const DIGITS: usize = 20;

/// A 64-bit number of digits alone: no sign, no space.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if !(1..=DIGITS).contains(&text.len()) || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The same as eight bytes; `Some(None)` for zero, by which these formats say that there is none.
pub(super) fn id(text: &[u8]) -> Option<Option<[u8; 8]>> {
    let number = decimal(text)?;
    Some((number != 0).then(|| number.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{decimal, id};

    #[test]
    fn only_digits_that_fit_pass() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal(b"007"), Some(7));
        for bad in
            ["", "+1", "-1", " 1", "1 ", "0x1", "18446744073709551616", "000000000000000000001"]
        {
            assert_eq!(decimal(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(id(b"258"), Some(Some([0, 0, 0, 0, 0, 0, 1, 2])));
        assert_eq!((id(b"0"), id(b"x")), (Some(None), None));
    }
}
