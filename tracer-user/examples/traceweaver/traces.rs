//! Recorded traces of others, with truth, as input of the joint decision: TraceWeaver's data
//! (SIGCOMM 2024, Apache-2.0), flattened. The first line is a header; then a JSON array a span:
//! trace, span, parent, service, operation, kind, start and duration in microseconds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read};

use tracer_user::causality::joint::{Budget, Call, Hint, Joint, Request};

/// How often is decided, and how long after a request's end. Nanoseconds.
const EVERY: u64 = 250_000_000;
const SETTLE: u64 = 500_000_000;
/// Waits no longer than this for a request that goes on.
const HOLD: u64 = 10_000_000_000;

/// A span; its number is its place in the file.
struct Span {
    trace: String,
    parent: Option<usize>,
    service: String,
    operation: String,
    kind: String,
    started: u64,
    ended: u64,
}

/// Traces, those all of whose edges inside processes are right, and all such edges and the right.
#[derive(Debug, Default)]
pub(crate) struct Score {
    pub(crate) traces: usize,
    pub(crate) right_traces: usize,
    /// Traces all of whose edges are right that TraceWeaver judges.
    pub(crate) right_as_published: usize,
    pub(crate) edges: usize,
    pub(crate) right_edges: usize,
}

/// What a process is told, and when.
enum Told {
    Request(Request),
    Call(Call),
}

/// Decides by timing alone. What a tracer always sees is given: which process made a call (so, where
/// spans have no kind, the service of its parent); which operations call which, as TraceWeaver is
/// given it, because spans inside a service have no kind; and, where
/// both ends have a span, that these two are one call.
pub(crate) fn score(gzip: impl Read) -> Score {
    let spans = read(gzip);
    let mut parents: HashMap<usize, u64> = HashMap::new();
    for told in processes(&spans).into_values() {
        parents.extend(decide(told));
    }
    let mut score = Score::default();
    let published = published(&spans);
    let mut traces: HashMap<&str, (bool, bool)> = HashMap::new();
    for (number, span) in spans.iter().enumerate() {
        let (all, some) = traces.entry(&span.trace).or_insert((true, true));
        let Some(parent) = span.parent else { continue };
        if !is_call(&spans, span) {
            continue;
        }
        let found = parents.get(&number) == Some(&(parent as u64));
        score.edges += 1;
        score.right_edges += usize::from(found);
        *all &= found;
        *some &= found || !published.contains(&number);
    }
    score.traces = traces.len();
    score.right_traces = traces.values().filter(|right| right.0).count();
    score.right_as_published = traces.values().filter(|right| right.1).count();
    score
}

/// The calls that TraceWeaver's own evaluation judges (`executor.py` of its repository): those to
/// other services, made by services that no more than one other service calls. It leaves out the
/// others, so its published shares say nothing of them.
fn published(spans: &[Span]) -> HashSet<usize> {
    let mut callers: HashMap<&str, HashSet<&str>> = HashMap::new();
    let parent = |span: &Span| spans.get(span.parent?);
    for span in spans {
        if let Some(parent) = parent(span).filter(|parent| parent.service != span.service) {
            callers.entry(&span.service).or_default().insert(&parent.service);
        }
    }
    let one = |service: &str| callers.get(service).is_none_or(|callers| callers.len() <= 1);
    let judged = |(_, span): &(usize, &Span)| {
        // A client's span belongs to the caller's service.
        let away = |parent: &Span| span.kind == "client" || parent.service != span.service;
        parent(span).is_some_and(|parent| away(parent) && one(&parent.service))
    };
    spans.iter().enumerate().filter(judged).map(|(number, _)| number).collect()
}

