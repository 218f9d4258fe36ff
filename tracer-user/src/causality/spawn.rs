//! Evidence from threads that a request starts: whoever starts a thread while it has one request to
//! answer has it work for that, and what that one starts, too.
//!
//! Right where threads are made for what they do and end before the request is answered. Those of a
//! pool are made for the request that found too few of them, and go on to work for others: how many
//! end in time is counted in the process.

use super::Scene;
use super::evidence::Testimony;
use super::handoff::for_reader;
use super::node::Node;

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let started = call.client().and_then(|client| scene.node(client.spawned?));
    let Some(process) = scene.process(&call.started) else { return Testimony::Silent };
    started.map_or(Testimony::Silent, |server| for_reader(server, process.spawned.get()))
}

/// Why it says nothing.
pub(super) fn silence(_: &Scene<'_>, call: &Node) -> &'static str {
    match call.client().and_then(|client| client.spawned) {
        None => "its thread was not started for a request that is open",
        Some(_) => "the thread that started its thread has more to do than one request",
    }
}
