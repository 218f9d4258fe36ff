//! `OTEL_RESOURCE_ATTRIBUTES`.

use std::collections::BTreeMap;

/// Most attributes taken from one variable.
const MAX_ATTRIBUTES: usize = 128;
/// Most bytes of one value.
const MAX_VALUE: usize = 4096;

/// What is wrong with a list of attributes. The values themselves are never in the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    /// A member without `=`, or with nothing before it.
    #[error("member {0} is not NAME=VALUE")]
    NotAPair(usize),
    /// A `%` that no two hexadecimal digits follow, or bytes that are no UTF-8.
    #[error("the value of `{0}` is not percent-encoded UTF-8")]
    Encoding(String),
    /// More members, or a longer value, than are taken.
    #[error("more than {MAX_ATTRIBUTES} attributes, or a value of more than {MAX_VALUE} bytes")]
    TooMuch,
}

/// Reads `name=value,name=value`, names and values percent-encoded, in the form of W3C Baggage
/// (OpenTelemetry, Resource SDK, "Specifying resource information via an environment variable").
/// Empty members are passed over; the last of two equal names wins.
///
/// # Errors
/// As that specification wants, one bad member makes the whole list void.
pub fn parse_attributes(text: &str) -> Result<Vec<(String, String)>, AttributeError> {
    let mut found = BTreeMap::new();
    for (index, member) in text.split(',').enumerate() {
        if member.trim().is_empty() {
            continue;
        }
        let (name, value) = member.split_once('=').ok_or(AttributeError::NotAPair(index + 1))?;
        let name = decode(name.trim()).ok_or(AttributeError::NotAPair(index + 1))?;
        if name.is_empty() {
            return Err(AttributeError::NotAPair(index + 1));
        }
        let value = decode(value.trim()).ok_or_else(|| AttributeError::Encoding(name.clone()))?;
        if value.len() > MAX_VALUE {
            return Err(AttributeError::TooMuch);
        }
        found.insert(name, value);
        if found.len() > MAX_ATTRIBUTES {
            return Err(AttributeError::TooMuch);
        }
    }
    Ok(found.into_iter().collect())
}

fn decode(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut plain: Vec<u8> = parts.next()?.into();
    for part in parts {
        let digits = part.get(..2).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        plain.push(u8::from_str_radix(digits, 16).ok()?);
        plain.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(plain).ok()
}

#[cfg(test)]
mod tests {
    use super::{AttributeError, parse_attributes};

    #[test]
    fn pairs_are_read_and_decoded() {
        let read = parse_attributes("service.name=shop, a=x%2Cy%3d1 ,,b=k=v,").unwrap();
        let want = [("a", "x,y=1"), ("b", "k=v"), ("service.name", "shop")];
        assert_eq!(read, want.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert_eq!(parse_attributes(""), Ok(vec![]));
    }

    #[test]
    fn one_bad_member_voids_all() {
        assert_eq!(parse_attributes("a=1,b"), Err(AttributeError::NotAPair(2)));
        assert_eq!(parse_attributes("=1"), Err(AttributeError::NotAPair(1)));
        for bad in ["a=%", "a=%4", "a=%zz", "a=%+1", "a=%ff", "a=1%é"] {
            assert_eq!(parse_attributes(bad), Err(AttributeError::Encoding("a".into())), "{bad}");
        }
    }

    #[test]
    fn size_is_bounded() {
        let many: String = (0..1000).map(|i| format!("k{i}=v,")).collect();
        assert_eq!(parse_attributes(&many), Err(AttributeError::TooMuch));
        let long = format!("a={}", "x".repeat(5000));
        assert_eq!(parse_attributes(&long), Err(AttributeError::TooMuch));
    }
}
