//! Request lines whose method is not known.

/// Whether bytes begin with a whole request line of HTTP/1.0 or 1.1 (RFC 9112 section 3): a token, a
/// target and the version, with single spaces between. Hardly anything else looks like that, so the
/// method may be any.
#[must_use]
pub fn begins_request(bytes: &[u8]) -> bool {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return false };
    let line = bytes.get(..end).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut parts = line.split(|byte| *byte == b' ');
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    match [parts.next(), parts.next(), parts.next(), parts.next()] {
        [Some(method), Some(target), Some(b"HTTP/1.0" | b"HTTP/1.1"), None] => {
            !method.is_empty()
                && method.iter().all(token)
                && !target.is_empty()
                && !target.iter().any(u8::is_ascii_control)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::begins_request;

    #[test]
    fn any_method_but_a_whole_line() {
        for line in ["CCM_POST / HTTP/1.1\r\nHost: a\r\n", "x /?a=b HTTP/1.0\n"] {
            assert!(begins_request(line.as_bytes()), "{line}");
        }
        let other = [
            "",
            "\n",
            "CCM_POST / HTTP/1.1",
            "CCM_POST  / HTTP/1.1\r\n",
            "CCM_POST / HTTP/2.0\r\n",
            "CCM:POST / HTTP/1.1\r\n",
            " / HTTP/1.1\r\n",
            "a HTTP/1.1\r\n",
            "OPTIONS rtsp://a/ RTSP/1.0\r\n",
            "HTTP/1.1 200 OK\r\n",
        ];
        for line in other {
            assert!(!begins_request(line.as_bytes()), "{line}");
        }
    }
}
