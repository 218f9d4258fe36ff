//! The stage: signals in, decisions out.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::connection::{Cookie, Moment};
use crate::exchange::{Exchange, ExchangeId, Side, Signal};
use crate::protocol::propagation::Context;

use super::Scene;
use super::node::{Client, Node, Role, Server};
use super::processes::Processes;
use super::resolver::{Decision, resolve};
use super::scene::Carrier;
use super::turn::closes;

/// How long to wait and how sure to be. Durations in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long an exchange that is over waits for late evidence.
    pub settle: u64,
    /// How long after its end a call waits for a request that goes on.
    pub max_hold: u64,
    /// Edges below are not made.
    pub min_confidence: f64,
}

/// How long an exchange is remembered after it has been settled, for what may still refer to it.
const LINGER: u64 = 2_000_000_000;
/// Connections remembered that were opened and have not carried a request; many never will.
const MAX_CONNECTING: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// The stage.
pub struct Causality {
    settings: Settings,
    nodes: HashMap<ExchangeId, Node>,
    processes: Processes,
    carriers: HashMap<Carrier, BTreeSet<ExchangeId>>,
    /// Turn in which connect(2) was called, until the first request.
    connecting: LruCache<Cookie, (u32, Option<ExchangeId>)>,
    /// Incoming connections that carry what is not decoded, and who was seen to use them first.
    undecoded: HashMap<Cookie, Moment>,
    timers: BinaryHeap<Reverse<(u64, ExchangeId)>>,
    decisions: Vec<Decision>,
    forgotten: Vec<ExchangeId>,
}

