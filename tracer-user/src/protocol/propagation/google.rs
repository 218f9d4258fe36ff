//! Google Cloud's load balancers and older SDKs (<https://docs.cloud.google.com/trace/docs/trace-context>):
//! `X-Cloud-Trace-Context: {32 hex trace id}[/[{span id, decimal}]][;o=[{options}]]`; of the options
//! the lowest bit is the sampling decision.

use super::decimal::{decimal, id as decimal_id};
use super::hex::id;
use super::single::Single;
use super::{Context, Format, Found};

/// The format's field of one request.
#[derive(Default)]
pub(super) struct Headers<'a>(Single<'a>);

impl<'a> Headers<'a> {
    /// Takes a field if it is the format's.
    pub(super) fn add(&mut self, name: &str, value: &'a [u8]) {
        self.0.add("x-cloud-trace-context", name, value);
    }

    /// What it says; two of them are malformed.
    pub(super) fn read(&self) -> Found {
        self.0.read(|value| parse(value).map(Found::Context))
    }
}

fn parse(value: &[u8]) -> Option<Context> {
    let mut parts = value.splitn(2, |byte| *byte == b';');
    let mut ids = parts.next()?.splitn(2, |byte| *byte == b'/');
    let trace_id = id(ids.next()?)?;
    let span_id = match ids.next() {
        None | Some(b"") => None,
        Some(span) => decimal_id(span)?,
    };
    let sampled = match parts.next().map(|options| options.strip_prefix(b"o=")) {
        None | Some(Some(b"")) => None,
        Some(options) => Some(decimal(options?)? & 1 == 1),
    };
    Some(Context {
        trace_id,
        is_64_bit: false,
        span_id,
        parent_id: None,
        sampled,
        debug: false,
        format: Format::GoogleCloud,
        trace_state: None,
        name: None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Found, Headers};

    fn read(value: &str) -> Found {
        let mut headers = Headers::default();
        headers.add("X-Cloud-Trace-Context", value.as_bytes());
        headers.read()
    }

    const TRACE: &str = "000000000000007b00000000000001c8";

    /// The forms that App Engine's own parser documents as valid
    /// (com.google.apphosting.runtime.TraceContextHelper).
    #[test]
    fn contexts() {
        for (rest, span, sampled) in [
            ("/789;o=1", Some(789), Some(true)),
            ("/789;o=0", Some(789), Some(false)),
            ("/789;o=", Some(789), None),
            ("/789", Some(789), None),
            ("/;o=1", None, Some(true)),
            ("/", None, None),
            (";o=3", None, Some(true)),
            ("", None, None),
            ("/0", None, None),
        ] {
            let Found::Context(context) = read(&format!("{TRACE}{rest}")) else { panic!("{rest}") };
            assert_eq!(context.span_id, span.map(u64::to_be_bytes), "{rest}");
            assert_eq!(context.sampled, sampled, "{rest}");
            assert_eq!((context.trace_id[7], context.trace_id[15]), (0x7b, 0xc8));
        }
    }

    #[test]
    fn malformed() {
        let zeros = "0".repeat(32);
        for value in [
            "",
            "/789",
            "7b/789",
            &zeros,
            &format!("{TRACE}/x"),
            &format!("{TRACE}/789;1"),
            &format!("{TRACE};o=x"),
        ] {
            assert_eq!(read(value), Found::Malformed, "{value}");
        }
    }
}
