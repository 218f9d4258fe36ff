//! The course of an exchange: what is noted of threads, turns and processes at each of its moments,
//! for the witnesses to look at later.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::collections::HashMap;

use crate::connection::{Cookie, Moment};
use crate::exchange::{Exchange, ExchangeId, Side};
use crate::protocol::propagation::{Context, Correlation};
use crate::protocol::telemetry::is_export;

use tracer_common::record::{FLOW_FUTURE, FLOW_GOROUTINE, FLOW_PROMISE, FLOW_TASK};

use super::node::{Client, Node, Role, Server};
use super::stage::Causality;
use super::timing::name;
use super::turn::closes;

impl Causality {
    pub(super) fn started(&mut self, id: ExchangeId, side: Side, at: Moment, cookie: Cookie) {
        let connected = self.connecting.pop(&cookie);
        let asked = self.asking.pop(&cookie).filter(|asked| asked.pid == at.pid);
        let process = self.processes.acting(&at);
        let role = match side {
            Side::Server => {
                process.open.insert(id);
                Role::Server(Server { reader: (at.pid, at.tid), cookie, ..Server::default() })
            }
            Side::Client => {
                let alone = process.only();
                let rivals = process.open.len();
                let spawned = process.cause(at.tid);
                let thread = process.thread(at.tid);
                let (only, last_read, switches) =
                    (thread.only(), thread.last_read, thread.switches);
                let due = thread.queue.act(at.flow.sleeps);
                thread.calls(id);
                // The loop writes on a new connection when that is open, whoever opened it.
                let opened = connected.filter(|_| at.flow.kind == FLOW_PROMISE);
                let flow = match (asked, opened) {
                    (Some(asked), _) => asked.flow,
                    (None, Some((.., flow))) => flow,
                    (None, None) => at.flow,
                };
                let mut lineage = process.contexts.lineage(&flow);
                // A connection's own goroutine was started by whoever opened it. That says nothing of
                // later requests; nor of the first, since net/http dials for one request and may use
                // the connection for another.
                let opened = asked.is_some()
                    || connected.is_some_and(|(.., by)| by.context == at.flow.context);
                if flow.kind == FLOW_GOROUTINE && !opened {
                    lineage.truncate(1);
                }
                let suspects = process.suspects(&lineage, only.is_some());
                let origin = Some(flow.origin).filter(|&origin| origin != 0);
                let begun =
                    |id: &&ExchangeId| self.nodes.get(id).map(|node| node.started.time) == origin;
                let mut client = Client {
                    thread: only,
                    handed: origin.and_then(|_| process.open.iter().find(begun).copied()),
                    spawned,
                    answered: None,
                    turn: None,
                    queue: due.and_then(|read| owner(&self.nodes, read, |client| client.queue)),
                    alone,
                    lineage,
                    suspects,
                    open: if self.explain { process.open.clone() } else { BTreeSet::new() },
                    switches,
                    blocked: None,
                    originated: false,
                    rivals,
                    deferred: false,
                    weighed: None,
                    decided: false,
                };
                let last_read = match connected {
                    Some((tid, turn, _)) if tid == at.tid => turn,
                    _ => last_read,
                };
                client.turn =
                    last_read.and_then(|read| owner(&self.nodes, read, |client| client.turn));
                client.suspect();
                Role::Client(client)
            }
        };
        let mut node = Node {
            id,
            side,
            started: at,
            name: 0,
            head: false,
            context: None,
            correlation: Correlation::default(),
            answer: Correlation::default(),
            replied: None,
            ended: None,
            peer: None,
            role,
        };
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

    pub(super) fn server(&mut self, id: ExchangeId) -> Option<&mut Server> {
        self.nodes.get_mut(&id)?.server_mut()
    }

    pub(super) fn head(
        &mut self,
        id: ExchangeId,
        context: Option<&Context>,
        correlation: &Correlation,
    ) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.head = true;
        node.context = context.cloned().map(Box::new);
        node.correlation = correlation.clone();
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
    fn decide_if_idle(&mut self, id: ExchangeId) {
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
        let Some(node) = self.nodes.get_mut(&id) else { return };
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

    /// A response is written: what its thread did before, it did for that, if it was given the request.
    fn answered_by_worker(&mut self, id: ExchangeId, at: &Moment) {
        let Some(node) = self.nodes.get(&id) else { return };
        let Some(reader) = node.server().map(|server| server.reader) else { return };
        let since = node.started.order;
        let Some(process) = self.processes.at_mut(at) else { return };
        let calls = process.thread(at.tid).answers();
        if reader == (at.pid, at.tid) || calls.is_empty() {
            return;
        }
        let nodes = &self.nodes;
        let began = |call| nodes.get(call).map_or(0, |call: &Node| call.started.order);
        let only_reads = process.known_thread(reader.1).is_some_and(|reader| !reader.works);
        let all = only_reads && calls.iter().all(|call| began(call) > since);
        process.workers.observe(all);
        process.has_workers = true;
        for call in calls.iter().filter(|_| all) {
            if let Some(client) = self.nodes.get_mut(call).and_then(Node::client_mut) {
                client.answered = Some(id);
            }
        }
    }

    pub(super) fn ended(&mut self, exchange: &Exchange) {
        let (id, now) = (exchange.id, exchange.ended.time);
        let whole = exchange.incomplete.is_empty();
        let export = exchange.request.as_deref().is_some_and(is_export);
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.ended = Some(now);
        if let Some(response) = &exchange.response {
            node.answer = response.correlation.clone();
        }
        if node.side == Side::Server {
            self.correlated.answered(node.started.pid, &node.answer, id);
        }
        node.name = name(exchange);
        let node = &self.nodes[&id];
        let closed = closes(&self.scene(), node);
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
                    if let (true, Some(replied)) = (whole, node.replied) {
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
                    if let (true, Some(blocked)) = (whole, client.blocked) {
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
