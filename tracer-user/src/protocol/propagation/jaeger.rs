//! Jaeger's own clients (<https://www.jaegertracing.io/docs/1.76/sdk-migration/#propagation-format>):
//! `uber-trace-id: {trace id}:{span id}:{parent span id}:{flags}`, hexadecimal without leading
//! zeros, the colons as they are or as `%3A`.

use super::hex::id;
use super::single::Single;
use super::{Context, Format, Found};

/// Longest value: ids of 32, 16 and 16 digits, two of flags, and three colons as `%3A`.
const LENGTH: usize = 32 + 16 + 16 + 2 + 3 * 3;
const SAMPLED: u8 = 1;
const DEBUG: u8 = 2;

/// The format's field of one request.
#[derive(Default)]
pub(super) struct Headers<'a>(Single<'a>);

impl<'a> Headers<'a> {
    /// Takes a field if it is the format's.
    pub(super) fn add(&mut self, name: &str, value: &'a [u8]) {
        self.0.add("uber-trace-id", name, value);
    }

    /// What it says; two of them are malformed.
    pub(super) fn read(&self) -> Found {
        self.0.read(|value| parse(value).map(Found::Context))
    }
}

fn parse(value: &[u8]) -> Option<Context> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= LENGTH)?;
    let text = text.replace("%3A", ":").replace("%3a", ":");
    let mut parts = text.split(':');
    let (trace, span, parent) = (parts.next()?, parts.next()?, parts.next()?);
    let flags = parts.next().filter(|flags| (1..=2).contains(&flags.len()))?;
    // What `from_str_radix` takes beyond digits is a sign.
    let flags = u8::from_str_radix(flags, 16).ok().filter(|_| !flags.starts_with('+'))?;
    // No span is told by a zero, or by nothing at all.
    let parent_id = match parent.trim_start_matches('0') {
        "" => None,
        _ => Some(padded(parent)?),
    };
    let debug = flags & DEBUG != 0;
    parts.next().is_none().then_some(Context {
        trace_id: padded(trace)?,
        is_64_bit: trace.len() <= 16,
        span_id: Some(padded(span)?),
        parent_id,
        sampled: Some(debug || flags & SAMPLED != 0),
        debug,
        format: Format::Jaeger,
        trace_state: None,
        name: None,
    })
}

/// An id whose leading zeros may have been left out.
fn padded<const N: usize>(digits: &str) -> Option<[u8; N]> {
    id(format!("{digits:0>width$}", width = 2 * N).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{Context, Found, Headers};

    fn read(value: &str) -> Found {
        let mut headers = Headers::default();
        headers.add("Uber-Trace-Id", value.as_bytes());
        headers.read()
    }

    fn context(value: &str) -> Context {
        let Found::Context(context) = read(value) else { panic!("{value}") };
        context
    }

    #[test]
    fn contexts() {
        let narrow = context("5b8aa5a2d2c872e8:1f:0:1");
        assert!(narrow.is_64_bit && narrow.trace_id[..8] == [0; 8]);
        assert_eq!((narrow.span_id, narrow.parent_id), (Some([0, 0, 0, 0, 0, 0, 0, 0x1f]), None));
        assert_eq!((narrow.sampled, narrow.debug), (Some(true), false));
        let wide = context("80f198ee56343ba864fe8b2a57d3eff7:e457b5a2e4d86bd1:05e3ac9a4f6e3b90:0");
        assert_eq!((wide.is_64_bit, wide.sampled), (false, Some(false)));
        assert_eq!(wide.parent_id, Some([0x05, 0xe3, 0xac, 0x9a, 0x4f, 0x6e, 0x3b, 0x90]));
        let debug = context("5b8aa5a2d2c872e8%3A1f%3A0%3A3");
        assert_eq!((debug.sampled, debug.debug), (Some(true), true));
        assert_eq!(context("1:2::1").parent_id, None);
    }

    #[test]
    fn malformed() {
        for value in [
            "",
            "1",
            "1:2:3",
            "1:2:3:",
            "1:2:3:+1",
            "1:2:3:100",
            "1:2:3:1:",
            "0:2:3:1",
            "1:0:3:1",
            "x:2:3:1",
            "1:+2:3:1",
            "1:2:x:1",
            "1:11112222333344445:0:1",
            "111122223333444455556666777788889:2:0:1",
        ] {
            assert_eq!(read(value), Found::Malformed, "{value}");
        }
        let mut twice = Headers::default();
        (0..2).for_each(|_| twice.add("uber-trace-id", b"1:2:3:1"));
        assert_eq!(twice.read(), Found::Malformed);
    }
}
