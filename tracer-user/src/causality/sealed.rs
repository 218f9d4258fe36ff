//! Calls that are whole encrypted connections. What there is to say of one is noted at its first byte,
//! when it is not known yet whether its plaintext will be had, and touches nothing: if it is had, the
//! requests inside are the calls. A request inside may have been caused by anything that the process did
//! later, so that such a connection is the parent of no call, and tells the times nothing.

use std::cmp::Reverse;

use crate::connection::{Cookie, Moment};
use crate::exchange::{ExchangeId, Side};
use crate::protocol::propagation::Correlation;

use super::node::{Node, Role, Server};
use super::stage::Causality;

impl Causality {
    /// A process opens an encrypted connection.
    pub(super) fn opens(&mut self, at: Moment, cookie: Cookie) {
        let connected = self.connecting.peek(&cookie).copied();
        let asked = self.asking.peek(&cookie).copied().filter(|asked| asked.pid == at.pid);
        let mut client = self.client(&at, connected, asked);
        // Where others shake hands than connect, it is whoever connects that wants something.
        client.thread = client.thread.or(connected.and_then(|by| by.only));
        client.suspect();
        self.opening.put(cookie, client);
    }

    /// An exchange stands for one; of its client, that was told before.
    pub(super) fn sealed(&mut self, id: ExchangeId, side: Side, at: Moment, cookie: Cookie) {
        let role = match side {
            Side::Server => Role::Server(Server { cookie, ..Server::default() }),
            Side::Client => Role::Client(self.opening.pop(&cookie).unwrap_or_default()),
        };
        let node = Node {
            id,
            side,
            started: at,
            shared: true,
            sealed: true,
            name: 0,
            callee: 0,
            target: None,
            head: true,
            context: None,
            correlation: Correlation::default(),
            answer: Correlation::default(),
            replied: None,
            // Nothing more comes that could tell.
            ended: Some(at.time),
            peer: None,
            role,
        };
        for &request in node.client().map_or(&[][..], |client| &client.suspects) {
            if let Some(server) = self.nodes.get_mut(&request).and_then(Node::server_mut) {
                server.pins += 1;
            }
        }
        self.nodes.insert(id, node);
        self.timers.push(Reverse((at.time + self.settings.settle, id)));
        self.decide_if_idle(id);
    }

    /// It is none after all.
    pub(super) fn unsealed(&mut self, id: ExchangeId) {
        self.release_suspects(id);
        self.forget(id);
    }
}
