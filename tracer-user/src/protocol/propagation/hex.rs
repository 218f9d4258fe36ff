//! Identifiers in hexadecimal.

/// `N` bytes from exactly `2 * N` digits, upper or lower case; `None` if it is anything else or
/// all zero.
pub(super) fn id<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let bytes = bytes(digits)?;
    (bytes != [0; N]).then_some(bytes)
}

/// The same, with zero allowed.
pub(super) fn bytes<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(value).ok()?;
        }
    }
    Some(bytes)
}

/// No digit is upper case.
pub(super) fn is_lower(digits: &[u8]) -> bool {
    !digits.iter().any(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::{bytes, id, is_lower};

    #[test]
    fn only_whole_nonzero_ids_pass() {
        assert_eq!(id::<2>(b"0aF1"), Some([0x0a, 0xf1]));
        assert_eq!(id::<2>(b"0000"), None);
        assert_eq!(bytes::<2>(b"0000"), Some([0, 0]));
        assert_eq!(id::<2>(b"0aF"), None);
        assert_eq!(id::<2>(b"0aF1a"), None);
        assert_eq!(id::<2>(b"+aF1"), None);
        assert!(is_lower(b"0a") && !is_lower(b"0A"));
    }
}
