//! What assembly remembers of one exchange.

use crate::connection::Moment;
use crate::exchange::{ConnectionKey, Exchange, ExchangeId, Side};
use crate::protocol::propagation::Context;

use super::tree::Tree;
use super::{SpanId, TraceId};

/// Of one exchange, from its first byte until it has left and nothing refers to it.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) side: Side,
    pub(super) at: Moment,
    pub(super) span: SpanId,
    pub(super) connection: ConnectionKey,
    pub(super) ended: Option<u64>,
    pub(super) above: Option<Above>,
    pub(super) peer: Option<Peer>,
    pub(super) parent: Parent,
    pub(super) context: Option<Box<Context>>,
    /// The context was made by the process that sent the request.
    pub(super) originated: bool,
    pub(super) tree: Tree,
    pub(super) exchange: Option<Box<Exchange>>,
    pub(super) forgotten: bool,
}

/// What is known of a node's parent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parent {
    /// Nothing yet.
    Open,
    /// There is none that this tracer sees.
    None,
    /// Its span, how it was found, and how sure that is.
    Span(SpanId, &'static str, f64),
}

/// The exchange above: it may be gone when this one leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Above {
    pub(super) id: ExchangeId,
    /// When, and in which process, it began.
    pub(super) at: Moment,
}

/// The other end, as far as it was known when the two met: it may be gone when this one leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) id: ExchangeId,
    pub(super) pid: u32,
    pub(super) started: u64,
}

impl Node {
    pub(super) fn is_open(&self) -> bool {
        matches!(self.parent, Parent::Open)
    }

    /// The context that came with the request, if it is of this trace.
    pub(super) fn context_of(&self, trace: TraceId) -> Option<&Context> {
        self.context.as_deref().filter(|context| context.trace_id == trace.0)
    }
}
