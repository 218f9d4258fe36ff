//! B3 in several headers (<https://github.com/openzipkin/b3-propagation#multiple-headers>):
//! `X-B3-TraceId`, `X-B3-SpanId`, `X-B3-ParentSpanId`, `X-B3-Sampled`, `X-B3-Flags`.

use super::b3::{sampled, trace_id};
use super::hex::id;
use super::{Context, Format, Found};

/// The format's fields of one request; of a repeated one, the first.
#[derive(Default)]
pub(super) struct Headers<'a> {
    trace: Option<&'a [u8]>,
    span: Option<&'a [u8]>,
    parent: Option<&'a [u8]>,
    sampled: Option<&'a [u8]>,
    flags: Option<&'a [u8]>,
}

impl<'a> Headers<'a> {
    /// Takes a field if it is one of the format's.
    pub(super) fn add(&mut self, name: &str, value: &'a [u8]) {
        for (known, slot) in [
            ("x-b3-traceid", &mut self.trace),
            ("x-b3-spanid", &mut self.span),
            ("x-b3-parentspanid", &mut self.parent),
            ("x-b3-sampled", &mut self.sampled),
            ("x-b3-flags", &mut self.flags),
        ] {
            if name.eq_ignore_ascii_case(known) {
                slot.get_or_insert(value.trim_ascii());
            }
        }
    }

    /// What they say. Ids come together or not at all.
    pub(super) fn read(&self) -> Found {
        let all = [self.trace, self.span, self.parent, self.sampled, self.flags];
        if all.iter().all(Option::is_none) {
            return Found::Nothing;
        }
        self.parse().unwrap_or(Found::Malformed)
    }

    fn parse(&self) -> Option<Found> {
        // Debug is "1" and implies an accept decision; any other value of Flags says nothing.
        let debug = self.flags == Some(b"1");
        let sampled = match self.sampled {
            _ if debug => Some(true),
            None => None,
            Some(value) => Some(sampled(value)?),
        };
        let (trace, span) = match (self.trace, self.span) {
            (Some(trace), Some(span)) => (trace, span),
            (None, None) if self.parent.is_none() => {
                return Some(sampled.map_or(Found::Nothing, Found::Decision));
            }
            _ => return None,
        };
        let parent_id = match self.parent {
            None => None,
            Some(parent) => Some(id(parent)?),
        };
        let (trace_id, is_64_bit) = trace_id(trace)?;
        Some(Found::Context(Context {
            trace_id,
            is_64_bit,
            span_id: Some(id(span)?),
            parent_id,
            sampled,
            debug,
            format: Format::B3Multi,
            trace_state: None,
            name: None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Headers};

    fn read(fields: &[(&str, &str)]) -> Found {
        let mut headers = Headers::default();
        fields.iter().for_each(|(name, value)| headers.add(name, value.as_bytes()));
        headers.read()
    }

    const TRACE: (&str, &str) = ("X-B3-TraceId", "80f198ee56343ba864fe8b2a57d3eff7");
    const SPAN: (&str, &str) = ("x-b3-spanid", "E457B5A2E4D86BD1");

    #[test]
    fn contexts() {
        let Found::Context(plain) = read(&[TRACE, SPAN]) else { panic!() };
        assert_eq!((plain.sampled, plain.debug, plain.parent_id), (None, false, None));
        let all = [TRACE, SPAN, ("X-B3-ParentSpanId", "05e3ac9a4f6e3b90"), ("X-B3-Sampled", "0")];
        let Found::Context(full) = read(&all) else { panic!() };
        assert_eq!((full.sampled, full.parent_id.is_some()), (Some(false), true));
        let Found::Context(debug) = read(&[TRACE, SPAN, ("X-B3-Flags", "1")]) else { panic!() };
        assert_eq!((debug.sampled, debug.debug), (Some(true), true));
    }

    #[test]
    fn decisions() {
        assert_eq!(read(&[("X-B3-Sampled", "0")]), Found::Decision(false));
        assert_eq!(read(&[("X-B3-Sampled", "true")]), Found::Decision(true));
        assert_eq!(read(&[("X-B3-Flags", "1")]), Found::Decision(true));
        assert_eq!(read(&[("X-B3-Flags", "0")]), Found::Nothing);
    }

    #[test]
    fn malformed() {
        assert_eq!(read(&[TRACE]), Found::Malformed);
        assert_eq!(read(&[SPAN]), Found::Malformed);
        assert_eq!(read(&[TRACE, SPAN, ("X-B3-Sampled", "yes")]), Found::Malformed);
        assert_eq!(read(&[TRACE, SPAN, ("X-B3-ParentSpanId", "")]), Found::Malformed);
        assert_eq!(read(&[("X-B3-TraceId", "80f198ee"), SPAN]), Found::Malformed);
    }
}
