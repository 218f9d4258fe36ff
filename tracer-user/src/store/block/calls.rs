//! Which service called which, by the rules of Zipkin's dependency graph (its `DependencyLinker`): a
//! call that both ends told of counts once, as its callee saw it.

use foldhash::{HashMap, HashSet};

use crate::trace::{Kind, Span, SpanId};

/// Calls from one service to another. A call that was kept for others as well counts for them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::store) struct Calls {
    calls: f64,
    errors: f64,
}

impl Calls {
    /// Calls, and those that failed.
    pub(in crate::store) fn rounded(self) -> (u64, u64) {
        (self.calls.round() as u64, self.errors.round() as u64)
    }
}

/// Caller and callee -> calls.
pub(in crate::store) type Graph<'a> = HashMap<(&'a str, &'a str), Calls>;

/// Adds the calls of one trace.
pub(in crate::store) fn count<'a>(trace: &[&'a Span], graph: &mut Graph<'a>) {
    let tree = Tree::new(trace);
    for span in trace {
        let (service, remote) = (&*span.resource.service, span.remote.service.as_deref());
        let link = match span.kind {
            Kind::Server => tree.caller(span).or(remote).map(|caller| (caller, service)),
            Kind::Client if tree.answered.contains(&span.span_id) => None,
            // A message goes to its broker, and comes from it.
            Kind::Client | Kind::Producer => remote.map(|callee| (service, callee)),
            Kind::Consumer => remote.map(|broker| (broker, service)),
            Kind::Internal => None,
        };
        if let Some(link) = link {
            let counted = graph.entry(link).or_default();
            counted.calls += span.weight();
            counted.errors += if span.is_error() { span.weight() } else { 0.0 };
        }
    }
}

/// Spans by id. The two sides of a call may share one, as Zipkin's own clients make it.
#[derive(Default)]
struct Tree<'a> {
    calling: HashMap<SpanId, &'a Span>,
    others: HashMap<SpanId, &'a Span>,
    /// Calls whose other side is there.
    answered: HashSet<SpanId>,
}

impl<'a> Tree<'a> {
    fn new(trace: &[&'a Span]) -> Self {
        let mut tree = Self::default();
        for span in trace {
            match span.kind {
                Kind::Client | Kind::Producer => tree.calling.insert(span.span_id, span),
                _ => tree.others.insert(span.span_id, span),
            };
            if span.kind == Kind::Server {
                tree.answered.extend(span.parent);
                tree.answered.insert(span.span_id);
            }
        }
        tree
    }

    /// The service of the nearest span above that is an end of a call.
    fn caller(&self, span: &Span) -> Option<&'a str> {
        let shared = self.calling.get(&span.span_id).copied();
        let mut above = shared.or_else(|| self.above(span));
        // Spans of others may be each other's parents.
        for _ in 0..=self.others.len() {
            let span = above?;
            if span.kind != Kind::Internal {
                return Some(&span.resource.service);
            }
            above = self.above(span);
        }
        None
    }

    fn above(&self, span: &Span) -> Option<&'a Span> {
        let parent = span.parent.filter(|parent| *parent != span.span_id)?;
        self.others.get(&parent).or_else(|| self.calling.get(&parent)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{Calls, Graph, count};
    use crate::store::testing::{Shape, span};
    use crate::trace::{Kind, Span};

    fn graph(spans: &[Span]) -> Vec<(String, String, Calls)> {
        let mut graph = Graph::default();
        count(&spans.iter().collect::<Vec<_>>(), &mut graph);
        let owned = |((a, b), calls): ((&str, &str), _)| (a.to_owned(), b.to_owned(), calls);
        let mut links: Vec<_> = graph.into_iter().map(owned).collect();
        links.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        links
    }

    fn shape(kind: Kind, id: u64, parent: u64, service: &str, remote: Option<&str>) -> Span {
        span(&Shape { kind, id, parent, service, remote, ..Shape::default() })
    }

    #[test]
    fn a_call_seen_from_both_ends_counts_once() {
        let mut server = shape(Kind::Server, 2, 1, "b", None);
        server.status = crate::trace::Status::Error(None);
        let client = shape(Kind::Client, 1, 0, "a", Some("elsewhere"));
        let once = [("a".to_owned(), "b".to_owned(), Calls { calls: 1.0, errors: 1.0 })];
        assert_eq!(graph(&[client.clone(), server.clone()]), once);
        server.span_id = client.span_id;
        server.parent = None;
        assert_eq!(graph(&[server, client]), once, "one id for both");
    }

    #[test]
    fn a_call_that_stands_for_others_counts_for_them() {
        let mut server = shape(Kind::Server, 2, 1, "b", Some("a"));
        server.attributes.push((crate::trace::SAMPLED.into(), 0.3.into()));
        let links = graph(&[server.clone(), shape(Kind::Server, 3, 0, "b", Some("a"))]);
        assert_eq!(links[0].2.rounded(), (4, 0));
        server.status = crate::trace::Status::Error(None);
        assert_eq!(graph(&[server])[0].2.rounded(), (3, 3));
    }

    #[test]
    fn work_inside_is_passed_over() {
        let spans = [
            shape(Kind::Server, 1, 0, "a", Some("user")),
            shape(Kind::Internal, 2, 1, "a", None),
            shape(Kind::Client, 3, 2, "a", Some("db")),
            shape(Kind::Server, 4, 2, "b", None),
            shape(Kind::Client, 5, 9, "c", None),
        ];
        let one = Calls { calls: 1.0, errors: 0.0 };
        let want = [("a", "b"), ("a", "db"), ("user", "a")];
        assert_eq!(graph(&spans), want.map(|(a, b)| (a.to_owned(), b.to_owned(), one)));
    }

    #[test]
    fn messages_go_by_their_broker() {
        let spans = [
            shape(Kind::Producer, 1, 0, "a", Some("queue")),
            shape(Kind::Consumer, 2, 1, "b", Some("queue")),
            shape(Kind::Consumer, 3, 1, "c", None),
        ];
        let one = Calls { calls: 1.0, errors: 0.0 };
        let want = [("a", "queue"), ("queue", "b")];
        assert_eq!(graph(&spans), want.map(|(a, b)| (a.to_owned(), b.to_owned(), one)));
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let circle = [
            shape(Kind::Internal, 1, 2, "a", None),
            shape(Kind::Internal, 2, 1, "a", None),
            shape(Kind::Server, 3, 1, "b", None),
        ];
        assert_eq!(graph(&circle), []);
    }
}
