//! The stage: signals in, decisions out.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::connection::{Cookie, Moment};
use crate::exchange::{Exchange, ExchangeId, Side, Signal};
use crate::protocol::propagation::Context;

use super::Scene;
use super::node::{Client, Node, Role, Server};
use super::process::Process;
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
/// How long a process is remembered after its end.
const MOURN: u64 = 60_000_000_000;
/// Threads remembered of one process before idle ones are forgotten.
const MAX_THREADS: usize = 4096;
/// Connections remembered that were opened and have not carried a request; many never will.
const MAX_CONNECTING: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// The stage.
pub struct Causality {
    settings: Settings,
    nodes: HashMap<ExchangeId, Node>,
    processes: HashMap<u32, Process>,
    carriers: HashMap<Carrier, Vec<ExchangeId>>,
    /// Turn in which connect(2) was called, until the first request.
    connecting: LruCache<Cookie, (u32, Option<ExchangeId>)>,
    /// Incoming connections that carry what is not decoded, and whose they are.
    undecoded: HashMap<Cookie, u32>,
    timers: BinaryHeap<Reverse<(u64, ExchangeId)>>,
    gone: VecDeque<(u64, u32)>,
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
            processes: HashMap::new(),
            carriers: HashMap::new(),
            connecting: LruCache::new(MAX_CONNECTING),
            undecoded: HashMap::new(),
            timers: BinaryHeap::new(),
            gone: VecDeque::new(),
            decisions: vec![],
            forgotten: vec![],
        }
    }

    /// A thread has sent or received on a connection; told before what follows from it.
    pub fn operation(&mut self, at: Moment, cookie: Cookie) {
        self.process(at.pid).thread(at.tid).operate(cookie);
    }

    /// A thread has called connect(2).
    pub fn connect(&mut self, at: Moment, cookie: Cookie) {
        let turn = self.process(at.pid).thread(at.tid).last_read;
        self.connecting.put(cookie, (at.tid, turn));
    }

    /// A connection is gone.
    pub fn disconnect(&mut self, cookie: Cookie) {
        self.connecting.pop(&cookie);
        if let Some(pid) = self.undecoded.remove(&cookie)
            && let Some(process) = self.processes.get_mut(&pid)
        {
            process.undecoded -= 1;
        }
    }

    /// An incoming connection of a process carries what is not decoded.
    pub fn undecoded(&mut self, cookie: Cookie, at: Moment) {
        if self.undecoded.insert(cookie, at.pid).is_none() {
            self.process(at.pid).undecoded += 1;
        }
    }

    /// Some of what a process does is left out on purpose.
    pub fn leave_out(&mut self, pid: u32, some: bool) {
        self.process(pid).left_out = some;
    }

    /// A process has this many incoming connections that nothing was seen of yet.
    pub fn unseen(&mut self, pid: u32, count: u32) {
        self.process(pid).unseen = count;
    }

    /// Something that a process did was lost; of every process if none is named.
    pub fn lost(&mut self, pid: Option<u32>, now: u64) {
        match pid {
            Some(pid) => self.process(pid).lost = Some(now),
            None => self.processes.values_mut().for_each(|process| process.lost = Some(now)),
        }
    }

    /// A process has ended.
    pub fn exited(&mut self, pid: u32, now: u64) {
        if self.processes.contains_key(&pid) {
            self.gone.push_back((now + MOURN, pid));
        }
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
        while let Some(&(time, pid)) = self.gone.front()
            && time <= now
        {
            self.gone.pop_front();
            self.processes.remove(&pid);
        }
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

    fn process(&mut self, pid: u32) -> &mut Process {
        self.processes.entry(pid).or_insert_with(Process::new)
    }

    fn started(&mut self, id: ExchangeId, side: Side, at: Moment, cookie: Cookie) {
        let connected = self.connecting.pop(&cookie);
        let process = self.process(at.pid);
        let role = match side {
            Side::Server => {
                process.open.insert(id);
                Role::Server(Server { reader: at.tid, ..Server::default() })
            }
            Side::Client => {
                let only =
                    |mut open: Vec<ExchangeId>| if open.len() == 1 { open.pop() } else { None };
                let alone = only(process.open.iter().take(2).copied().collect());
                let thread = process.thread(at.tid);
                let last_read = match connected {
                    Some((tid, turn)) if tid == at.tid => turn,
                    _ => thread.last_read,
                };
                let mut client = Client {
                    thread: only(thread.reading.clone()),
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
            self.carriers.entry(carrier).or_default().push(id);
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
        let Some(process) = self.processes.get_mut(&at.pid) else { return };
        process.thread(at.tid).last_read = Some(id);
        if node.ended.is_some() || node.replied.is_some() {
            return;
        }
        let Some(server) = node.server_mut() else { return };
        let reading = &mut process.thread(at.tid).reading;
        let new = !reading.contains(&id);
        if new {
            reading.push(id);
        }
        server.exclusive = (new || server.exclusive) && reading.len() == 1;
        let (before, shared) = (std::mem::replace(&mut server.reader, at.tid), reading.clone());
        if before != at.tid
            && let Some(thread) = process.threads.get_mut(&before)
        {
            thread.reading.retain(|&other| other != id);
        }
        if new && shared.len() > 1 {
            for other in shared {
                if let Some(server) = self.server(other) {
                    server.exclusive = false;
                }
            }
        }
    }

    fn replied(&mut self, id: ExchangeId, at: Moment) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.replied = Some(at);
        let (started, last_read, switches) = {
            let Some(process) = self.processes.get_mut(&at.pid) else { return };
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
        let whole = exchange.incomplete.is_none();
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.ended = Some(now);
        let node = &self.nodes[&id];
        let scene =
            Scene { nodes: &self.nodes, processes: &self.processes, carriers: &self.carriers };
        let closed = closes(&scene, node);
        if let Some(process) = self.processes.get_mut(&node.started.pid) {
            match &node.role {
                Role::Server(server) => {
                    process.open.remove(&id);
                    process.thread(server.reader).reading.retain(|&other| other != id);
                    if let (true, Some(replied)) = (whole, node.replied) {
                        process.dedicated.observe(server.exclusive && replied.tid == server.reader);
                        let trivial = server.turn_calls == 0 && server.closed_by == Some(id);
                        if !trivial {
                            process.turns.observe(closed);
                        }
                    }
                    if process.threads.len() > MAX_THREADS {
                        process.threads.retain(|_, thread| !thread.reading.is_empty());
                    }
                }
                Role::Client(client) => {
                    if let (true, Some(blocked)) = (whole, client.blocked) {
                        process.blocking.observe(blocked);
                    }
                }
            }
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
            Role::Server(server) if server.pins > 0 => now + LINGER,
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
                server.pins -= 1;
            }
        }
    }

    fn forget(&mut self, id: ExchangeId) {
        let Some(node) = self.nodes.remove(&id) else { return };
        self.forgotten.push(id);
        if let (Side::Server, Some(context)) = (node.side, node.context) {
            let carrier = (node.started.pid, context.trace_id);
            if let Some(ids) = self.carriers.get_mut(&carrier) {
                ids.retain(|&other| other != id);
                if ids.is_empty() {
                    self.carriers.remove(&carrier);
                }
            }
        }
    }
}
