//! Heads that are malformed in ways that common servers let pass.

/// What common servers let pass and httparse does not, put right at the same length: obsolete line
/// folding (RFC 9112 section 5.2) and control characters in values become spaces, white space
/// before a field's colon goes behind it. Never in the first line, nor in the line after it what
/// would fold into it.
pub(super) fn mend(head: &[u8]) -> Vec<u8> {
    let mut mended = head.to_vec();
    let first = head.iter().position(|b| *b == b'\n').map_or(head.len(), |at| at + 1);
    let fields = mended.get_mut(first..).unwrap_or_default();
    let mut in_value = false;
    for at in 0..fields.len() {
        match fields.get_mut(at..) {
            Some([b':', ..]) => in_value = true,
            Some([feed @ b'\n', b' ' | b'\t', ..]) if in_value => {
                *feed = b' ';
                if let Some(carriage @ b'\r') = at.checked_sub(1).and_then(|at| fields.get_mut(at))
                {
                    *carriage = b' ';
                }
            }
            Some([b'\n', ..]) => in_value = false,
            _ => {}
        }
    }
    for line in fields.split_mut(|b| *b == b'\n') {
        let end = line.strip_suffix(b"\r").map_or(line.len(), <[u8]>::len);
        let controls = line.iter_mut().take(end).filter(|b| b.is_ascii_control());
        controls.filter(|b| !matches!(**b, b'\t' | b'\r' | 0)).for_each(|b| *b = b' ');
        let colon = line.iter().position(|b| *b == b':').unwrap_or(0);
        let blank = line.iter().take(colon).rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if let Some(part) = line.get_mut(colon - blank..=colon) {
            part.rotate_right(1);
        }
    }
    mended
}

#[cfg(test)]
mod tests {
    use super::mend;

    #[test]
    fn heads_are_mended_at_the_same_length() {
        for (head, want) in [
            ("GET / HTTP/1.1\r\nA : b\r\n\r\n", "GET / HTTP/1.1\r\nA:  b\r\n\r\n".into()),
            ("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "GET / HTTP/1.1\r\nA: b   c\r\n\r\n".into()),
            ("GET / HTTP/1.1\nA: b\n\tc\n\n", "GET / HTTP/1.1\nA: b \tc\n\n".into()),
            ("GET / HTTP/1.1\r\nA: \x0c\r\n\r\n", "GET / HTTP/1.1\r\nA:  \r\n\r\n".into()),
            ("GET / HTTP/1.1\r\n A: b\r\n\r\n", "GET / HTTP/1.1\r\n A: b\r\n\r\n".into()),
            ("GET /\x0c", "GET /\x0c".into()),
            ("", String::new()),
        ] {
            assert_eq!(mend(head.as_bytes()), want.as_bytes(), "{want:?}");
        }
    }
}
