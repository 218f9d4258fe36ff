//! Lookups of names in a capture: datagrams of UDP, by the two ends between which they go.

use std::num::NonZeroUsize;

use lru::LruCache;
use tracer_common::backing::{ANSWERS, Beginning};
use tracer_common::record::VERDICT_BACKING;

use super::conversation::Context;
use super::counts::Count;
use super::half::Piece;
use super::records::Server;
use super::segment::{Datagram, End};

/// Between the end that asks and the one that answers.
pub(super) struct Datagrams {
    known: LruCache<[End; 2], Server>,
}

impl Datagrams {
    /// At most this many pairs of ends; those that were silent longest are forgotten.
    pub(super) fn new(limit: NonZeroUsize) -> Self {
        Self { known: LruCache::new(limit) }
    }

    /// Takes one.
    pub(super) fn take(&mut self, datagram: &Datagram<'_>, time: u64, context: &mut Context<'_>) {
        let Datagram { source, destination, bytes, len } = *datagram;
        let beginning = Beginning::of(bytes, len.into(), source.1, destination.1);
        let found = beginning.recognise_datagram();
        if found == 0 {
            return context.counts.add(Count::NotTcp);
        }
        let answers = found & ANSWERS != 0;
        let ends = if answers { [destination, source] } else { [source, destination] };
        if !self.known.contains(&ends) {
            let Some(server) = meet(ends, time, context) else { return };
            if let Some((_, silent)) = self.known.push(ends, server) {
                context.out.push_back(silent.closed(time));
            }
        }
        let Some(server) = self.known.get_mut(&ends) else { return };
        let position = if answers { server.sent } else { server.received };
        let piece = Piece { time, position, len: len.into(), bytes: bytes.to_vec() };
        server.data(answers, &piece, context.out);
    }
}

/// One that answers somebody for the first time.
fn meet([client, server]: [End; 2], time: u64, context: &mut Context<'_>) -> Option<Server> {
    let Some((pid, process)) = context.servers.process(server) else {
        context.counts.add(Count::Servers);
        return None;
    };
    // UDP has no numbers of its own.
    let (receive_base, send_base) = context.servers.bases(0, 0);
    let server = Server {
        pid,
        cookie: context.servers.cookie(),
        verdict: VERDICT_BACKING,
        datagrams: true,
        local: server,
        remote: client,
        opened: false,
        midstream: false,
        send_base,
        receive_base,
        sent: 0,
        received: 0,
    };
    context.out.extend(process);
    context.out.push_back(server.connection(time));
    Some(server)
}
