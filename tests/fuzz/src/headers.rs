//! Propagated contexts out of headers of any content: never an id of zeros, and bounded.
//!
//! An input is a row of headers: a byte that chooses the name, and a length with as many bytes.

use tracer_user::protocol::propagation::extract;

use crate::input::Input;

const NAMES: [&str; 20] = [
    "traceparent",
    "tracestate",
    "b3",
    "X-B3-TraceId",
    "X-B3-SpanId",
    "x-b3-parentspanid",
    "X-B3-Sampled",
    "X-B3-Flags",
    "uber-trace-id",
    "x-datadog-trace-id",
    "X-Datadog-Parent-Id",
    "x-datadog-sampling-priority",
    "x-datadog-tags",
    "sw8",
    "X-Amzn-Trace-Id",
    "X-Cloud-Trace-Context",
    "X-Request-Id",
    "x-correlation-id",
    "Request-Id",
    "x-trace-id",
];
/// `tracestate` is told to be that long at most, and a trace's own name.
const MAX_STATE: usize = 4096;
const MAX_NAME: usize = 256;
/// So many other ids are kept.
const MAX_IDS: usize = 4;

/// Reads the input's headers.
pub fn headers(data: &[u8]) {
    let mut input = Input(data);
    let mut headers = vec![];
    while !input.is_empty() {
        let name = NAMES[usize::from(input.byte()) % NAMES.len()];
        headers.push((name, input.bytes()));
    }
    let extracted = extract(headers.iter().copied());
    assert_eq!(extracted, extract(headers.iter().copied()), "not the same twice");
    assert!(extracted.correlation.ids().count() <= MAX_IDS, "{extracted:?}");
    let Some(context) = extracted.context else { return };
    assert!(context.trace_id != [0; 16] && context.span_id != Some([0; 8]), "{context:?}");
    assert!(context.parent_id != Some([0; 8]), "{context:?}");
    assert!(!context.is_64_bit || context.trace_id[..8] == [0; 8], "{context:?}");
    let name = context.name.unwrap_or_default();
    let printable = name.bytes().all(|byte| byte.is_ascii_graphic());
    assert!(name.len() <= MAX_NAME && printable, "{name:?}");
    let state = context.trace_state.unwrap_or_default();
    assert!(state.len() <= MAX_STATE && !state.contains(['\r', '\n']), "{state:?}");
}