impl Causality {
    /// An empty stage.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            nodes: HashMap::new(),
            processes: Processes::default(),
            carriers: HashMap::new(),
            connecting: LruCache::new(MAX_CONNECTING),
            undecoded: HashMap::new(),
            timers: BinaryHeap::new(),
            decisions: vec![],
            forgotten: vec![],
        }
    }

    /// A thread has sent or received on a connection; told before what follows from it.
    pub fn operation(&mut self, at: Moment, cookie: Cookie) {
        self.processes.acting(&at).thread(at.tid).operate(cookie);
    }

    /// A thread has called connect(2).
    pub fn connect(&mut self, at: Moment, cookie: Cookie) {
        let turn = self.processes.acting(&at).thread(at.tid).last_read;
        self.connecting.put(cookie, (at.tid, turn));
    }

    /// A connection is gone.
    pub fn disconnect(&mut self, at: Moment, cookie: Cookie) {
        self.connecting.pop(&cookie);
        if let Some(owner) = self.undecoded.remove(&cookie)
            && let Some(process) = self.processes.at_mut(&owner)
        {
            process.sight.undecoded_closed(at.order);
        }
    }

    /// An incoming connection of a process carries what is not decoded.
    pub fn undecoded(&mut self, cookie: Cookie, at: Moment) {
        if self.undecoded.insert(cookie, at).is_none() {
            self.processes.acting(&at).sight.undecoded_opened();
        }
    }

    /// Some of what a process does is left out on purpose.
    pub fn leave_out(&mut self, at: Moment, some: bool) {
        self.processes.acting(&at).sight.leave_out(some);
    }

    /// By now a process has this many incoming connections that nothing was seen of yet.
    pub fn unseen(&mut self, at: Moment, count: u32) {
        self.processes.acting(&at).sight.unseen(count, at.order);
    }

    /// Something that a process did was lost.
    pub fn lost(&mut self, at: Moment) {
        self.processes.acting(&at).sight.lose(at.time);
    }

    /// Something that whatever process did was lost.
    pub fn lost_anywhere(&mut self, now: u64) {
        self.processes.lose(now);
    }

    /// A process has ended, or runs another program.
    pub fn exited(&mut self, pid: u32, now: u64) {
        self.processes.exited(pid, now);
    }

    /// Takes what the exchange stage says, in order.
    pub fn signal(&mut self, signal: &Signal) {
        match signal {
            Signal::Started { id, side, at, cookie, .. } => self.started(*id, *side, *at, *cookie),
            Signal::Head { id, context } => self.head(*id, context.as_deref()),
            Signal::Read { id, at } => self.read(*id, *at),
            Signal::Replied { id, at } => self.replied(*id, *at),
            Signal::Ended(exchange) => self.ended(exchange),
            Signal::Paired { client, server } => self.paired(*client, *server),
            Signal::Left { side: Side::Server, cookie, at } => self.undecoded(*cookie, *at),
            Signal::Left { side: Side::Client, .. } => {}
            Signal::Refused { at } => self.refused(*at),
        }
    }

    /// Decides what has become ripe by `now`.
    pub fn poll(&mut self, now: u64) -> impl Iterator<Item = Decision> + '_ {
        while let Some(&Reverse((time, id))) = self.timers.peek()
            && time <= now
        {
            self.timers.pop();
            self.ripe(id, time);
        }
        self.processes.poll(now);
        self.decisions.drain(..)
    }

    /// Exchanges that nothing can refer to any more.
    pub fn take_forgotten(&mut self) -> impl Iterator<Item = ExchangeId> + '_ {
        self.forgotten.drain(..)
    }

    /// Decides a call with the evidence so far, because one of its descendants can wait no longer.
    pub fn force(&mut self, id: ExchangeId) -> Option<Decision> {
        self.decide(id);
        let at = self.decisions.iter().position(|decision| decision.call == id)?;
        Some(self.decisions.swap_remove(at))
    }

    /// How many things are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        let tables = [self.nodes.len(), self.carriers.len(), self.connecting.len()];
        tables.iter().sum::<usize>()
            + self.undecoded.len()
            + self.timers.len()
            + self.processes.remembered()
    }

    fn started(&mut self, id: ExchangeId, side: Side, at: Moment, cookie: Cookie) {
        let connected = self.connecting.pop(&cookie);
        let process = self.processes.acting(&at);
        let role = match side {
            Side::Server => {
                process.open.insert(id);
                Role::Server(Server { reader: (at.pid, at.tid), ..Server::default() })
            }
            Side::Client => {
                let alone = process.only();
                let thread = process.thread(at.tid);
                let last_read = match connected {
                    Some((tid, turn)) if tid == at.tid => turn,
                    _ => thread.last_read,
                };
                let mut client = Client {
                    thread: thread.only(),
                    turn: None,
                    alone,
                    switches: thread.switches,
                    blocked: None,
                    decided: false,
                };
                client.turn = last_read.and_then(|read| self.owner(read));
                Role::Client(client)
            }
        };
        let node = Node {
            id,
            side,
            started: at,
            head: false,
            context: None,
            replied: None,
            ended: None,
            peer: None,
            role,
        };
        if let Some(client) = node.client() {
            if let Some(server) = client.turn.and_then(|turn| self.server(turn)) {
                server.turn_calls += 1;
            }
            for request in [client.thread, client.turn, client.alone].into_iter().flatten() {
                if let Some(server) = self.server(request) {
                    server.pins += 1;
                }
            }
        }
        self.nodes.insert(id, node);
    }

    /// The open request that a turn belongs to, given what was read in it.
    fn owner(&self, read: ExchangeId) -> Option<ExchangeId> {
        let node = self.nodes.get(&read)?;
        let request = match &node.role {
            Role::Server(_) => node,
            Role::Client(client) => self.nodes.get(&client.turn?)?,
        };
        request.ended.is_none().then_some(request.id)
    }

    fn server(&mut self, id: ExchangeId) -> Option<&mut Server> {
        self.nodes.get_mut(&id)?.server_mut()
    }

    fn head(&mut self, id: ExchangeId, context: Option<&Context>) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.head = true;
        node.context = context.cloned().map(Box::new);
        if let (Side::Server, Some(context)) = (node.side, context) {
            let carrier = (node.started.pid, context.trace_id);
            self.carriers.entry(carrier).or_default().insert(id);
        }
        self.decide_if_idle(id);
    }

    /// A call that nobody can say anything about need not wait.
    fn decide_if_idle(&mut self, id: ExchangeId) {
        let Some(node) = self.nodes.get(&id) else { return };
        let Some(client) = node.client() else { return };
        let silent = client.thread.is_none() && client.turn.is_none() && client.alone.is_none();
        let named = node.context.as_ref().is_some_and(|context| {
            self.carriers.contains_key(&(node.started.pid, context.trace_id))
        });
        if silent && !named && node.head {
            self.decide(id);
        }
    }

    fn paired(&mut self, client: ExchangeId, server: ExchangeId) {
        if let Some(node) = self.nodes.get_mut(&server) {
            node.peer = Some(client);
        }
        if let Some(node) = self.nodes.get_mut(&client) {
            node.peer = Some(server);
        }
    }

    fn read(&mut self, id: ExchangeId, at: Moment) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let Some(process) = self.processes.at_mut(&at) else { return };
        let thread = process.thread(at.tid);
        thread.last_read = Some(id);
        if node.ended.is_some() || node.replied.is_some() {
            return;
        }
        let Some(server) = node.server_mut() else { return };
        // Where there are two already, neither is exclusive any more.
        let first = thread.only().filter(|&first| first != id);
        let new = thread.reading.insert(id);
        server.exclusive = (new || server.exclusive) && thread.reading.len() == 1;
        let before = std::mem::replace(&mut server.reader, (at.pid, at.tid));
        if before != (at.pid, at.tid) {
            self.stop_reading(before, at, id);
        }
        if let Some(server) = first.and_then(|first| self.server(first)) {
            server.exclusive = false;
        }
    }

    /// A thread did something that no exchange stands for.
    fn refused(&mut self, at: Moment) {
        let process = self.processes.acting(&at);
        process.sight.lose(at.time);
        let thread = process.thread(at.tid);
        thread.last_read = None;
        let only = thread.only();
        if let Some(server) = only.and_then(|only| self.server(only)) {
            server.exclusive = false;
        }
    }

    /// A thread, of whatever process then had that pid, is done with a request.
    fn stop_reading(&mut self, (pid, tid): (u32, u32), at: Moment, id: ExchangeId) {
        let process = self.processes.at_mut(&Moment { pid, ..at });
        if let Some(thread) = process.and_then(|process| process.known_thread(tid)) {
            thread.reading.remove(&id);
        }
    }

    fn replied(&mut self, id: ExchangeId, at: Moment) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.replied = Some(at);
        let (started, last_read, switches) = {
            let Some(process) = self.processes.at_mut(&at) else { return };
            let thread = process.thread(at.tid);
            (node.started, thread.last_read, thread.switches)
        };
        match &mut node.role {
            Role::Server(server) => server.closed_by = last_read,
            Role::Client(client) => {
                client.blocked = Some(started.tid == at.tid && client.switches == switches);
            }
        }
    }

    fn ended(&mut self, exchange: &Exchange) {
        let (id, now) = (exchange.id, exchange.ended.time);
        let whole = exchange.incomplete.is_empty();
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.ended = Some(now);
        let node = &self.nodes[&id];
        let scene =
            Scene { nodes: &self.nodes, processes: &self.processes, carriers: &self.carriers };
        let closed = closes(&scene, node);
        let mut reader = None;
        if let Some(process) = self.processes.at_mut(&node.started) {
            match &node.role {
                Role::Server(server) => {
                    process.open.remove(&id);
                    reader = Some(server.reader);
                    if let (true, Some(replied)) = (whole, node.replied) {
                        let dedicated = server.exclusive && server.reader.1 == replied.tid;
                        process.dedicated.observe(dedicated);
                        let trivial = server.turn_calls == 0 && server.closed_by == Some(id);
                        if !trivial {
                            process.turns.observe(closed);
                        }
                    }
                }
                Role::Client(client) => {
                    if let (true, Some(blocked)) = (whole, client.blocked) {
                        process.blocking.observe(blocked);
                    }
                }
            }
        }
        if let Some(reader) = reader {
            self.stop_reading(reader, exchange.ended, id);
        }
        self.decide_if_idle(id);
        self.timers.push(Reverse((now + self.settings.settle, id)));
    }

    /// An exchange's time has come: to be decided, to be looked at again, or to be forgotten.
    fn ripe(&mut self, id: ExchangeId, now: u64) {
        let Some(node) = self.nodes.get(&id) else { return };
        let Some(ended) = node.ended else { return };
        let settled = ended + self.settings.settle;
        let again = match &node.role {
            Role::Client(client) if !client.decided => {
                let waits = self.waits_for(node, client, now);
                match waits {
                    Some(again) if now < ended + self.settings.max_hold => again,
                    _ => {
                        self.decide(id);
                        now + LINGER
                    }
                }
            }
            Role::Client(_) if now < settled + LINGER => settled + LINGER,
            Role::Server(_) if now < settled + LINGER => settled + LINGER,
            // Looked at again when the last of these calls is decided.
            Role::Server(server) if server.pins > 0 => return,
            _ => return self.forget(id),
        };
        self.timers.push(Reverse((again, id)));
    }

    /// When to look again at a call whose possible causes are still open or unsettled.
    fn waits_for(&self, node: &Node, client: &Client, now: u64) -> Option<u64> {
        let scene =
            Scene { nodes: &self.nodes, processes: &self.processes, carriers: &self.carriers };
        let named = [client.thread, client.turn, client.alone].into_iter().flatten();
        let named = named.filter_map(|id| scene.node(id));
        let carried = node
            .context
            .as_ref()
            .map(|context| scene.of_trace(node.started.pid, &context.trace_id));
        named
            .chain(carried.into_iter().flatten())
            .filter_map(|request| match request.ended {
                None => Some(now + self.settings.settle),
                Some(ended) => Some(ended + self.settings.settle).filter(|&settled| settled > now),
            })
            .max()
    }

    fn decide(&mut self, id: ExchangeId) {
        let Some(node) = self.nodes.get(&id) else { return };
        if node.client().is_none_or(|client| client.decided) {
            return;
        }
        let scene =
            Scene { nodes: &self.nodes, processes: &self.processes, carriers: &self.carriers };
        self.decisions.push(resolve(&scene, node, self.settings.min_confidence));
        let Some(client) = self.nodes.get_mut(&id).and_then(Node::client_mut) else { return };
        client.decided = true;
        for request in [client.thread, client.turn, client.alone].into_iter().flatten() {
            if let Some(server) = self.server(request) {
                server.pins = server.pins.saturating_sub(1);
                if server.pins == 0 {
                    self.timers.push(Reverse((0, request)));
                }
            }
        }
    }

    fn forget(&mut self, id: ExchangeId) {
        let Some(node) = self.nodes.remove(&id) else { return };
        self.forgotten.push(id);
        if let (Side::Server, Some(context)) = (node.side, node.context) {
            let carrier = (node.started.pid, context.trace_id);
            if let Some(ids) = self.carriers.get_mut(&carrier) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.carriers.remove(&carrier);
                }
            }
        }
    }
}
