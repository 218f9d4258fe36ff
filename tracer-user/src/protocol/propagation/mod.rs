//! Trace contexts that services pass on in request headers.
//!
//! Formats are tried in this order, and the first valid one that names a span counts; without one,
//! the first that names a trace:
//!  1. W3C Trace Context (`traceparent`, `tracestate`): a standard, and always complete;
//!  2. B3 single (`b3`): supersedes the multi-header form where both are sent (B3 specification);
//!  3. B3 multi (`X-B3-*`);
//!  4. Jaeger's own (`uber-trace-id`);
//!  5. Datadog's own (`x-datadog-*`): its SDKs send W3C's as well, of the same trace;
//!  6. SkyWalking's (`sw8`): its ids have to be made to fit;
//!  7. AWS X-Ray (`X-Amzn-Trace-Id`): load balancers send it whether anyone traces or not;
//!  8. Google Cloud (`X-Cloud-Trace-Context`): likewise, and superseded by W3C's;
//!  9. OpenCensus over gRPC (`grpc-trace-bin`): superseded by W3C's as well.
//!
//! Ids that name neither trace nor span are told beside the context ([`Correlation`]).

mod b3;
mod b3_multi;
mod b3_single;
mod correlation;
mod datadog;
mod decimal;
mod google;
mod hex;
mod jaeger;
mod opencensus;
mod single;
mod skywalking;
mod w3c;
mod xray;

pub use correlation::{Correlation, correlation, is_correlation};

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
    /// `x-datadog-trace-id` and its kin.
    Datadog,
    /// `sw8`.
    SkyWalking,
    /// `X-Amzn-Trace-Id`.
    XRay,
    /// `X-Cloud-Trace-Context`.
    GoogleCloud,
    /// `grpc-trace-bin`.
    OpenCensus,
}

/// A propagated context: the sender's span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Not all zero.
    pub trace_id: [u8; 16],
    /// The trace id came as 64 bits; its first eight bytes are zero.
    pub is_64_bit: bool,
    /// Not all zero. In W3C's terms the parent-id; in B3's, with headers set as Brave does, the id
    /// of the span that both sides share. `None` where the headers name a trace alone, as those of
    /// a load balancer do, which has no span.
    pub span_id: Option<[u8; 8]>,
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
    /// What the sender's own backend calls the trace, where that is not `trace_id` in hexadecimal:
    /// SkyWalking's text. Printable ASCII, at most 256 bytes.
    pub name: Option<String>,
}

/// All that a request's headers say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// The first valid context that names a span, else the first valid one.
    pub context: Option<Context>,
    /// B3 without ids: a sampling decision alone.
    pub decision: Option<bool>,
    /// Formats whose headers were there but invalid.
    pub malformed: u8,
    /// Valid contexts that name a span disagreed on it or on the trace; the first counts.
    pub conflicting: bool,
    /// Ids that are no contexts, and the trace ids of contexts where there are several, or where
    /// they name no span: what was not chosen may tell a call's request all the same.
    pub correlation: Correlation,
}

/// What one format's headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Malformed,
    Decision(bool),
    Context(Context),
}

/// The fields of one request, by format.
#[derive(Default)]
struct Headers<'a> {
    w3c: w3c::Headers<'a>,
    single: b3_single::Headers<'a>,
    multi: b3_multi::Headers<'a>,
    jaeger: jaeger::Headers<'a>,
    datadog: datadog::Headers<'a>,
    skywalking: skywalking::Headers<'a>,
    xray: xray::Headers<'a>,
    google: google::Headers<'a>,
    opencensus: opencensus::Headers<'a>,
    correlation: Correlation,
}

impl<'a> Headers<'a> {
    /// Nearly all names are settled by their first letter, or the one behind `x-`.
    fn add(&mut self, name: &str, value: &'a [u8]) {
        let letter = |at: usize| name.as_bytes().get(at).map(u8::to_ascii_lowercase);
        match (letter(0), letter(2)) {
            (Some(b'x'), Some(b'b')) => self.multi.add(name, value),
            (Some(b'x'), Some(b'd')) => self.datadog.add(name, value),
            (Some(b'x'), Some(b'a')) => self.xray.add(name, value),
            (Some(b'x'), Some(b'c')) => {
                self.google.add(name, value);
                self.correlation.add(name, value);
            }
            (Some(b't'), _) => self.w3c.add(name, value),
            (Some(b'b'), _) => self.single.add(name, value),
            (Some(b'u'), _) => self.jaeger.add(name, value),
            (Some(b's'), _) => self.skywalking.add(name, value),
            (Some(b'g'), _) => self.opencensus.add(name, value),
            (Some(b'x' | b'r' | b'c'), _) => self.correlation.add(name, value),
            _ => {}
        }
    }

