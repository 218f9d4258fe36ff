//! Judges edges: is a request below the one that caused it?

use std::collections::{HashMap, HashSet};

use super::hop::{caller, root};
use crate::span::Side;

/// A span, as far as its place in a tree goes.
#[derive(Clone, Debug)]
pub struct Span {
    /// Trace id.
    pub trace: String,
    /// Span id, of its trace.
    pub id: String,
    /// Parent's id, of the same trace.
    pub parent: Option<String>,
    /// Side.
    pub side: Side,
    /// The id in its path ([`super::hop`]).
    pub hop: Option<String>,
    /// When it began, in any unit; of two for one request, the earlier counts.
    pub start: u64,
    /// `tracer.parent.method` and `tracer.parent.confidence`.
    pub decided: Option<(String, f64)>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is below the request that caused it; a user's request is below none.
    Right,
    /// It is below no known request and should be.
    Orphan,
    /// It is below another request of the same user request.
    WrongSame,
    /// It is below a request of another user request.
    WrongTrace,
    /// It has no SERVER span.
    Missing,
}

/// A request's place.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The request's id.
    pub hop: String,
    /// Right or wrong.
    pub verdict: Verdict,
    /// Method and confidence of the least sure step up to the request that it is below, if any.
    pub decided: Option<(String, f64)>,
}

impl Edge {
    /// Whether it is a user's request, which nobody here caused.
    pub fn is_root(&self) -> bool {
        caller(&self.hop).is_none()
    }
}

/// Judges each of `requests`, in their order.
pub fn judge(spans: &[Span], requests: &[String]) -> Vec<Edge> {
    let index = Index::new(spans);
    requests.iter().map(|hop| index.edge(hop)).collect()
}

#[derive(Default)]
struct Halves<'a> {
    client: Option<&'a Span>,
    server: Option<&'a Span>,
}

struct Index<'a> {
    by_id: HashMap<(&'a str, &'a str), Halves<'a>>,
    servers: HashMap<&'a str, &'a Span>,
}

impl<'a> Index<'a> {
    fn new(spans: &'a [Span]) -> Self {
        let mut by_id: HashMap<_, Halves<'a>> = HashMap::new();
        let mut servers: HashMap<&str, &Span> = HashMap::new();
        for span in spans {
            let halves = by_id.entry((&*span.trace, &*span.id)).or_default();
            match span.side {
                Side::Client => halves.client = Some(span),
                Side::Server => halves.server = Some(span),
                Side::Producer | Side::Consumer => {}
            }
            if let (Side::Server, Some(hop)) = (span.side, &span.hop) {
                let first = servers.entry(hop).or_insert(span);
                if span.start < first.start {
                    *first = span;
                }
            }
        }
        Self { by_id, servers }
    }

