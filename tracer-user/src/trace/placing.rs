//! Where an exchange stands in its trace when it leaves, beside the spans of processes that trace
//! themselves. docs/instrumented-services.md has the rules, case by case.

use crate::connection::Moment;
use crate::exchange::{Exchange, ExchangeId, Reasons, Side};
use crate::protocol::propagation::{Context, Format};

use super::assembly::Assembly;
use super::node::{Node, Parent};
use super::{Clock, Link, SpanId, TraceId};

/// An exchange with its place in a trace.
#[derive(Debug)]
pub struct Placed {
    /// What was seen.
    pub exchange: Box<Exchange>,
    /// Its trace.
    pub trace_id: TraceId,
    /// Its span's id.
    pub span_id: SpanId,
    /// Its parent's.
    pub parent: Option<SpanId>,
    /// How the parent was found, and how sure that is.
    pub edge: Option<(&'static str, f64)>,
    /// The context that came with the request.
    pub context: Option<Box<Context>>,
    /// The process is known to trace itself.
    pub instrumented: bool,
    /// The caller's SDK's span of the same request, in the same trace.
    pub same_request_as: Option<SpanId>,
    /// The span of another trace that the request's headers name, and those that have sent records
    /// that have come.
    pub links: Vec<Link>,
    /// Process at the other end, if that was seen too.
    pub peer: Option<u32>,
    /// Nanoseconds of the boot clock; not after the peer's first read of the request.
    pub start: u64,
    /// The same; not after the peer's last read of the response.
    pub end: u64,
    /// Tells both. One for all spans of a tree: that of its top.
    pub clock: Clock,
    /// Of a tree's top, or of those that leave where what is above is left out: all that is missing
    /// in the tree, as far as was known when this one left.
    pub below: Reasons,
}

/// What to leave out because of what processes say themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaveOut {
    /// All spans of processes that trace themselves.
    pub instrumented: bool,
    /// All spans of traces whose adopted context says that they are not sampled.
    pub unsampled: bool,
}

/// Exchanges left out on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The tracer's own exports caused them, or they went to its own page.
    pub own: u64,
    /// Their process traces itself ([`LeaveOut::instrumented`]).
    pub instrumented: u64,
    /// Their trace is not sampled ([`LeaveOut::unsampled`]).
    pub unsampled: u64,
    /// Lookups of names for which no request has waited.
    pub lookups: u64,
}

/// Spans above one that are looked at for one that leaves.
const MAX_DEPTH: usize = 256;

