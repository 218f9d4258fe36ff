//! Evidence from threads that a request starts: whoever starts a thread while it has one request to
//! answer has it work for that, and what that one starts, too.
//!
//! Right where threads are made for what they do and end before the request is answered. Those of a
//! pool are made for the request that found too few of them, and go on to work for others: how many
//! end in time is counted in the process.

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;

/// The request has not been answered, so only one end has been seen.
const HALF: f64 = 0.8;

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let started = call.client().and_then(|client| scene.node(client.spawned?));
    let Some(server) = started else { return Testimony::Silent };
    let exclusive = server.server().is_some_and(|role| role.exclusive);
    let answered_elsewhere = server.replied.is_some_and(|at| at.tid != server.started.tid);
    let Some(process) = scene.process(&call.started) else { return Testimony::Silent };
    if !exclusive || answered_elsewhere {
        return Testimony::Silent;
    }
    let seen = if server.replied.is_some() { 1.0 } else { HALF };
    Testimony::Names(server.id, process.spawned.get() * seen)
}

/// Why it says nothing.
pub(super) fn silence(_: &Scene<'_>, call: &Node) -> &'static str {
    match call.client().and_then(|client| client.spawned) {
        None => "its thread was not started for a request that is open",
        Some(_) => "the thread that started its thread has more to do than one request",
    }
}
