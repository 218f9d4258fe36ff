//! Secrets in request targets and other URLs.

/// Parameters whose values are secret, in lower case.
///
/// The first four are those of OpenTelemetry's HTTP conventions (`url.query`); then those of AWS,
/// Google and Azure signed URLs, OAuth 2.0, OpenID Connect and SAML, and what applications
/// commonly call theirs. `key` and `code` often mean something harmless, but they are also where
/// Google's API keys and OAuth's authorization codes travel.
const SECRETS: [&[u8]; 46] = [
    b"awsaccesskeyid",
    b"signature",
    b"sig",
    b"x-goog-signature",
    b"x-amz-signature",
    b"x-amz-credential",
    b"x-amz-security-token",
    b"x-goog-credential",
    b"x-goog-api-key",
    b"x-api-key",
    b"access_token",
    b"refresh_token",
    b"id_token",
    b"id_token_hint",
    b"client_secret",
    b"client_assertion",
    b"assertion",
    b"code",
    b"code_verifier",
    b"samlresponse",
    b"token",
    b"auth_token",
    b"authtoken",
    b"csrf_token",
    b"api_token",
    b"jwt",
    b"api_key",
    b"api-key",
    b"apikey",
    b"key",
    b"private_key",
    b"password",
    b"passwd",
    b"passphrase",
    b"pwd",
    b"pass",
    b"secret",
    b"otp",
    b"session",
    b"session_id",
    b"sessionid",
    b"jsessionid",
    b"phpsessid",
    b"sid",
    b"auth",
    b"authorization",
];

/// A request target or URL with its secrets masked: values of secret parameters, and the userinfo
/// of an absolute form. The length in bytes stays. Secrets inside a value, such as those of a URL
/// that is itself a parameter, are not found.
#[must_use]
pub fn target(raw: &str) -> String {
    let mut bytes = raw.as_bytes().to_vec();
    mask_target(&mut bytes);
    // Whole stretches between ASCII delimiters became ASCII, so this is still UTF-8.
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The same in place.
pub fn mask_target(bytes: &mut [u8]) {
    let start = find(bytes, b"://").map_or(0, |at| at + 3);
    // A `://` behind a `/` or `?` belongs to the path or query.
    let is_absolute = start > 0 && bytes.iter().take(start - 3).all(|b| is_scheme(*b));
    if is_absolute && let Some(rest) = bytes.get_mut(start..) {
        let end = rest.iter().position(|b| b"/?#".contains(b)).unwrap_or(rest.len());
        let userinfo = rest.iter().take(end).rposition(|b| *b == b'@').unwrap_or(0);
        rest.iter_mut().take(userinfo).filter(|b| **b != b':').for_each(|b| *b = b'*');
    }
    let query = bytes.iter().position(|b| *b == b'?').unwrap_or(bytes.len());
    let (path, query) = bytes.split_at_mut(query);
    // Parameters of path segments, `;jsessionid=...`, end at the next segment.
    path.split_mut(|b| b"/;".contains(b)).for_each(mask_parameter);
    query.split_mut(|b| b"?&;#".contains(b)).for_each(mask_parameter);
}

/// A masked target whose secrets do not show how long they were.
#[must_use]
pub fn shortened(masked: &str) -> String {
    let query = masked.find('?').unwrap_or(masked.len());
    let (path, query) = masked.split_at(query);
    let mut short = String::with_capacity(masked.len());
    for (part, delimiters) in [(path, &['/', ';'][..]), (query, &['?', '&', ';', '#'])] {
        for piece in part.split_inclusive(delimiters) {
            let (parameter, end) = piece.split_at(piece.trim_end_matches(delimiters).len());
            match parameter.split_once('=') {
                Some((key, _)) if is_secret(key.as_bytes()) => {
                    short.extend([key, "=***", end]);
                }
                _ => short.push_str(piece),
            }
        }
    }
    short
}

/// Scheme and what follows `://`, of an absolute-form target or URL.
#[must_use]
pub fn split_absolute(target: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = target.split_once("://")?;
    (!scheme.is_empty() && scheme.bytes().all(is_scheme)).then_some((scheme, rest))
}

/// Host and port, without userinfo, of an absolute-form target or URL.
#[must_use]
pub fn authority(target: &str) -> Option<&str> {
    let (_, rest) = split_absolute(target)?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(authority.rsplit_once('@').map_or(authority, |(_, host)| host))
}

fn mask_parameter(parameter: &mut [u8]) {
    let Some(equals) = parameter.iter().position(|b| *b == b'=') else { return };
    let (key, value) = parameter.split_at_mut(equals);
    if is_secret(key) {
        value.iter_mut().skip(1).for_each(|b| *b = b'*');
    }
}

/// A parameter with this name holds a secret.
pub(super) fn is_secret(key: &[u8]) -> bool {
    SECRETS
        .iter()
        .any(|secret| secret.len() <= key.len() && decoded(key).eq(secret.iter().copied()))
}

/// Percent-decoded, in lower case. Malformed escapes stay as they are.
fn decoded(key: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = key.get(at..)?;
        let (byte, len) = match rest {
            [b'%', high, low, ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 3),
                _ => (b'%', 1),
            },
            [byte, ..] => (*byte, 1),
            [] => return None,
        };
        at += len;
        Some(byte.to_ascii_lowercase())
    })
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A scheme may have this byte.
pub(super) fn is_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

#[cfg(test)]
mod tests {
    use super::{authority, shortened, split_absolute, target};

    #[test]
    fn secrets_are_masked_at_the_same_length() {
        for (raw, want) in [
            ("/a?x=1&token=abc&y=2", "/a?x=1&token=***&y=2"),
            ("/a?TOKEN=abc", "/a?TOKEN=***"),
            ("/a?t%6Fken=abc", "/a?t%6Fken=***"),
            ("/a?token=a=b;sig=x%20y#z", "/a?token=***;sig=*****#z"),
            ("/a?token", "/a?token"),
            ("/a?tokens=5&monkey=7", "/a?tokens=5&monkey=7"),
            ("/a;jsessionid=A1/b?q=\u{e9}", "/a;jsessionid=**/b?q=\u{e9}"),
            ("/a?password=\u{e9}\u{e9}", "/a?password=****"),
            ("http://me:pw@host/x?sig=1", "http://**:**@host/x?sig=*"),
            ("/r?u=http://me:pw@host/", "/r?u=http://me:pw@host/"),
            ("*", "*"),
            ("host:443", "host:443"),
            ("", ""),
        ] {
            assert_eq!(target(raw), want);
            assert_eq!(raw.len(), want.len());
        }
    }

    #[test]
    fn how_long_a_secret_was_can_be_left_out() {
        for (masked, want) in [
            ("/a?x=1&token=*****&y=2", "/a?x=1&token=***&y=2"),
            ("/a?token=&y=2", "/a?token=***&y=2"),
            ("/a;jsessionid=**/b?sig=*#z", "/a;jsessionid=***/b?sig=***#z"),
            ("/a=b/?c=d&token", "/a=b/?c=d&token"),
            ("", ""),
        ] {
            assert_eq!(shortened(masked), want);
            assert_eq!(shortened(want), want);
        }
    }

    #[test]
    fn absolute_forms_are_taken_apart() {
        assert_eq!(split_absolute("http://h/x"), Some(("http", "h/x")));
        assert_eq!(split_absolute("/r?u=http://h/x"), None);
        assert_eq!(authority("http://u:p@h:81/x@y"), Some("h:81"));
        assert_eq!(authority("/x"), None);
    }
}