/// Parent's id, how it was found, and how sure that is.
type Edge = (SpanId, &'static str, f64);

impl Assembly {
    /// What leaves of an exchange that is ready; `traces_itself` tells that of the process that
    /// acted then.
    pub(super) fn place(
        &mut self,
        id: ExchangeId,
        traces_itself: &dyn Fn(&Moment) -> bool,
    ) -> Option<Placed> {
        let (own, to_us) = (self.is_own(id), self.is_to_us(id));
        let node = self.nodes.get_mut(&id)?;
        let instrumented = traces_itself(&node.at);
        let left_out = if to_us {
            Some(&mut self.left_out.own)
        } else if own {
            node.tree.disown();
            Some(&mut self.left_out.own)
        } else if self.leave_out.unsampled && node.tree.is_unsampled() {
            Some(&mut self.left_out.unsampled)
        } else if self.leave_out.instrumented && instrumented {
            // What leaves of the tree must agree on its trace, whoever is first.
            node.tree.trace();
            Some(&mut self.left_out.instrumented)
        } else {
            None
        };
        if let Some(count) = left_out {
            *count += 1;
            if let Some(exchange) = node.exchange.take() {
                self.ready.append(&mut self.records.left(&exchange, None));
            }
            return None;
        }
        let mut exchange = node.exchange.take()?;
        let node = self.nodes.get(&id)?;
        let trace_id = node.tree.trace();
        let silent = |at: &Moment| self.leave_out.instrumented && traces_itself(at);
        let edge = self.parent(node, trace_id, &silent);
        let (start, end) = self.times(node, &exchange);
        let described = self.is_described(node);
        let top = {
            let mut above = self.above(id).filter_map(|(_, node)| node.above);
            above.all(|above| silent(&above.at))
        };
        let span_id = node.span;
        self.records.name(&mut exchange);
        let links = other_trace(node, trace_id, described);
        let links = links.into_iter().chain(self.records.links(&exchange)).collect();
        self.ready.append(&mut self.records.left(&exchange, Some((trace_id, span_id))));
        Some(Placed {
            trace_id,
            span_id,
            parent: edge.map(|(span, ..)| span),
            edge: edge.map(|(_, method, confidence)| (method, confidence)),
            same_request_as: node
                .context_of(trace_id)
                .filter(|_| described)
                .and_then(|context| Some(SpanId(context.span_id?))),
            links,
            context: node.context.clone(),
            instrumented,
            peer: node.peer.map(|peer| peer.pid),
            start,
            end,
            clock: self.clocks.at(node.tree.started()),
            below: if top { node.tree.lacks() } else { Reasons::default() },
            exchange,
        })
    }

    /// A client starts before its peer, and a server ends before its.
    fn times(&self, node: &Node, exchange: &Exchange) -> (u64, u64) {
        let (mut start, mut end) = (exchange.started.time, exchange.ended.time);
        // Hands are shaken before the first call over a connection begins.
        if let (Side::Server, true, Some(above)) =
            (node.side, exchange.sealed.is_some(), node.above)
        {
            start = start.max(above.at.time);
        }
        if let Some(peer) = node.peer {
            match node.side {
                Side::Client => start = start.min(peer.started),
                Side::Server => {
                    let read = self.nodes.get(&peer.id).and_then(|peer| peer.ended);
                    end = read.map_or(end, |read| end.min(read));
                }
            }
        }
        (start, end.max(start))
    }

    /// Whether an SDK at the caller has a span for this request, which its headers name.
    fn is_described(&self, node: &Node) -> bool {
        match (node.side, node.peer) {
            (Side::Client, _) => node.originated,
            (Side::Server, None) => false,
            (Side::Server, Some(peer)) => {
                self.nodes.get(&peer.id).is_some_and(|peer| peer.originated)
            }
        }
    }

    /// The nearest span above that leaves, too. Where those between are an SDK's to tell, its own
    /// span takes their place, if the request names it.
    fn parent(
        &self,
        node: &Node,
        trace: TraceId,
        silent: &dyn Fn(&Moment) -> bool,
    ) -> Option<Edge> {
        let mut below = node;
        let mut least: Option<(&'static str, f64)> = None;
        for _ in 0..MAX_DEPTH {
            let Parent::Span(span, method, confidence) = below.parent else {
                return outside(below, trace);
            };
            let weaker = least.filter(|(_, least)| *least <= confidence);
            let (method, confidence) = weaker.unwrap_or((method, confidence));
            let Some(above) = below.above.filter(|above| silent(&above.at)) else {
                return Some((span, method, confidence));
            };
            let context = below.context_of(trace).filter(|_| below.side == Side::Server);
            if let Some(span) = context.and_then(|context| context.span_id) {
                return Some((SpanId(span), "header", 1.0));
            }
            least = Some((method, confidence));
            below = self.nodes.get(&above.id)?;
        }
        None
    }
}

/// The parent of a tree's top is whoever made the context that came with it. Where B3 shares one id
/// between both sides of a request, it may be the callee's alone: then the caller's own span is the
/// one that it names as the parent.
fn outside(top: &Node, trace: TraceId) -> Option<Edge> {
    let context = top.context_of(trace)?;
    let shares = matches!(context.format, Format::B3Single | Format::B3Multi);
    let caller = context.parent_id.filter(|_| shares && top.side == Side::Client && top.originated);
    Some((SpanId(caller.or(context.span_id)?), "header", 1.0))
}

/// Where two traces were begun for one tree, the one that it did not adopt is kept as a link.
fn other_trace(node: &Node, trace: TraceId, described: bool) -> Option<Link> {
    let context = node.context.as_ref().filter(|context| context.trace_id != trace.0)?;
    let kind = if described { "same_request" } else { "carried" };
    Some(Link {
        trace_id: TraceId(context.trace_id),
        span_id: SpanId(context.span_id?),
        attributes: vec![("tracer.link".into(), kind.into())],
    })
}
