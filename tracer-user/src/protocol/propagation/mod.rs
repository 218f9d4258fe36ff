//! Trace contexts that services pass on in request headers.
//!
//! Formats are tried in this order, and the first valid one counts:
//!  1. W3C Trace Context (`traceparent`, `tracestate`): a standard, and always complete;
//!  2. B3 single (`b3`): supersedes the multi-header form where both are sent (B3 specification);
//!  3. B3 multi (`X-B3-*`);
//!  4. Jaeger's own (`uber-trace-id`).

mod b3;
mod b3_multi;
mod b3_single;
mod hex;
mod jaeger;
mod w3c;

/// Which headers a context came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `traceparent`.
    TraceContext,
    /// `b3`.
    B3Single,
    /// `X-B3-TraceId` and its kin.
    B3Multi,
    /// `uber-trace-id`.
    Jaeger,
}

/// A propagated context: the sender's span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Not all zero.
    pub trace_id: [u8; 16],
    /// The trace id came as 64 bits; its first eight bytes are zero.
    pub is_64_bit: bool,
    /// Not all zero. In W3C's terms the parent-id; in B3's, with headers set as Brave does, the id
    /// of the span that both sides share.
    pub span_id: [u8; 8],
    /// The parent of `span_id`, as B3 and Jaeger's clients can tell it.
    pub parent_id: Option<[u8; 8]>,
    /// The sampling decision; `None` is B3's "defer to the receiver".
    pub sampled: Option<bool>,
    /// B3's debug flag: sampled, and more.
    pub debug: bool,
    /// The headers.
    pub format: Format,
    /// `tracestate` (several joined by commas), if it is valid and not empty. At most 4 KiB.
    pub trace_state: Option<String>,
}

/// All that a request's headers say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// The first valid context.
    pub context: Option<Context>,
    /// B3 without ids: a sampling decision alone.
    pub decision: Option<bool>,
    /// Formats whose headers were there but invalid.
    pub malformed: u8,
    /// Valid contexts disagreed on the trace or the span; the first counts.
    pub conflicting: bool,
}

/// What one format's headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Malformed,
    Decision(bool),
    Context(Context),
}

/// Reads the context from header fields (name in any case, value without surrounding space).
pub fn extract<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Extracted {
    let (mut w3c, mut jaeger) = (w3c::Headers::default(), jaeger::Headers::default());
    let (mut single, mut multi) = (b3_single::Headers::default(), b3_multi::Headers::default());
    for (name, value) in headers {
        // Nearly all names are settled by their first letter.
        match name.as_bytes().first().map(u8::to_ascii_lowercase) {
            Some(b't') => w3c.add(name, value),
            Some(b'b') => single.add(name, value),
            Some(b'x') => multi.add(name, value),
            Some(b'u') => jaeger.add(name, value),
            _ => {}
        }
    }
    let mut extracted = Extracted::default();
    for found in [w3c.read(), single.read(), multi.read(), jaeger.read()] {
        match (found, &extracted.context) {
            (Found::Nothing, _) => {}
            (Found::Malformed, _) => extracted.malformed += 1,
            (Found::Decision(sampled), _) => {
                extracted.decision.get_or_insert(sampled);
            }
            (Found::Context(other), Some(first)) => {
                extracted.conflicting |= !agree(first, &other);
            }
            (Found::Context(context), None) => extracted.context = Some(context),
        }
    }
    extracted
}

/// The same span, as far as the shorter trace id tells.
fn agree(a: &Context, b: &Context) -> bool {
    let from = if a.is_64_bit || b.is_64_bit { 8 } else { 0 };
    a.span_id == b.span_id && a.trace_id.iter().skip(from).eq(b.trace_id.iter().skip(from))
}

#[cfg(test)]
mod tests {
    use super::{Format, extract};

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    fn read(headers: &[(&str, String)]) -> super::Extracted {
        extract(headers.iter().map(|(name, value)| (*name, value.as_bytes())))
    }

    #[test]
    fn the_first_valid_format_counts() {
        let w3c = ("Traceparent", format!("00-{TRACE}-{SPAN}-01"));
        let b3 = ("B3", format!("{TRACE}-{SPAN}-1"));
        let both = read(&[b3.clone(), w3c.clone()]);
        assert_eq!(both.context.unwrap().format, Format::TraceContext);
        assert!(!both.conflicting);
        let broken = read(&[b3, ("traceparent", "00-x".into())]);
        assert_eq!((broken.context.unwrap().format, broken.malformed), (Format::B3Single, 1));
    }

    #[test]
    fn disagreement_is_noticed() {
        let w3c = ("traceparent", format!("00-{TRACE}-{SPAN}-01"));
        let other = read(&[w3c.clone(), ("b3", format!("{TRACE}-00f067aa0ba902b7-1"))]);
        assert!(other.conflicting);
        let low = TRACE.get(16..).unwrap();
        assert!(!read(&[w3c, ("b3", format!("{low}-{SPAN}"))]).conflicting);
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(read(&[("Host", "x".into())]), super::Extracted::default());
    }
}
