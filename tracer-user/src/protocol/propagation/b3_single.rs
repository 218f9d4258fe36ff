//! B3 in one header (<https://github.com/openzipkin/b3-propagation#single-header>):
//! `b3: {trace id}-{span id}[-{0, 1 or d}[-{parent span id}]]`, or the sampling state alone.

use super::b3::{sampled, trace_id};
use super::hex::id;
use super::single::Single;
use super::{Context, Format, Found};

/// The format's field of one request.
#[derive(Default)]
pub(super) struct Headers<'a>(Single<'a>);

impl<'a> Headers<'a> {
    /// Takes a field if it is the format's.
    pub(super) fn add(&mut self, name: &str, value: &'a [u8]) {
        self.0.add("b3", name, value);
    }

    /// What it says; two of them are malformed.
    pub(super) fn read(&self) -> Found {
        self.0.read(parse)
    }
}

fn parse(value: &[u8]) -> Option<Found> {
    let mut parts = value.split(|b| *b == b'-');
    let first = parts.next()?;
    let Some(span) = parts.next() else {
        return Some(Found::Decision(state(first)?.0));
    };
    let (trace_id, is_64_bit) = trace_id(first)?;
    let (sampled, debug) = match parts.next().map(state) {
        None => (None, false),
        Some(state) => state.map(|(sampled, debug)| (Some(sampled), debug))?,
    };
    let parent_id = match parts.next() {
        None => None,
        Some(parent) => Some(id(parent)?),
    };
    if parts.next().is_some() {
        return None;
    }
    Some(Found::Context(Context {
        trace_id,
        is_64_bit,
        span_id: Some(id(span)?),
        parent_id,
        sampled,
        debug,
        format: Format::B3Single,
        trace_state: None,
        name: None,
    }))
}

/// Sampled, and debug.
fn state(value: &[u8]) -> Option<(bool, bool)> {
    match value {
        b"d" => Some((true, true)),
        _ => sampled(value).map(|sampled| (sampled, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Headers};

    fn read(value: &str) -> Found {
        let mut headers = Headers::default();
        headers.add("B3", value.as_bytes());
        headers.read()
    }

    #[test]
    fn contexts() {
        for (value, narrow, sampled, debug, parent) in [
            (
                "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90",
                false,
                Some(true),
                false,
                true,
            ),
            ("80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-d", false, Some(true), true, false),
            ("80F198EE56343BA8-e457b5a2e4d86bd1-0", true, Some(false), false, false),
            ("80f198ee56343ba8-e457b5a2e4d86bd1", true, None, false, false),
        ] {
            let Found::Context(context) = read(value) else { panic!("{value}") };
            assert_eq!(context.is_64_bit, narrow);
            assert_eq!((context.sampled, context.debug), (sampled, debug));
            assert_eq!(context.parent_id.is_some(), parent);
            assert_eq!(context.trace_id[..8] == [0; 8], narrow);
        }
    }

    #[test]
    fn decisions() {
        assert_eq!(read("0"), Found::Decision(false));
        assert_eq!(read("1"), Found::Decision(true));
        assert_eq!(read("d"), Found::Decision(true));
    }

    #[test]
    fn malformed() {
        for value in [
            "",
            "2",
            "80f198ee56343ba8",
            "80f198ee56343ba8-",
            "80f198ee56343ba8-e457b5a2e4d86bd1-2",
            "80f198ee56343ba8-e457b5a2e4d86bd1-1-",
            "80f198ee56343ba8-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90-x",
            "0000000000000000-e457b5a2e4d86bd1-1",
            "80f198ee56343ba8-0000000000000000-1",
            "80f198ee56343ba864-e457b5a2e4d86bd1",
        ] {
            assert_eq!(read(value), Found::Malformed, "{value}");
        }
    }
}
