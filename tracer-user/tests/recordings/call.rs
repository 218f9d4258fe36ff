//! What a request has to become.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tracer_user::trace::{Kind, Span, SpanId, Status, TraceId, Value};

/// The id in the first request's path.
const FIRST: usize = 1000;

/// A request between two services as its CLIENT and its SERVER span, with those it caused.
pub(crate) struct Call {
    caller: &'static str,
    /// By which evidence it may have been joined to its caller's request.
    methods: &'static [&'static str],
    callee: &'static str,
    name: &'static str,
    calls: Vec<Call>,
}

/// Nobody asked for it.
pub(crate) const FIRST_CALL: &[&str] = &[""];
/// By threads with a request each.
pub(crate) const THREADS: &[&str] = &["thread"];
/// By an event loop that passes requests on, and now and then has nothing else to do than one.
pub(crate) const LOOP: &[&str] = &["turn", "thread", "forward"];
/// By a process with one request.
pub(crate) const ALONE: &[&str] = &["alone"];

/// One that passes the id on.
pub(crate) fn call(
    caller: &'static str,
    methods: &'static [&'static str],
    callee: &'static str,
) -> Call {
    Call { caller, methods, callee, name: "GET /orders/{id}", calls: vec![] }
}

impl Call {
    /// The same with another one that the callee makes, the last so far.
    pub(crate) fn with(mut self, call: Call) -> Call {
        self.calls.push(call);
        self
    }

    /// Both of its spans have this name, of a path that is always the same.
    pub(crate) fn named(self, name: &'static str) -> Call {
        Call { name, ..self }
    }

    fn spans(&self) -> usize {
        2 + self.calls.iter().map(Call::spans).sum::<usize>()
    }
}

/// The spans of one trace, by their parents, in the order of their starts.
type Tree = BTreeMap<Option<[u8; 8]>, Vec<Arc<Span>>>;

/// `spans` are exactly `requests` traces like `tree`, each with an id of its own.
pub(crate) fn check(spans: &[Arc<Span>], requests: usize, tree: &Call) {
    let mut traces: BTreeMap<[u8; 16], Tree> = BTreeMap::new();
    for span in spans {
        let TraceId(id) = span.trace_id;
        let parent = span.parent.map(|SpanId(id)| id);
        traces.entry(id).or_default().entry(parent).or_default().push(span.clone());
    }
    let mut ids = BTreeSet::new();
    for trace in traces.values_mut() {
        trace.values_mut().for_each(|siblings| siblings.sort_by_key(|span| span.start));
        let count: usize = trace.values().map(Vec::len).sum();
        let roots = trace.get(&None).map(Vec::as_slice).unwrap_or_default();
        let [root] = roots else { panic!("{} roots in {trace:#?}", roots.len()) };
        let url = text(root, "url.full").unwrap_or_else(|| panic!("no CLIENT span: {root:#?}"));
        let path = url.split_at(url.find("/orders/").expect("a path with an id")).1.to_owned();
        assert_eq!(count, tree.spans(), "spans in {trace:#?}");
        compare(trace, root, tree, &path);
        assert!(ids.insert(path.clone()), "{path} is two traces");
    }
    let asked = (FIRST..FIRST + requests).map(|id| format!("/orders/{id}"));
    assert_eq!(ids, asked.collect(), "a trace for each request");
    assert_eq!(spans.len(), requests * tree.spans());
}

/// `client` is the CLIENT span of `call`, and what is below it the rest.
fn compare(trace: &Tree, client: &Span, call: &Call, path: &str) {
    let below = |span: &Span| trace.get(&Some(span.span_id.0)).map_or(&[][..], Vec::as_slice);
    let [server] = below(client) else { panic!("{:#?} below {client:#?}", below(client)) };
    for (span, kind, service, methods) in [
        (client, Kind::Client, call.caller, call.methods),
        (server, Kind::Server, call.callee, &["pair"][..]),
    ] {
        let found = (span.kind, &*span.resource.service, &*span.name);
        assert_eq!(found, (kind, service, call.name), "{span:#?}");
        let method = text(span, "tracer.parent.method").unwrap_or_default();
        assert!(methods.contains(&method), "{method}, not {methods:?}: {span:#?}");
        assert_eq!(span.status, Status::Unset, "{span:#?}");
        assert!(text(span, "tracer.incomplete").is_none(), "{span:#?}");
        let target = text(span, if kind == Kind::Client { "url.full" } else { "url.path" });
        let own = call.name.strip_prefix("POST ").unwrap_or(path);
        assert!(target.is_some_and(|target| target.ends_with(own)), "{own}: {span:#?}");
    }
    assert!(client.start <= server.start, "{server:#?} before {client:#?}");
    assert_eq!(below(server).len(), call.calls.len(), "calls below {server:#?}");
    for (child, call) in below(server).iter().zip(&call.calls) {
        assert!(server.start <= child.start, "{child:#?} before {server:#?}");
        compare(trace, child, call, path);
    }
}

fn text<'a>(span: &'a Span, name: &str) -> Option<&'a str> {
    span.attributes.iter().find_map(|(known, value)| match value {
        Value::Text(text) if known == name => Some(&**text),
        _ => None,
    })
}
