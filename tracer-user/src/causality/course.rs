//! The course of an exchange: what is noted of threads, turns and processes at each of its moments,
//! for the witnesses to look at later.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::collections::HashMap;

use crate::connection::{Cookie, Flow, Moment};
use crate::exchange::{Exchange, ExchangeId, Side};
use crate::protocol::propagation::{Context, Correlation};
use crate::protocol::telemetry::is_export;

use tracer_common::record::{FLOW_FUTURE, FLOW_GOROUTINE, FLOW_PROMISE, FLOW_TASK};

use super::forward;
use super::node::{Client, Node, Role, Server};
use super::stage::{Causality, Connecting};
use super::timing::{callee, name};
use super::turn::closes;

impl Causality {
    pub(super) fn started(
        &mut self,
        id: ExchangeId,
        side: Side,
        at: Moment,
        cookie: Cookie,
        shared: bool,
    ) {
        let own = self.processes.at(&at).is_some_and(|it| it.contexts.is_writer(&at.flow));
        let at = if shared { anonymous(at, own && side == Side::Client) } else { at };
        let connected = self.connecting.pop(&cookie);
        let asked = self.asking.pop(&cookie).filter(|asked| asked.pid == at.pid);
        self.opening.pop(&cookie);
        let role = match side {
            Side::Server => {
                self.processes.acting(&at).open.insert(id);
                Role::Server(Server { reader: (at.pid, at.tid), cookie, ..Server::default() })
            }
            Side::Client => {
                let process = self.processes.acting(&at);
                let (busy, whole) = (!process.open.is_empty(), process.sight.whole_since(&at));
                let thread = process.thread(at.tid);
                if whole {
                    thread.for_requests.observe(busy);
                }
                let due = thread.queue.act(at.flow.sleeps);
                if !shared {
                    thread.calls(id);
                }
                let mut client = self.client(&at, connected, asked);
                client.queue = due.and_then(|read| owner(&self.nodes, read, |client| client.queue));
                client.suspect();
                Role::Client(client)
            }
        };
        let mut node = Node {
            id,
            side,
            started: at,
            shared,
            sealed: false,
            name: 0,
            callee: 0,
            target: None,
            head: false,
            context: None,
            correlation: Correlation::default(),
            answer: Correlation::default(),
            replied: None,
            ended: None,
            peer: None,
            role,
        };
        let process = self.processes.acting(&at);
        // What is read with it may belong to the next request of the connection already.
        node.serve(0, &at.flow, &mut process.contexts);
        if let Some(client) = node.client() {
            if let Some(server) = client.turn.and_then(|turn| self.server(turn)) {
                server.turn_calls += 1;
            }
            if let Some(server) = client.queue.and_then(|due| self.server(due)) {
                server.queue_calls += 1;
            }
            for &request in &client.suspects {
                let server = self.nodes.get_mut(&request).and_then(Node::server_mut);
                if let Some(server) = server {
                    server.pins += 1;
                }
            }
        }
        self.nodes.insert(id, node);
        self.time_request(id);
    }

    /// What is known of a call at its first byte, by the thread that writes it; but for its place in
    /// that thread's queue.
    pub(super) fn client(
        &mut self,
        at: &Moment,
        connected: Option<Connecting>,
        asked: Option<Moment>,
    ) -> Client {
        let process = self.processes.acting(at);
        let alone = process.only();
        let rivals = process.open.len();
        let spawned = process.cause(at.tid);
        let thread = process.thread(at.tid);
        let (only, last_read, switches) = (thread.only(), thread.last_read, thread.switches);
        // The loop writes on a new connection when that is open, whoever opened it.
        let opened = connected.filter(|_| at.flow.kind == FLOW_PROMISE);
        let flow = match (asked, opened) {
            (Some(asked), _) => asked.flow,
            (None, Some(opened)) => opened.flow,
            (None, None) => at.flow,
        };
        let mut lineage = process.contexts.lineage(&flow);
        // A connection's own goroutine was started by whoever opened it. That says nothing of
        // later requests; nor of the first, since net/http dials for one request and may use
        // the connection for another.
        let opened =
            asked.is_some() || connected.is_some_and(|by| by.flow.context == at.flow.context);
        if flow.kind == FLOW_GOROUTINE && !opened && !process.contexts.is_writer(&flow) {
            lineage.truncate(1);
        }
        let suspects = process.suspects(&lineage, only.is_some());
        let origin = Some(flow.origin).filter(|&origin| origin != 0);
        let begun = |id: &&ExchangeId| self.nodes.get(id).map(|node| node.started.time) == origin;
        let last_read = match connected {
            Some(by) if by.tid == at.tid => by.turn,
            _ => last_read,
        };
        Client {
            thread: only,
            handed: origin.and_then(|_| process.open.iter().find(begun).copied()),
            spawned,
            turn: last_read.and_then(|read| owner(&self.nodes, read, |client| client.turn)),
            alone,
            lineage,
            suspects,
            open: if self.explain { process.open.clone() } else { BTreeSet::new() },
            switches,
            rivals,
            ..Client::default()
        }
    }

