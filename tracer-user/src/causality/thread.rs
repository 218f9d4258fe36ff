//! Evidence from the thread: it read one request, and until it answered that it read no other.
//!
//! Right for servers with a thread a request. Where threads are shared (event loops, goroutines)
//! it is chance, and two shares that are counted in the process say so: how many requests are read
//! and answered by one thread that reads no other between, and during how many calls the calling
//! thread does nothing else.

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;

/// Only one end has been seen yet, or the thread did other things while it should have waited.
const HALF: f64 = 0.8;

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let named = call.client().and_then(|client| Some((client, scene.node(client.thread?)?)));
    let Some((client, server)) = named else { return Testimony::Silent };
    let Some(role) = server.server() else { return Testimony::Silent };
    let thread = call.started.tid;
    if !role.exclusive || server.replied.is_some_and(|replied| replied.tid != thread) {
        return Testimony::Silent;
    }
    let Some(process) = scene.process(&call.started) else { return Testimony::Silent };
    let mut confidence = process.blocking.get().min(process.dedicated.get());
    if server.replied.is_none() || client.blocked == Some(false) {
        confidence *= HALF;
    }
    Testimony::Names(server.id, confidence)
}

/// Why it says nothing.
pub(super) fn silence(scene: &Scene<'_>, call: &Node) -> &'static str {
    let named = call.client().and_then(|client| scene.node(client.thread?));
    match named.and_then(Node::server) {
        None => "the thread had not read just one request that it had not answered",
        Some(role) if !role.exclusive => "the thread read other requests before it answered",
        Some(_) => "another thread answered the request that the thread had read",
    }
}