    /// What each format's say, in the order in which they count.
    fn read(&self) -> [Found; 9] {
        [
            self.w3c.read(),
            self.single.read(),
            self.multi.read(),
            self.jaeger.read(),
            self.datadog.read(),
            self.skywalking.read(),
            self.xray.read(),
            self.google.read(),
            self.opencensus.read(),
        ]
    }
}

/// Reads the context from header fields (name in any case, value without surrounding space).
pub fn extract<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Extracted {
    let mut fields = Headers::default();
    headers.for_each(|(name, value)| fields.add(name, value));
    let (mut extracted, mut contexts) = (Extracted::default(), vec![]);
    for found in fields.read() {
        match found {
            Found::Nothing => {}
            Found::Malformed => extracted.malformed += 1,
            Found::Decision(sampled) => {
                extracted.decision.get_or_insert(sampled);
            }
            Found::Context(context) => contexts.push(context),
        }
    }
    extracted.correlation = fields.correlation;
    if contexts.len() > 1 || contexts.iter().any(|context| context.span_id.is_none()) {
        contexts.iter().for_each(|context| extracted.correlation.put(&context.trace_id));
    }
    // Stable: the order of formats stays among those that name a span.
    contexts.sort_by_key(|context| context.span_id.is_none());
    let mut contexts = contexts.into_iter();
    extracted.context = contexts.next();
    if let Some(first) = &extracted.context {
        extracted.conflicting =
            contexts.filter(|other| other.span_id.is_some()).any(|other| !agree(first, &other));
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
    fn a_span_goes_before_a_trace_alone() {
        let balancer = ("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678".to_owned());
        let cloud = ("X-Cloud-Trace-Context", format!("{TRACE}/7"));
        let alone = read(std::slice::from_ref(&balancer));
        assert_eq!(alone.context.unwrap().format, Format::XRay);
        let both = read(&[balancer, cloud]);
        assert_eq!(both.context.unwrap().format, Format::GoogleCloud);
        // Load balancers know nothing of other formats: that is no disagreement.
        assert!(!both.conflicting);
        let shared = alone.correlation.ids().next().unwrap();
        assert!(both.correlation.ids().any(|id| id == shared));
    }

    /// As ddtrace 4.16.0 sends it: one trace in two formats.
    #[test]
    fn datadogs_two_formats_agree() {
        let both = read(&[
            ("x-datadog-trace-id", "3513597477537023480".into()),
            ("x-datadog-parent-id", "14693318512342877438".into()),
            ("x-datadog-sampling-priority", "1".into()),
            ("x-datadog-tags", "_dd.p.dm=-0,_dd.p.tid=6b01cfd500000000".into()),
            ("traceparent", "00-6b01cfd50000000030c2ce4a3c4d85f8-cbe92756a3de44fe-01".into()),
            ("tracestate", "dd=p:cbe92756a3de44fe;s:1;t.dm:-0,ot=rv:75e0da29adba64;th:0".into()),
        ]);
        assert!(!both.conflicting && both.malformed == 0);
        assert_eq!(both.context.unwrap().format, Format::TraceContext);
    }

    #[test]
    fn every_format_is_read() {
        let low = "11803532876627986230";
        let sw8 = format!(
            "1-{0}-{0}-0-YQ==-YQ==-YQ==-YQ==",
            "ZGU1OTgwYjhmY2UzNGEzN2FhYjliNGFjM2FmN2VlZGQ="
        );
        let opencensus = "AABAQUJDREVGR0hJSktMTU5PAWFiY2RlZmdoAgE".to_owned();
        for (name, value, format) in [
            ("traceparent", format!("00-{TRACE}-{SPAN}-01"), Format::TraceContext),
            ("b3", format!("{TRACE}-{SPAN}"), Format::B3Single),
            ("Uber-Trace-Id", format!("{TRACE}:{SPAN}:0:1"), Format::Jaeger),
            ("X-Datadog-Trace-Id", low.into(), Format::Datadog),
            ("sw8", sw8, Format::SkyWalking),
            ("x-amzn-trace-id", format!("Root=1-{}-{}", &TRACE[..8], &TRACE[8..]), Format::XRay),
            ("x-cloud-trace-context", TRACE.into(), Format::GoogleCloud),
            ("grpc-trace-bin", opencensus, Format::OpenCensus),
        ] {
            assert_eq!(read(&[(name, value)]).context.unwrap().format, format);
        }
        for name in
            ["X-Request-Id", "X-Correlation-Id", "X-Trace-Id", "Request-Id", "Correlation-Id"]
        {
            assert_eq!(read(&[(name, SPAN.into())]).correlation.ids().count(), 1, "{name}");
        }
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(read(&[("Host", "x".into())]), super::Extracted::default());
    }
}
