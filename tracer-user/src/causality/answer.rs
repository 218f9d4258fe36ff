//! Evidence from the thread that answers: between two answers, it made the call, and what it answers
//! next is the request.
//!
//! Right for workers who are given requests by a thread that does nothing but read them (Puma's
//! reactor, servers that select with one thread and work with many). Where threads are shared, all of
//! them read, calls of a thread are older than the request that it answers next as often as not, and
//! it does not wait for its calls: that is counted in the process.

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;

/// The thread did other things while it should have waited.
const HALF: f64 = 0.8;

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let named = call.client().and_then(|client| Some((client, scene.node(client.answered?)?)));
    let Some((client, server)) = named else { return Testimony::Silent };
    let Some(process) = scene.process(&call.started) else { return Testimony::Silent };
    let waits = if client.blocked == Some(true) { 1.0 } else { HALF };
    Testimony::Names(server.id, process.blocking.get().min(process.workers.get()) * waits)
}

/// Why it says nothing.
pub(super) fn silence(_: &Scene<'_>, _: &Node) -> &'static str {
    "its thread did not next answer a request that another thread had read"
}