    pub(super) fn server(&mut self, id: ExchangeId) -> Option<&mut Server> {
        self.nodes.get_mut(&id)?.server_mut()
    }

    pub(super) fn head(
        &mut self,
        id: ExchangeId,
        context: Option<&Context>,
        correlation: &Correlation,
        target: Option<u64>,
    ) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.head = true;
        node.context = context.cloned().map(Box::new);
        node.correlation = correlation.clone();
        node.target = target;
        if let (Side::Server, Some(target)) = (node.side, target) {
            self.targets.asked(node.started.pid, target, id);
        }
        match node.side {
            Side::Server => self.correlated.received(node.started.pid, correlation, id),
            Side::Client => self.correlated.sent(node.started.pid, correlation),
        }
        match (node.side, context) {
            (Side::Server, Some(context)) => {
                self.origins.received(context, node);
                let carrier = (node.started.pid, context.trace_id);
                self.carriers.entry(carrier).or_default().insert(id);
            }
            (Side::Client, Some(context)) => {
                let new = self.origins.sent(context, node);
                let at = node.started;
                let continues = self.carriers.contains_key(&(at.pid, context.trace_id));
                if let (true, Some(process)) = (new, self.processes.at_mut(&at)) {
                    let proven = process.instrumented.originated(&at, &process.sight, continues);
                    if let Some(client) = node.client_mut() {
                        client.originated = proven;
                    }
                }
            }
            (_, None) => {}
        }
        self.decide_if_idle(id);
    }

    /// A call that nobody can say anything about need not wait.
    pub(super) fn decide_if_idle(&mut self, id: ExchangeId) {
        let Some(node) = self.nodes.get(&id) else { return };
        let Some(client) = node.client() else { return };
        let pid = node.started.pid;
        let named = node.context.as_ref();
        let named = named.is_some_and(|it| self.carriers.contains_key(&(pid, it.trace_id)));
        let brought = |id| self.correlated.requests(pid, id).next().is_some();
        let named = named || node.correlation.ids().any(brought);
        if client.suspects.is_empty() && client.rivals == 0 && !named && node.head {
            self.decide(id);
        }
    }

    pub(super) fn paired(&mut self, client: ExchangeId, server: ExchangeId) {
        if let Some(node) = self.nodes.get_mut(&server) {
            node.peer = Some(client);
        }
        if let Some(node) = self.nodes.get_mut(&client) {
            node.peer = Some(server);
        }
    }

    pub(super) fn read(&mut self, id: ExchangeId, at: Moment) {
        let Some(node) = self.nodes.get_mut(&id).filter(|node| !node.shared) else { return };
        let Some(process) = self.processes.at_mut(&at) else { return };
        if node.replied.is_none() {
            node.serve(0, &at.flow, &mut process.contexts);
        }
        let thread = process.thread(at.tid);
        thread.last_read = Some(id);
        thread.queue.read(id, at.flow.sleeps);
        if node.side == Side::Server {
            thread.calls.clear();
        }
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
    pub(super) fn refused(&mut self, at: Moment) {
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

    pub(super) fn replied(&mut self, id: ExchangeId, at: Moment) {
        if let Some(node) = self.nodes.get_mut(&id).filter(|node| node.shared) {
            node.replied = Some(anonymous(at, false));
            return;
        }
        self.answered_in_order(id, &at);
        if matches!(at.flow.kind, FLOW_TASK | FLOW_FUTURE) {
            self.waited_for(id, &at);
        }
        self.answered_by_worker(id, &at);
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.replied = Some(at);
        let (started, last_read, switches) = {
            let Some(process) = self.processes.at_mut(&at) else { return };
            node.serve(1, &at.flow, &mut process.contexts);
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

    /// By the time of the response, another context may wait for a call than did when it was written:
    /// tasks that were started are often waited for later.
    fn waited_for(&mut self, id: ExchangeId, at: &Moment) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let Some(process) = self.processes.at_mut(at) else { return };
        let Some(client) = node.client_mut().filter(|client| !client.decided) else { return };
        let more = process.contexts.lineage(&at.flow).into_iter();
        let more: Vec<_> = more.filter(|ancestor| !client.lineage.contains(ancestor)).collect();
        let mut suspects = process.suspects(&more, true);
        suspects.retain(|request| !client.suspects.contains(request));
        match at.flow.kind {
            // What waits for the response is surer than what was on the stack before.
            FLOW_FUTURE => drop(client.lineage.splice(..0, more)),
            _ => client.lineage.extend(more),
        }
        client.suspects.extend(&suspects);
        for server in suspects {
            if let Some(server) = self.server(server) {
                server.pins += 1;
            }
        }
    }

    /// Notes whether a response is written when it is due in its thread's queue.
    fn answered_in_order(&mut self, id: ExchangeId, at: &Moment) {
        let Some(process) = self.processes.at_mut(at) else { return };
        let nodes = &self.nodes;
        let ours = |read| owner(nodes, read, |client| client.queue) == Some(id);
        let in_order = process.thread(at.tid).queue.act_on(ours, at.flow.sleeps);
        if let Some(server) = self.nodes.get_mut(&id).and_then(Node::server_mut) {
            server.in_order = in_order;
        }
    }

    pub(super) fn ended(&mut self, exchange: &Exchange) {
        let (id, now) = (exchange.id, exchange.ended.time);
        let whole = exchange.incomplete.is_empty();
        let export = exchange.request.as_deref().is_some_and(is_export);
        let Some(node) = self.nodes.get_mut(&id).filter(|node| !node.sealed) else { return };
        node.ended = Some(now);
        if let Some(response) = &exchange.response {
            node.answer = response.correlation.clone();
        }
        if node.side == Side::Server {
            self.correlated.answered(node.started.pid, &node.answer, id);
        }
        node.name = name(exchange);
        if let Some(stream) = exchange.stream {
            self.streams.ends((exchange.cookie, stream));
        }
        node.callee = callee(exchange);
        let node = &self.nodes[&id];
        let closed = closes(&self.scene(), node);
        let passed_on = forward::passed_on(&self.scene(), node);
        // Of threads, an exchange that shares its connection tells nothing.
        let tells = whole && !node.shared;
        let mut reader = None;
        if let Some(process) = self.processes.at_mut(&node.started) {
            match &node.role {
                Role::Server(_) if export => process.instrumented.collected(),
                Role::Client(_) if export => process.instrumented.exported(),
                _ => {}
            }
            match &node.role {
                Role::Server(server) => {
                    process.open.remove(&id);
                    reader = Some(server.reader);
                    if let (true, Some(replied)) = (tells, node.replied) {
                        let dedicated = server.exclusive && server.reader.1 == replied.tid;
                        process.dedicated.observe(dedicated);
                        if server.queue_calls > 0 {
                            process.queues.observe(server.in_order == Some(true));
                        }
                        let trivial = server.turn_calls == 0 && server.closed_by == Some(id);
                        if !trivial {
                            process.turns.observe(closed);
                        }
                    }
                }
                Role::Client(client) => {
                    if let Some(yes) = passed_on {
                        process.passes_on(node.callee, yes);
                    }
                    if let (true, Some(blocked)) = (tells, client.blocked) {
                        process.blocking.observe(blocked);
                    }
                }
            }
        }
        if let Some(reader) = reader {
            self.stop_reading(reader, exchange.ended, id);
        }
        self.time_request(id);
        self.decide_if_idle(id);
        self.timers.push(Reverse((now + self.settings.settle, id)));
    }
}

/// The moment of an exchange that shares its connection: the process is all that is known of who
/// acted, unless that flow acts for this one exchange. No thread has the number 0.
fn anonymous(at: Moment, own: bool) -> Moment {
    Moment { tid: 0, flow: if own { at.flow } else { Flow::default() }, ..at }
}

/// The open request that something which was read belongs to: itself, or what `of` says of a call.
fn owner(
    nodes: &HashMap<ExchangeId, Node>,
    read: ExchangeId,
    of: impl FnOnce(&Client) -> Option<ExchangeId>,
) -> Option<ExchangeId> {
    let node = nodes.get(&read)?;
    let request = match &node.role {
        Role::Server(_) => node,
        Role::Client(client) => nodes.get(&of(client)?)?,
    };
    request.ended.is_none().then_some(request.id)
}