    /// The parent, for ids of a span's own and for Zipkin's, which both sides share.
    fn parent(&self, span: &Span) -> Option<&'a Span> {
        let halves = |id| self.by_id.get(&(&*span.trace, id));
        let server = span.side == Side::Server;
        if let (true, Some(half)) = (server, halves(&span.id).and_then(|it| it.client)) {
            return Some(half);
        }
        let above = halves(span.parent.as_deref()?)?;
        match above.client {
            Some(client) if server && client.hop == span.hop => Some(client),
            client => above.server.or(client),
        }
    }

    fn edge(&self, hop: &str) -> Edge {
        let Some(&span) = self.servers.get(hop) else {
            return Edge { hop: hop.to_owned(), verdict: Verdict::Missing, decided: None };
        };
        let (verdict, decided) = self.place(span, hop);
        Edge { hop: hop.to_owned(), verdict, decided }
    }

    fn place(&self, span: &'a Span, hop: &str) -> (Verdict, Option<(String, f64)>) {
        let mut least: Option<&(String, f64)> = None;
        let mut crossed = false;
        let (mut below, mut seen) = (span, HashSet::from([&raw const *span]));
        while let Some(above) = self.parent(below).filter(|it| seen.insert(&raw const **it)) {
            // Of two steps that are as sure, the one inside a process is the decision.
            least = match (least, &below.decided) {
                (Some(least), Some(step)) if least.1 < step.1 => Some(least),
                (least, step) => step.as_ref().or(least),
            };
            if let Some(id) = &above.hop {
                if above.side == Side::Server {
                    let verdict = if Some(&**id) == caller(hop) {
                        Verdict::Right
                    } else if root(id) == root(hop) {
                        Verdict::WrongSame
                    } else {
                        Verdict::WrongTrace
                    };
                    return (verdict, least.cloned());
                }
                crossed |= root(id) != root(hop);
            }
            below = above;
        }
        match (crossed, caller(hop)) {
            (true, _) => (Verdict::WrongTrace, least.cloned()),
            (false, None) => (Verdict::Right, None),
            (false, Some(_)) => (Verdict::Orphan, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(side: Side, hop: &str, id: &str, parent: &str, confidence: f64) -> Span {
        let method = if side == Side::Client { "turn" } else { "pair" };
        Span {
            trace: "1".to_owned(),
            id: id.to_owned(),
            parent: (!parent.is_empty()).then(|| parent.to_owned()),
            side,
            hop: (!hop.is_empty()).then(|| hop.to_owned()),
            start: 0,
            decided: (!parent.is_empty()).then(|| (method.to_owned(), confidence)),
        }
    }

    fn one(spans: &[Span], hop: &str) -> (Verdict, Option<(String, f64)>) {
        let edge = judge(spans, &[hop.to_owned()]).remove(0);
        (edge.verdict, edge.decided)
    }

    #[test]
    fn the_step_inside_the_process_is_told() {
        let spans = [
            span(Side::Server, "t1", "a", "", 0.0),
            span(Side::Client, "t1.0", "b", "a", 0.7),
            span(Side::Server, "t1.0", "c", "b", 1.0),
        ];
        assert_eq!(one(&spans, "t1.0"), (Verdict::Right, Some(("turn".to_owned(), 0.7))));
        assert_eq!(one(&spans, "t1"), (Verdict::Right, None));
        assert_eq!(one(&spans, "t2"), (Verdict::Missing, None));
    }

    #[test]
    fn wrong_ones_are_told_apart() {
        let mut spans = vec![
            span(Side::Server, "t1", "a", "", 0.0),
            span(Side::Server, "t2.5", "x", "a", 1.0),
            span(Side::Server, "t1.1.0", "y", "a", 1.0),
            span(Side::Server, "t2", "z", "a", 1.0),
            span(Side::Client, "t3.0", "b", "", 1.0),
            span(Side::Server, "t3.0", "c", "b", 1.0),
            span(Side::Server, "t4.0", "d", "b", 1.0),
        ];
        let verdict = |spans: &[Span], hop| one(spans, hop).0;
        assert_eq!(verdict(&spans, "t2.5"), Verdict::WrongTrace);
        assert_eq!(verdict(&spans, "t1.1.0"), Verdict::WrongSame);
        assert_eq!(verdict(&spans, "t2"), Verdict::WrongTrace, "a user's request below another");
        assert_eq!(verdict(&spans, "t3.0"), Verdict::Orphan);
        assert_eq!(verdict(&spans, "t4.0"), Verdict::WrongTrace, "below another's call");
        // What has no id is passed over.
        spans[0].hop = None;
        assert_eq!(verdict(&spans, "t2.5"), Verdict::Orphan);
    }

    #[test]
    fn shared_ids_and_circles() {
        let shared = [
            span(Side::Server, "t1", "a", "", 0.0),
            span(Side::Client, "t1.0", "b", "a", 0.9),
            span(Side::Server, "t1.0", "b", "a", 1.0),
        ];
        assert_eq!(one(&shared, "t1.0").0, Verdict::Right);
        let circle =
            [span(Side::Client, "t1.0", "a", "b", 1.0), span(Side::Server, "t1.0", "b", "a", 1.0)];
        assert_eq!(one(&circle, "t1.0").0, Verdict::Orphan);
    }
}
