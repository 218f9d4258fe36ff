//! Datadog's own headers (<https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/>):
//! `x-datadog-trace-id` (the lower 64 bits, decimal), `x-datadog-parent-id` (the caller's span,
//! decimal; 0 where there is none), `x-datadog-sampling-priority` (-1 and 0 drop, 1 and 2 keep) and
//! `x-datadog-tags`, of which `_dd.p.tid` holds the upper 64 bits as 16 hexadecimal digits.
//!
//! Datadog's backend shows the 128 bits in hexadecimal, so spans that other backends have of the
//! same trace have the same id there. Where the upper half is missing or malformed, its SDKs go on
//! with the lower alone, and so does this.

use super::decimal::id as decimal_id;
use super::hex::{id, is_lower};
use super::{Context, Format, Found};

/// Longest `x-datadog-tags` that the SDKs send.
const TAGS_LENGTH: usize = 512;

/// The format's fields of one request; of a repeated one, the first.
#[derive(Default)]
pub(super) struct Headers<'a> {
    trace: Option<&'a [u8]>,
    parent: Option<&'a [u8]>,
    priority: Option<&'a [u8]>,
    tags: Option<&'a [u8]>,
}

impl<'a> Headers<'a> {
    /// Takes a field if it is one of the format's.
    pub(super) fn add(&mut self, name: &str, value: &'a [u8]) {
        for (known, slot) in [
            ("x-datadog-trace-id", &mut self.trace),
            ("x-datadog-parent-id", &mut self.parent),
            ("x-datadog-sampling-priority", &mut self.priority),
            ("x-datadog-tags", &mut self.tags),
        ] {
            if name.eq_ignore_ascii_case(known) {
                slot.get_or_insert(value.trim_ascii());
            }
        }
    }

    /// What they say; without a trace id nothing.
    pub(super) fn read(&self) -> Found {
        match self.trace {
            Some(trace) => self.parse(trace).map_or(Found::Malformed, Found::Context),
            None if self.parent.is_some() => Found::Malformed,
            None => Found::Nothing,
        }
    }

    fn parse(&self, trace: &[u8]) -> Option<Context> {
        let low = decimal_id(trace)??;
        let high = self.tags.filter(|tags| tags.len() <= TAGS_LENGTH).and_then(upper);
        let mut trace_id = [0; 16];
        let halves = high.unwrap_or_default().into_iter().chain(low);
        trace_id.iter_mut().zip(halves).for_each(|(byte, half)| *byte = half);
        let sampled = match self.priority {
            None => None,
            Some(priority) => Some(kept(priority)?),
        };
        Some(Context {
            trace_id,
            is_64_bit: high.is_none(),
            span_id: self.parent.map_or(Some(None), decimal_id)?,
            parent_id: None,
            sampled,
            debug: false,
            format: Format::Datadog,
            trace_state: None,
            name: None,
        })
    }
}

/// The upper half of the trace id, out of the tags.
fn upper(tags: &[u8]) -> Option<[u8; 8]> {
    let mut tags = tags.split(|byte| *byte == b',');
    tags.find_map(|tag| tag.trim_ascii().strip_prefix(b"_dd.p.tid="))
        .filter(|tid| is_lower(tid))
        .and_then(id)
}

fn kept(priority: &[u8]) -> Option<bool> {
    match priority {
        b"-1" | b"0" => Some(false),
        b"1" | b"2" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Context, Found, Headers};

    fn read(fields: &[(&str, &str)]) -> Found {
        let mut headers = Headers::default();
        fields.iter().for_each(|(name, value)| headers.add(name, value.as_bytes()));
        headers.read()
    }

    fn context(fields: &[(&str, &str)]) -> Context {
        let Found::Context(context) = read(fields) else { panic!("{fields:?}") };
        context
    }

    const TRACE: (&str, &str) = ("x-datadog-trace-id", "11803532876627986230");
    const PARENT: (&str, &str) = ("X-Datadog-Parent-Id", "67667974448284343");

    #[test]
    fn both_halves_make_the_trace_id() {
        let tags = ("x-datadog-tags", "_dd.p.dm=-1,_dd.p.tid=4bf92f3577b34da6");
        let wide = context(&[TRACE, PARENT, tags, ("x-datadog-sampling-priority", "1")]);
        // The example of the W3C recommendation, 4bf92f3577b34da6a3ce929d0e0e4736 and 00f067aa0ba902b7.
        assert_eq!(u128::from_be_bytes(wide.trace_id), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(wide.span_id, Some(0x00f0_67aa_0ba9_02b7_u64.to_be_bytes()));
        assert_eq!((wide.is_64_bit, wide.sampled), (false, Some(true)));
        for tags in ["", "_dd.p.tid=4BF92F3577B34DA6", "_dd.p.tid=4bf9", "_dd.p.dm=-0"] {
            let narrow = context(&[TRACE, PARENT, ("x-datadog-tags", tags)]);
            assert!(narrow.is_64_bit && narrow.trace_id[..8] == [0; 8], "{tags}");
            assert_eq!(narrow.sampled, None);
        }
    }

    #[test]
    fn a_trace_may_come_without_a_span() {
        assert_eq!(context(&[TRACE]).span_id, None);
        let rejected = [TRACE, ("x-datadog-parent-id", "0"), ("x-datadog-sampling-priority", "-1")];
        assert_eq!((context(&rejected).span_id, context(&rejected).sampled), (None, Some(false)));
    }

    #[test]
    fn malformed() {
        assert_eq!(read(&[("x-datadog-sampling-priority", "1")]), Found::Nothing);
        assert_eq!(read(&[PARENT]), Found::Malformed);
        assert_eq!(read(&[("x-datadog-trace-id", "0"), PARENT]), Found::Malformed);
        assert_eq!(read(&[("x-datadog-trace-id", "a3ce929d0e0e4736")]), Found::Malformed);
        assert_eq!(read(&[TRACE, ("x-datadog-parent-id", "-1")]), Found::Malformed);
        let priority = ("x-datadog-sampling-priority", "3");
        assert_eq!(read(&[TRACE, PARENT, priority]), Found::Malformed);
    }
}
