//! The share of traces that is kept, as OpenTelemetry's consistent probability sampling has it:
//! <https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/>. A trace
//! brings its own 56 random bits (the last seven bytes of its id, or `rv` of its trace state), and is
//! kept if these are not less than a threshold. So tracers on several hosts, and collectors behind
//! them, keep the same traces where they keep as many; and whoever counts spans knows from the
//! threshold (`ot=th:...` of the trace state) for how many each stands.

use std::borrow::Cow;

use super::state;
use crate::trace::{SAMPLED, Span, Value};

/// Bits of randomness.
const BITS: u32 = 56;
/// Of these, the ones that a threshold uses, as the specification has it for four digits.
const PRECISION: u32 = 16;

/// How likely a trace was to be kept; never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// Traces with less than this are not kept, of 2^56.
    threshold: u64,
}

impl Share {
    /// All of them.
    pub const ALL: Share = Share { threshold: 0 };

    /// The nearest to a probability that can be written; 1 in 65,536 is the least.
    #[must_use]
    pub fn of(probability: f64) -> Self {
        let steps = f64::from(1u32 << PRECISION);
        let kept = (probability.clamp(0.0, 1.0) * steps).round().max(1.0);
        Self { threshold: ((steps - kept) as u64) << (BITS - PRECISION) }
    }

    /// From 1 in 65,536 to 1.
    #[must_use]
    pub fn probability(self) -> f64 {
        1.0 - self.threshold as f64 / (1u64 << BITS) as f64
    }

    /// Whether a trace is among those that are kept, by any span of it.
    #[must_use]
    pub fn keeps(self, span: &Span) -> bool {
        randomness(span) >= self.threshold
    }

    /// The span as one that stands for others. Its own trace state may say that its service had sampled
    /// already: of a span that this service sent (`outside`) that is true, and the rarer one counts.
    #[must_use]
    pub fn mark(self, span: &Span, outside: bool) -> Span {
        let mut span = span.clone();
        let before = span.trace_state.as_deref().and_then(|it| state::get(it, "th"));
        let before = before.and_then(parse).filter(|_| outside);
        let share = before.map_or(self, |before| before.max(self));
        let state = span.trace_state.take().unwrap_or_default();
        span.trace_state = Some(state::set(&state, "th", &share.text()));
        span.attributes.retain(|(key, _)| key != SAMPLED);
        span.attributes.push((Cow::Borrowed(SAMPLED), Value::Double(share.probability())));
        span
    }

    /// In hexadecimal digits, without zeroes at the end.
    fn text(self) -> String {
        let digits = format!("{:014x}", self.threshold);
        match digits.trim_end_matches('0') {
            "" => "0".to_owned(),
            digits => digits.to_owned(),
        }
    }
}

/// The reverse of [`Share::text`].
fn parse(text: &str) -> Option<Share> {
    let digits = (1..=14).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let number = u64::from_str_radix(text, 16).ok().filter(|_| digits)?;
    Some(Share { threshold: number << (4 * (14 - text.len())) })
}

fn randomness(span: &Span) -> u64 {
    let told = span.trace_state.as_deref().and_then(|it| state::get(it, "rv"));
    let told = told.filter(|it| it.len() == 14).and_then(|it| u64::from_str_radix(it, 16).ok());
    told.unwrap_or_else(|| {
        let [.., a, b, c, d, e, f, g] = span.trace_id.0;
        u64::from_be_bytes([0, a, b, c, d, e, f, g])
    })
}

#[cfg(test)]
mod tests {
    use super::{Share, parse};
    use crate::sampling::testing::span;
    use crate::trace::{TraceId, Value};

    #[test]
    fn thresholds_are_written_as_the_specification_does() {
        for (probability, text) in
            [(1.0, "0"), (0.5, "8"), (0.25, "c"), (0.1, "e666"), (0.01, "fd71"), (0.0, "ffff")]
        {
            let share = Share::of(probability);
            assert_eq!(share.text(), text);
            assert_eq!(parse(text), Some(share));
            assert!((share.probability() - probability).abs() <= 1.0 / 65_536.0);
        }
        assert_eq!(parse(""), None);
        assert_eq!(parse("fffffffffffffff"), None);
        assert_eq!(parse("+1"), None);
    }

    #[test]
    fn as_many_are_kept_as_it_says() {
        let share = Share::of(0.1);
        let mut random = fastrand::Rng::with_seed(1);
        let kept = (0..100_000).filter(|_| {
            let mut span = span(1);
            span.trace_id = TraceId(random.u128(1..).to_be_bytes());
            share.keeps(&span)
        });
        assert!((9_500..10_500).contains(&kept.count()));
    }

    #[test]
    fn randomness_that_the_trace_brings_counts() {
        let mut span = span(1);
        span.trace_state = Some("ot=rv:00000000000000".to_owned());
        assert!(!Share::of(0.9).keeps(&span));
        span.trace_state = Some("x=y,ot=th:0;rv:ffffffffffffff".to_owned());
        assert!(Share::of(0.0).keeps(&span));
    }

    #[test]
    fn spans_say_for_how_many_they_stand() {
        let mut before = span(1);
        before.trace_state = Some("vendor=1,ot=th:e;rv:ffffffffffffff".to_owned());
        let own = Share::of(0.25).mark(&before, false);
        assert_eq!(own.trace_state.as_deref(), Some("ot=rv:ffffffffffffff;th:c,vendor=1"));
        assert_eq!(own.attribute(crate::trace::SAMPLED), Some(&Value::Double(0.25)));
        assert_eq!(own.weight(), 4.0);
        let outside = Share::of(0.25).mark(&before, true);
        assert_eq!(outside.weight(), 8.0, "its service kept one in eight");
        assert_eq!(span(1).weight(), 1.0);
    }
}
