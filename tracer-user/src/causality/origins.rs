//! Who made a context: whoever sent it before anyone was seen to receive it.

use std::num::NonZeroUsize;

use lru::LruCache;

use crate::exchange::ExchangeId;
use crate::protocol::propagation::Context;

use super::node::Node;

/// Contexts remembered; those used last stay. A service may pass one on long after the request
/// that brought it is over and forgotten.
const MAX_CONTEXTS: NonZeroUsize = NonZeroUsize::new(32_768).unwrap();

/// Trace id and span id, if it has one.
type Name = ([u8; 16], Option<[u8; 8]>);

/// The contexts seen lately, of all processes of the host: a request may reach one worker over HTTP
/// and the next over a protocol that is not decoded.
#[derive(Debug)]
pub(super) struct Origins {
    contexts: LruCache<Name, Origin>,
}

#[derive(Clone, Copy, Debug)]
struct Origin {
    /// The exchange that carried it first.
    first: ExchangeId,
    /// The process that made it, if it was seen to.
    maker: Option<u32>,
    /// The request for which that first sent it.
    cause: Option<ExchangeId>,
    /// It was sent for several requests, so it stands for none of them.
    constant: bool,
}

impl Origin {
    fn of(first: &Node, maker: Option<u32>) -> Self {
        Self { first: first.id, maker, cause: None, constant: false }
    }
}

impl Default for Origins {
    fn default() -> Self {
        Self { contexts: LruCache::new(MAX_CONTEXTS) }
    }
}

impl Origins {
    /// A request came in with a context.
    pub(super) fn received(&mut self, context: &Context, by: &Node) {
        let name = (context.trace_id, context.span_id);
        self.contexts.get_or_insert(name, || Origin::of(by, None));
    }

    /// A call goes out with a context. Returns whether its process made that: nobody was seen to
    /// receive it before, but for the call's own other end, which may be seen first. A process may
    /// send what it made more than once, but not for one request after the other. What names no
    /// span is no sign that its maker has one.
    pub(super) fn sent(&mut self, context: &Context, by: &Node) -> bool {
        let name = (context.trace_id, context.span_id);
        let pid = by.started.pid;
        let origin = self.contexts.get_or_insert_mut(name, || Origin::of(by, Some(pid)));
        if by.peer == Some(origin.first) {
            origin.maker = Some(pid);
        }
        origin.maker == Some(pid) && !origin.constant && context.span_id.is_some()
    }

    /// A process sent a context because of a request. Returns whether that makes it a constant: an
    /// SDK has another span for another request.
    pub(super) fn caused(&mut self, context: &Context, by: u32, request: ExchangeId) -> bool {
        let name = (context.trace_id, context.span_id);
        let Some(origin) = self.contexts.get_mut(&name) else { return false };
        if origin.maker != Some(by) {
            return false;
        }
        origin.constant |= *origin.cause.get_or_insert(request) != request;
        origin.constant
    }
}
