//! What causality remembers of one exchange.

use std::collections::BTreeSet;

use crate::connection::{Cookie, Flow, Moment};
use crate::exchange::{ExchangeId, Side};
use crate::protocol::propagation::{Context, Correlation};

use super::contexts::{Ancestor, ContextId, Contexts};
use super::hearing::Weighed;

/// Of one exchange, from its first byte until nobody can refer to it any more.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: ExchangeId,
    pub(super) side: Side,
    pub(super) started: Moment,
    /// Its connection carries others as well: whoever reads and writes on it does so for all of them,
    /// so that nothing follows from the thread or the flow.
    pub(super) shared: bool,
    /// It stands for a whole encrypted connection.
    pub(super) sealed: bool,
    /// What stands for its route, or for whom it asks and for what, once it is over.
    pub(super) name: u64,
    /// What stands for whom it asks, once a call is over.
    pub(super) callee: u64,
    /// What stands for what it asks for.
    pub(super) target: Option<u64>,
    /// The request's head is known, and so whether it carries a context.
    pub(super) head: bool,
    pub(super) context: Option<Box<Context>>,
    /// Ids that are no contexts.
    pub(super) correlation: Correlation,
    /// Those of the response.
    pub(super) answer: Correlation,
    pub(super) replied: Option<Moment>,
    pub(super) ended: Option<u64>,
    /// The other end.
    pub(super) peer: Option<ExchangeId>,
    pub(super) role: Role,
}

/// What is known of one side only.
#[derive(Debug)]
pub(super) enum Role {
    Server(Server),
    Client(Client),
}

#[derive(Debug, Default)]
pub(super) struct Server {
    /// Process and thread that read the request last.
    pub(super) reader: (u32, u32),
    /// Between that and the response its thread read no other request.
    pub(super) exclusive: bool,
    /// The contexts in which the request was read last and answered first, and for the latter those
    /// that had begun for it.
    pub(super) contexts: [Vec<ContextId>; 2],
    /// The event with which a flow was told to answer it from then on, and nothing else.
    pub(super) taken: Option<u64>,
    /// The connection that it came by.
    pub(super) cookie: Cookie,
    /// What the thread that wrote the response had read last.
    pub(super) closed_by: Option<ExchangeId>,
    /// The response was written when it was due in the thread's queue; `None`: it was not there.
    pub(super) in_order: Option<bool>,
    /// Calls that were written in a turn of this request.
    pub(super) turn_calls: u32,
    /// Calls that were written when the request was due in their thread's queue.
    pub(super) queue_calls: u32,
    /// Open calls that wait for this exchange to end.
    pub(super) pins: u32,
}

#[derive(Debug, Default)]
pub(super) struct Client {
    /// The only request that the writing thread had read and not answered.
    pub(super) thread: Option<ExchangeId>,
    /// The request for which another thread handed on the work.
    pub(super) handed: Option<ExchangeId>,
    /// The request for which its thread was started.
    pub(super) spawned: Option<ExchangeId>,
    /// The request that its thread answered next, which another one had read.
    pub(super) answered: Option<ExchangeId>,
    /// The request in whose turn the call was written.
    pub(super) turn: Option<ExchangeId>,
    /// The request that was due in the writing thread's queue.
    pub(super) queue: Option<ExchangeId>,
    /// The only request open in the process.
    pub(super) alone: Option<ExchangeId>,
    /// The context that asked for it, the one that started that, and so on; then those that waited for
    /// it at its end.
    pub(super) lineage: Vec<Ancestor>,
    /// The requests that it may belong to, as far as that is known from its beginning.
    pub(super) suspects: Vec<ExchangeId>,
    /// All requests that were open in the process, where decisions tell what led to them.
    pub(super) open: BTreeSet<ExchangeId>,
    /// How often the writing thread had changed connections when the call was written.
    pub(super) switches: u64,
    /// The thread did nothing else until it read the response.
    pub(super) blocked: Option<bool>,
    /// The context that it carries is its process's own.
    pub(super) originated: bool,
    /// How many requests were open when it began.
    pub(super) rivals: usize,
    /// It waits to be decided together with others.
    pub(super) deferred: bool,
    /// What the times said of it, where decisions tell what led to them.
    pub(super) weighed: Option<Box<Weighed<ExchangeId>>>,
    pub(super) decided: bool,
}

impl Client {
    /// Adds those that witnesses name at once to the suspects.
    pub(super) fn suspect(&mut self) {
        for request in [self.thread, self.handed, self.spawned, self.turn, self.queue, self.alone]
            .into_iter()
            .flatten()
        {
            if !self.suspects.contains(&request) {
                self.suspects.push(request);
            }
        }
    }
}

impl Node {
    /// A request was read (0) or answered (1) by a flow of execution; of several reads the last
    /// counts.
    pub(super) fn serve(&mut self, end: usize, flow: &Flow, known: &mut Contexts) {
        let (id, began) = (self.id, self.started.time);
        let since = if end == 0 { u64::MAX } else { began };
        let Some(server) = self.server_mut() else { return };
        let Some(slot) = server.contexts.get_mut(end) else { return };
        let before = std::mem::replace(slot, known.begun_since(flow, since));
        let all = server.contexts.concat();
        all.iter().for_each(|&context| known.served(context, id, began));
        let over = before.into_iter().filter(|context| !all.contains(context));
        over.for_each(|context| known.forget(context, id));
    }

    pub(super) fn server(&self) -> Option<&Server> {
        match &self.role {
            Role::Server(server) => Some(server),
            Role::Client(_) => None,
        }
    }

    pub(super) fn server_mut(&mut self) -> Option<&mut Server> {
        match &mut self.role {
            Role::Server(server) => Some(server),
            Role::Client(_) => None,
        }
    }

    pub(super) fn client(&self) -> Option<&Client> {
        match &self.role {
            Role::Client(client) => Some(client),
            Role::Server(_) => None,
        }
    }

    pub(super) fn client_mut(&mut self) -> Option<&mut Client> {
        match &mut self.role {
            Role::Client(client) => Some(client),
            Role::Server(_) => None,
        }
    }
}
