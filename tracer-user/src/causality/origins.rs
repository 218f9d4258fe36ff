//! Who made a context: whoever sent it before anyone was seen to receive it.

use std::num::NonZeroUsize;

use lru::LruCache;

use crate::exchange::ExchangeId;
use crate::protocol::propagation::Context;

use super::node::Node;

/// Contexts remembered; those used last stay. A service may pass one on long after the request
/// that brought it is over and forgotten.
const MAX_CONTEXTS: NonZeroUsize = NonZeroUsize::new(32_768).unwrap();

/// Trace id and span id.
type Name = ([u8; 16], [u8; 8]);

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
        self.contexts.get_or_insert(name, || Origin { first: by.id, maker: None });
    }

    /// A call goes out with a context. Returns whether its process made that: nobody was seen to
    /// receive it before, but for the call's own other end, which may be seen first. A process may
    /// send what it made more than once.
    pub(super) fn sent(&mut self, context: &Context, by: &Node) -> bool {
        let name = (context.trace_id, context.span_id);
        let pid = by.started.pid;
        let origin =
            self.contexts.get_or_insert_mut(name, || Origin { first: by.id, maker: Some(pid) });
        if by.peer == Some(origin.first) {
            origin.maker = Some(pid);
        }
        origin.maker == Some(pid)
    }
}