fn read(gzip: impl Read) -> Vec<Span> {
    let lines = BufReader::new(flate2::read::GzDecoder::new(gzip)).lines().skip(1);
    let rows: Vec<serde_json::Value> = lines
        .map(|line| serde_json::from_str(&line.expect("gzip")).expect("a JSON array a line"))
        .collect();
    let text = |row: &serde_json::Value, at: usize| row[at].as_str().unwrap_or("").to_owned();
    let named: HashMap<_, _> =
        rows.iter().enumerate().map(|(at, row)| ((text(row, 0), text(row, 1)), at)).collect();
    let span = |row: &serde_json::Value| {
        let micros = |at: usize| row[at].as_u64().expect("microseconds");
        Span {
            trace: text(row, 0),
            parent: named.get(&(text(row, 0), text(row, 2))).copied(),
            service: text(row, 3),
            operation: text(row, 4),
            kind: text(row, 5),
            started: micros(6) * 1000,
            ended: (micros(6) + micros(7)) * 1000,
        }
    };
    rows.iter().map(span).collect()
}

/// Whether its parent is to be found: not if it is the other end of that.
fn is_call(spans: &[Span], span: &Span) -> bool {
    let parent = span.parent.and_then(|parent| spans.get(parent));
    parent.is_some_and(|parent| !(parent.kind == "client" && span.kind == "server"))
}

fn name(parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// The side of an edge that calls: what stands for its route.
fn caller(span: &Span) -> u64 {
    name(("caller", &span.service, &span.operation, span.parent.is_none()))
}

/// The side that is called, as its caller sees it.
fn callee(caller: &Span, span: &Span) -> u64 {
    name(("callee", &caller.service, &span.service, &span.operation))
}

/// By what can call the same: operations of one service that share none of their calls are told
/// apart.
fn processes(spans: &[Span]) -> BTreeMap<u64, Vec<(u64, Told)>> {
    let parent = |span: &Span| span.parent.and_then(|parent| spans.get(parent));
    let mut groups: HashMap<u64, u64> = HashMap::new();
    let find = |groups: &HashMap<u64, u64>, mut name: u64| {
        while let Some(&next) = groups.get(&name).filter(|&&next| next != name) {
            name = next;
        }
        name
    };
    for span in spans.iter().filter(|span| is_call(spans, span)) {
        let Some(parent) = parent(span) else { continue };
        let [one, two] = [caller(parent), callee(parent, span)].map(|name| find(&groups, name));
        groups.insert(two, one);
        groups.entry(one).or_insert(one);
    }
    let mut processes: BTreeMap<u64, Vec<(u64, Told)>> = BTreeMap::new();
    for (number, span) in spans.iter().enumerate() {
        let id = number as u64;
        let Span { started, ended, .. } = *span;
        let route = caller(span);
        if span.kind != "client" && groups.contains_key(&route) {
            let told = processes.entry(find(&groups, route)).or_default();
            let open = Request { id, route, started, replied: None, ended: None };
            let over = Request { replied: Some(ended), ended: Some(ended), ..open.clone() };
            told.push((started, Told::Request(open)));
            told.push((ended, Told::Request(over)));
        }
        if let Some(caller) = parent(span).filter(|_| is_call(spans, span)) {
            let key = callee(caller, span);
            let hint = Hint::None;
            let call = Call { id, key, started, ended: Some(ended), peer: Some(id), hint };
            let told = processes.entry(find(&groups, key)).or_default();
            told.push((ended, Told::Call(call)));
        }
    }
    processes
}

fn decide(mut told: Vec<(u64, Told)>) -> Vec<(usize, u64)> {
    told.sort_by_key(|told| told.0);
    let mut joint = Joint::default();
    let mut next = told.first().map_or(0, |told| told.0) + EVERY;
    let mut all = vec![];
    for (time, told) in told {
        while time > next {
            let (before, hold) = (next - SETTLE.min(next), next.saturating_sub(HOLD));
            all.extend(joint.decide(next, before, hold, &mut Budget::unbounded()));
            next += EVERY;
        }
        match told {
            Told::Request(request) => joint.request(request),
            Told::Call(call) => drop(joint.call(call)),
        }
    }
    all.extend(joint.decide(next, next, next, &mut Budget::unbounded()));
    let best = |posterior: &tracer_user::causality::joint::Posterior| {
        posterior.owners.first().map(|owner| (posterior.call as usize, owner.request))
    };
    all.iter().filter_map(best).collect()
}
