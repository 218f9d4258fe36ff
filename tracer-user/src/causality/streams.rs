//! Who asks for HTTP/2's streams, and who answers them, where that is told: before the stream's first
//! bytes are seen, or after them.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::connection::{Cookie, Moment};
use crate::exchange::{ExchangeId, Side};

use super::node::Role;
use super::stage::Causality;

/// Streams of which is remembered who asks or answers, before they are seen.
const MAX_TOLD: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// A connection as one process sees it, and a number. No two streams of a connection have the same.
type Stream = (Cookie, u32);

/// Those that are known of.
#[derive(Debug)]
pub(super) struct Streams {
    open: HashMap<Stream, ExchangeId>,
    told: LruCache<Stream, (Side, Moment)>,
}

impl Default for Streams {
    fn default() -> Self {
        Self { open: HashMap::new(), told: LruCache::new(MAX_TOLD) }
    }
}

impl Streams {
    /// A flow is on one side of a stream.
    pub(super) fn tell(&mut self, stream: Stream, side: Side, at: Moment) {
        self.told.put(stream, (side, at));
    }

    /// A stream is seen.
    pub(super) fn begins(&mut self, stream: Stream, id: ExchangeId) {
        self.open.insert(stream, id);
    }

    /// It is over.
    pub(super) fn ends(&mut self, stream: Stream) {
        self.open.remove(&stream);
    }

    /// How many streams are remembered that may never be seen, or are open.
    pub(super) fn remembered(&self) -> usize {
        self.open.len()
    }

    /// Once both are known: the exchange, and who is on its side.
    fn take(&mut self, stream: Stream) -> Option<(ExchangeId, Side, Moment)> {
        let id = *self.open.get(&stream)?;
        let (side, at) = self.told.pop(&stream)?;
        Some((id, side, at))
    }
}

impl Causality {
    /// Notes who asks for a stream or answers it, if that and the stream are known.
    pub(super) fn note_flow(&mut self, stream: Stream) {
        let Some((id, side, at)) = self.streams.take(stream) else { return };
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let Some(process) = self.processes.at_mut(&at) else { return };
        if node.side != side || node.started.pid != at.pid {
            return;
        }
        node.started.flow = at.flow;
        match &mut node.role {
            Role::Server(server) => {
                server.taken = Some(at.order);
                process.contexts.takes(&at.flow, node.started.time);
                node.serve(0, &at.flow, &mut process.contexts);
            }
            Role::Client(client) if !client.decided => {
                let lineage = process.contexts.lineage(&at.flow);
                let mut suspects = process.suspects(&lineage, true);
                suspects.retain(|request| !client.suspects.contains(request));
                client.lineage = lineage;
                client.suspects.extend(&suspects);
                for server in suspects {
                    if let Some(server) = self.server(server) {
                        server.pins += 1;
                    }
                }
            }
            Role::Client(_) => {}
        }
    }
}
