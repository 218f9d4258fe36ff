//! Which path segments are identifiers.
//!
//! A heuristic, biased towards folding: a word taken for an identifier makes two routes one, but an
//! identifier taken for a word makes one route thousands.

use super::template::MAX_SEGMENT;
use std::borrow::Cow;

const ID: &str = "{id}";

/// The segment as a route shows it: itself, `{id}`, or with some of its dotted parts folded
/// (`{id}.json`).
pub(super) fn fold(segment: &str) -> Cow<'_, str> {
    let segment = segment.split(';').next().unwrap_or_default();
    // Escapes and `@` (e-mail addresses) stand in data, not in names that developers give.
    if segment.len() > MAX_SEGMENT || segment.contains(['%', '@']) || !segment.is_ascii() {
        return Cow::Borrowed(ID);
    }
    if is_version(segment) || !segment.bytes().any(|b| b.is_ascii_digit()) && !is_hash(segment) {
        return Cow::Borrowed(segment);
    }
    let mut parts: Vec<&str> =
        segment.split('.').map(|part| if is_id(part) { ID } else { part }).collect();
    parts.dedup_by(|a, b| *a == ID && *b == ID);
    Cow::Owned(parts.join("."))
}

/// `v1`, `v12`, `v1.2`: an API's version, of which there are few.
fn is_version(segment: &str) -> bool {
    let Some(number) = segment.strip_prefix(['v', 'V']) else { return false };
    number
        .split('.')
        .all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

fn is_id(part: &str) -> bool {
    is_number(part) || is_hash(part) || is_numbered(part) || is_token(part)
}

/// Digits with what joins them in dates, times, ranges and UUIDs of digits.
fn is_number(part: &str) -> bool {
    part.bytes().any(|b| b.is_ascii_digit())
        && part.bytes().all(|b| b.is_ascii_digit() || b"-_:,+TZ~".contains(&b))
}

/// Hexadecimal: 8 digits or more with a decimal one among them, or 16 and more; dashes as in UUIDs.
fn is_hash(part: &str) -> bool {
    let digits = part.bytes().filter(u8::is_ascii_hexdigit).count();
    let decimal = part.bytes().any(|b| b.is_ascii_digit());
    part.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        && (digits >= 16 || digits >= 8 && decimal)
}

/// A name with a number: one or two letters and digits (`w12`), any word with at least three digits
/// (`user1234`), or with digits behind a dash (`order-7`).
fn is_numbered(part: &str) -> bool {
    let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = part.len() - word.len();
    let letters = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic());
    match word.strip_suffix(['-', '_']) {
        _ if digits == 0 => false,
        Some(name) => !name.is_empty(),
        None => letters(word) && (word.len() <= 2 || digits >= 3),
    }
}

/// Random letters and digits, as in base64: long, with several digits, or mixed in case.
fn is_token(part: &str) -> bool {
    let count = |is: fn(&u8) -> bool| part.bytes().filter(is).count();
    let (digits, lower, upper) =
        (count(u8::is_ascii_digit), count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase));
    let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=+~".contains(&b));
    plain
        && (part.len() >= 20 && digits >= 3
            || part.len() >= 10 && digits >= 2 && lower > 0 && upper > 0)
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn identifiers_are_folded() {
        for segment in [
            "0",
            "123",
            "-5",
            "2024-01-31",
            "2024-01-31T10:11:12Z",
            "1,2,3",
            "550e8400-e29b-41d4-a716-446655440000",
            "550e8400e29b41d4a716446655440000",
            "3f2a9c1b",
            "deadbeefdeadbeef",
            "t17.0.1",
            "w12",
            "user1234",
            "order-7",
            "item_42",
            "dQw4w9WgXcQ",
            "eyJhbGciOiJIUzI1NiJ9",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "me@example.org",
            "hello%20world",
            "caf\u{e9}",
            "1.2.3",
        ] {
            assert_eq!(fold(segment), "{id}", "{segment}");
        }
    }

    #[test]
    fn names_stay() {
        for segment in [
            "users",
            "v1",
            "v2.1",
            "index.html",
            "oauth2",
            "facade",
            "api-docs",
            "_health",
            "v1beta1",
            "log4j",
            "UserProfile",
        ] {
            assert_eq!(fold(segment), segment);
        }
    }

    #[test]
    fn parts_are_folded_by_themselves() {
        assert_eq!(fold("123.json"), "{id}.json");
        assert_eq!(fold("app.3f2a9c1b.js"), "app.{id}.js");
        assert_eq!(fold("jquery-3.6.0.min.js"), "{id}.min.js");
        assert_eq!(fold("page;jsessionid=1"), "page");
        assert_eq!(fold(&"x".repeat(65)), "{id}");
    }
}
