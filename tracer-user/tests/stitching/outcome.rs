//! Runs a script through the pipeline, and looks at what comes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracer_user::causality::Kinds;
use tracer_user::pipeline::{Directory, Pipeline, Settings};
use tracer_user::protocol::{backing, http1};
use tracer_user::trace::{Clock, Kind, LeaveOut, LeftOut, Resource, Span, SpanId, TraceId, Value};

use crate::script::{SECOND, Script};

/// Every process is the service `pid-N`; process 66 is not wanted until it runs another program.
#[derive(Default)]
pub(crate) struct Paper {
    changed: bool,
}

impl Directory for Paper {
    fn resource(&mut self, pid: u32, _: u64) -> Arc<Resource> {
        Arc::new(Resource { service: format!("pid-{pid}").into(), attributes: vec![] })
    }
    fn meet(&mut self, _: u32, _: &str, _: u64) {}
    fn takes_over(&mut self, _: u32, _: u32) {}
    fn speaks_tls(&mut self, _: u32) {}
    fn serves(&mut self, _: u32, _: u16) {}
    fn exec(&mut self, _: u32, _: &str) {
        self.changed = true;
    }
    fn exit(&mut self, _: u32, _: u64) {}
    fn wanted(&mut self, pid: u32, _: u64) -> Option<bool> {
        (pid == 66).then_some(self.changed)
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        connections: 100_000,
        open_exchanges: 100_000,
        http1: http1::Limits::default(),
        backing: backing::Settings::default(),
        settle: SECOND,
        max_hold: 30 * SECOND,
        min_confidence: 0.9,
        without: Kinds::default(),
        ports_left_out: false,
        leave_out: LeaveOut::default(),
    }
}

pub(crate) fn pipeline(settings: Settings) -> Pipeline<Paper> {
    Pipeline::new(settings, Paper::default(), Clock::new(0, 0))
}

/// What came out.
pub(crate) struct Outcome {
    pub(crate) spans: Vec<Arc<Span>>,
    pub(crate) losses: BTreeMap<&'static str, u64>,
    pub(crate) left_out: LeftOut,
}

impl Outcome {
    /// Plays a script, lets five minutes pass, and stops.
    pub(crate) fn of(script: &Script) -> Self {
        Self::with(script, settings())
    }

    pub(crate) fn with(script: &Script, settings: Settings) -> Self {
        let mut pipeline = pipeline(settings);
        feed(&mut pipeline, script, 0);
        Self::end(pipeline, script)
    }

    /// The end of a run that was not quite usual.
    pub(crate) fn end(mut pipeline: Pipeline<Paper>, script: &Script) -> Self {
        pipeline.advance(script.now + 300 * SECOND);
        pipeline.stop(script.now + 300 * SECOND);
        Self::taken(&mut pipeline)
    }

    /// What has come out by now.
    pub(crate) fn taken(pipeline: &mut Pipeline<Paper>) -> Self {
        Self {
            spans: pipeline.take_spans(),
            losses: pipeline.losses(),
            left_out: pipeline.left_out(),
        }
    }

    /// The only span of this kind and path.
    pub(crate) fn span(&self, kind: Kind, at: &str) -> &Span {
        let mut found = self.spans.iter().filter(|span| span.kind == kind && path(span) == at);
        let span = found.next().unwrap_or_else(|| panic!("no {kind:?} span of {at}"));
        assert!(found.next().is_none(), "two {kind:?} spans of {at}");
        span
    }

    pub(crate) fn client(&self, at: &str) -> &Span {
        self.span(Kind::Client, at)
    }

    pub(crate) fn server(&self, at: &str) -> &Span {
        self.span(Kind::Server, at)
    }

    /// Asserts that one span is another's child, found by this method.
    #[track_caller]
    pub(crate) fn assert_edge(&self, child: &Span, parent: &Span, how: &str) {
        assert_eq!(child.parent, Some(parent.span_id), "{} under {}", child.name, parent.name);
        assert_eq!(child.trace_id, parent.trace_id);
        assert_eq!(method(child), Some(how));
    }

    /// All that makes the trees, in an order of its own.
    pub(crate) fn trees(&self) -> Vec<(SpanId, TraceId, Option<SpanId>, String)> {
        let tree = |span: &Arc<Span>| {
            (span.span_id, span.trace_id, span.parent, format!("{:?} {}", span.kind, path(span)))
        };
        let mut trees: Vec<_> = self.spans.iter().map(tree).collect();
        trees.sort_by_key(|(id, ..)| id.0);
        trees
    }
}

/// Feeds the records from number `from` on; returns how many there are.
pub(crate) fn feed(pipeline: &mut Pipeline<Paper>, script: &Script, from: usize) -> usize {
    for record in script.records.iter().skip(from) {
        pipeline.record(&record.bytes);
    }
    script.records.len()
}

pub(crate) fn text<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    span.attributes.iter().find_map(|(name, value)| match value {
        Value::Text(text) if name == key => Some(&**text),
        _ => None,
    })
}

pub(crate) fn method(span: &Span) -> Option<&str> {
    text(span, "tracer.parent.method")
}

/// Path of the request.
pub(crate) fn path(span: &Span) -> &str {
    match text(span, "url.full") {
        Some(url) => url.strip_prefix("http://there").unwrap_or(url),
        None => text(span, "url.path").unwrap_or_default(),
    }
}
