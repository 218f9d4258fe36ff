//! Secrets in raw message heads.

use super::value::ValueMask;
use super::{Pseudonym, mask_target};

/// Masks, in place and at the same length, what may be secret in a message head: the values of all
/// fields but a few that are known to hold no secret, and what [`super::mask_target`] masks in the
/// request target. `ids`: how ids are told. The head may be incomplete, or be followed by a body, which is left alone.
pub fn mask_head(bytes: &mut [u8], ids: &Pseudonym) {
    let mut folded: Option<ValueMask> = None;
    for (number, line) in bytes.split_inclusive_mut(|b| *b == b'\n').enumerate() {
        let text = line.trim_ascii_end().len();
        let Some(line) = line.get_mut(..text) else { return };
        match line {
            [] if number > 0 => return,
            _ if number == 0 => mask_start_line(line),
            [b' ' | b'\t', ..] if let Some(folded) = &mut folded => feed(folded, line),
            _ => {
                let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
                let (name, value) = line.split_at_mut(colon);
                let of = folded.insert(ValueMask::of(name.trim_ascii(), ids));
                feed(of, value.get_mut(1..).unwrap_or_default());
            }
        }
    }
}

fn feed(mask: &mut ValueMask, value: &mut [u8]) {
    let blank = value.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    mask.feed(value.get_mut(blank..).unwrap_or_default());
}

/// The second word of a request line; of a status line it is the status, which has no secrets.
fn mask_start_line(line: &mut [u8]) {
    let Some(target) = line.split_mut(|b| *b == b' ').filter(|word| !word.is_empty()).nth(1) else {
        return;
    };
    mask_target(target);
}

#[cfg(test)]
mod tests {
    use super::{Pseudonym, mask_head};

    fn masked(head: &str) -> String {
        let mut bytes = head.as_bytes().to_vec();
        mask_head(&mut bytes, &Pseudonym::default());
        assert_eq!(bytes.len(), head.len());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn fields_and_targets_are_masked() {
        let head = "GET /a?token=abc HTTP/1.1\r\nHost: h\r\nauthorization: Basic eA==\r\n\
                    Cookie:a=b\r\nX-Custom: http://h/?x=2\r\nB3: 0\r\n\r\nCookie: body";
        let want = "GET /a?token=*** HTTP/1.1\r\nHost: h\r\nauthorization: **********\r\n\
                    Cookie:***\r\nX-Custom: *************\r\nB3: 0\r\n\r\nCookie: body";
        assert_eq!(masked(head), want);
    }

    #[test]
    fn folded_lines_and_cut_heads_are_masked() {
        assert_eq!(
            masked("HTTP/1.1 200 OK\nSet-Cookie: a\n b=c\nTE: y"),
            "HTTP/1.1 200 OK\nSet-Cookie: *\n ***\nTE: y"
        );
        assert_eq!(
            masked("HTTP/1.1 200 OK\r\nSet-Cookie: abc"),
            "HTTP/1.1 200 OK\r\nSet-Cookie: ***"
        );
        assert_eq!(masked("GET /?token=ab"), "GET /?token=**");
        assert_eq!(masked(""), "");
    }
}
