//! Secrets in raw message heads.

use super::mask_target;

/// Fields whose whole values are secret, in lower case: RFC 9110 sections 11.6 and 11.7, RFC 6265,
/// and what gateways, clouds and applications commonly use.
const SECRET: [&[u8]; 19] = [
    b"authorization",
    b"proxy-authorization",
    b"cookie",
    b"set-cookie",
    b"cookie2",
    b"set-cookie2",
    b"x-api-key",
    b"api-key",
    b"apikey",
    b"x-goog-api-key",
    b"x-amz-security-token",
    b"x-auth-token",
    b"x-access-token",
    b"x-session-token",
    b"x-csrf-token",
    b"x-xsrf-token",
    b"x-vault-token",
    b"private-token",
    b"x-forwarded-access-token",
];

/// Fields whose values are URLs.
const URLS: [&[u8]; 4] = [b"referer", b"location", b"content-location", b"x-original-url"];

/// Masks, in place and at the same length, a message head's secrets: the values of Authorization,
/// Cookie and the like, and what [`super::mask_target`] masks in the request target and in fields
/// that hold URLs. The head may be incomplete, or be followed by a body, which is left alone.
pub fn mask_head(bytes: &mut [u8]) {
    let mut folded = Value::Plain;
    for (number, line) in bytes.split_inclusive_mut(|b| *b == b'\n').enumerate() {
        let text = line.trim_ascii_end().len();
        let Some(line) = line.get_mut(..text) else { return };
        match line {
            [] if number > 0 => return,
            [b' ' | b'\t', ..] if number > 0 => folded.mask(line),
            _ if number == 0 => mask_start_line(line),
            _ => {
                let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
                let (name, value) = line.split_at_mut(colon);
                folded = Value::of(name.trim_ascii());
                folded.mask(value.get_mut(1..).unwrap_or_default());
            }
        }
    }
}

/// What a field's value is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    /// Nothing secret.
    Plain,
    /// Secret as a whole.
    Secret,
    /// A URL, which may hold secrets.
    Url,
}

impl Value {
    /// Of a field with this name.
    pub(super) fn of(name: &[u8]) -> Self {
        let is_one_of = |names: &[&[u8]]| names.iter().any(|n| name.eq_ignore_ascii_case(n));
        if is_one_of(&SECRET) {
            Value::Secret
        } else if is_one_of(&URLS) {
            Value::Url
        } else {
            Value::Plain
        }
    }

    fn mask(self, value: &mut [u8]) {
        let blank = value.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let Some(value) = value.get_mut(blank..) else { return };
        match self {
            Value::Plain => {}
            Value::Secret => value.fill(b'*'),
            Value::Url => mask_target(value),
        }
    }
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
    use super::mask_head;

    fn masked(head: &str) -> String {
        let mut bytes = head.as_bytes().to_vec();
        mask_head(&mut bytes);
        assert_eq!(bytes.len(), head.len());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn fields_and_targets_are_masked() {
        let head = "GET /a?token=abc HTTP/1.1\r\nHost: h\r\nauthorization: Basic eA==\r\n\
                    Cookie:a=b\r\nReferer: http://h/?sig=1&x=2\r\n\r\nCookie: body";
        let want = "GET /a?token=*** HTTP/1.1\r\nHost: h\r\nauthorization: **********\r\n\
                    Cookie:***\r\nReferer: http://h/?sig=*&x=2\r\n\r\nCookie: body";
        assert_eq!(masked(head), want);
    }

    #[test]
    fn folded_lines_and_cut_heads_are_masked() {
        assert_eq!(
            masked("HTTP/1.1 200 OK\nSet-Cookie: a\n b=c\nX: y"),
            "HTTP/1.1 200 OK\nSet-Cookie: *\n ***\nX: y"
        );
        assert_eq!(
            masked("HTTP/1.1 200 OK\r\nSet-Cookie: abc"),
            "HTTP/1.1 200 OK\r\nSet-Cookie: ***"
        );
        assert_eq!(masked("GET /?token=ab"), "GET /?token=**");
        assert_eq!(masked(""), "");
    }
}
