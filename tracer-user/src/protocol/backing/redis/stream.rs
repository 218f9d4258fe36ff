//! Where the fields begin of what `XADD` appends:
//! `key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [IDMPAUTO producer | IDMP producer id]
//! [MAXLEN | MINID [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]`.

/// What the next argument is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    #[default]
    Key,
    /// An option's name, or the entry's identifier.
    Option,
    /// `=`, `~`, or what stands behind it.
    Trim,
    /// A number, or an identifier.
    Threshold,
    Limit,
    /// So many arguments of an option, which are a client's own words.
    Hidden(u32),
    Field,
    Value,
    /// It is not known; it may be a value.
    Unknown,
}

impl Place {
    /// Takes an argument: whether it is kept, and what the one behind it is.
    pub(super) fn take(self, argument: &[u8]) -> (bool, Self) {
        match self {
            Place::Key => (true, Place::Option),
            Place::Option => option(argument),
            Place::Trim if matches!(argument, b"=" | b"~") => (true, Place::Threshold),
            Place::Trim | Place::Threshold if is_id(argument) => (true, Place::Option),
            Place::Limit if is_number(argument) => (true, Place::Option),
            Place::Hidden(more @ 2..) => (false, Place::Hidden(more - 1)),
            Place::Hidden(_) => (false, Place::Option),
            Place::Field => (true, Place::Value),
            Place::Value => (false, Place::Field),
            Place::Trim | Place::Threshold | Place::Limit | Place::Unknown => {
                (false, Place::Unknown)
            }
        }
    }
}

fn option(argument: &[u8]) -> (bool, Place) {
    let next = match argument.to_ascii_uppercase().as_slice() {
        b"NOMKSTREAM" | b"KEEPREF" | b"DELREF" | b"ACKED" => Place::Option,
        b"MAXLEN" | b"MINID" => Place::Trim,
        b"LIMIT" => Place::Limit,
        b"IDMPAUTO" => Place::Hidden(1),
        b"IDMP" => Place::Hidden(2),
        b"*" => Place::Field,
        id if is_id(id) => Place::Field,
        _ => return (false, Place::Unknown),
    };
    (true, next)
}

fn is_number(argument: &[u8]) -> bool {
    (1..=20).contains(&argument.len()) && argument.iter().all(u8::is_ascii_digit)
}

/// `milliseconds`, `milliseconds-sequence` or `milliseconds-*`; the smallest and the largest one.
fn is_id(argument: &[u8]) -> bool {
    let mut parts = argument.splitn(2, |byte| *byte == b'-');
    let number = parts.next().is_some_and(is_number);
    let sequence = parts.next().is_none_or(|part| part == b"*" || is_number(part));
    number && sequence || matches!(argument, b"-" | b"+")
}

#[cfg(test)]
mod tests {
    use super::Place;

    fn redacted(arguments: &str) -> String {
        let mut place = Place::default();
        let words = arguments.split(' ').map(|argument| {
            let (kept, next) = place.take(argument.as_bytes());
            place = next;
            if kept { argument } else { "?" }
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn fields_come_behind_the_identifier() {
        for (arguments, expected) in [
            ("s * f secret g secret", "s * f ? g ?"),
            ("s MAXLEN ~ 1000 * field secret", "s MAXLEN ~ 1000 * field ?"),
            ("s nomkstream * f secret", "s nomkstream * f ?"),
            ("s NOMKSTREAM MAXLEN = 5 1-* f secret", "s NOMKSTREAM MAXLEN = 5 1-* f ?"),
            ("s MAXLEN ~ 9 LIMIT 7 * f secret", "s MAXLEN ~ 9 LIMIT 7 * f ?"),
            ("s MINID 15-0 16-1 f secret", "s MINID 15-0 16-1 f ?"),
            ("s KEEPREF MINID ~ 15 16 f secret", "s KEEPREF MINID ~ 15 16 f ?"),
            ("s IDMP producer id * f secret", "s IDMP ? ? * f ?"),
            ("s NEWOPTION a * f secret", "s ? ? ? ? ?"),
            ("s MAXLEN x * f secret", "s MAXLEN ? ? ? ?"),
        ] {
            assert_eq!(redacted(arguments), expected);
        }
    }
}
