//! Evidence from work that one thread handed to another: the one that handed it on had read a request
//! and no other.
//!
//! Right where each request has a thread, which lets others make calls for it. An event loop that
//! hands on work has read several; how rare that is in the process, the share of requests that one
//! thread read and answered by itself tells.

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;

/// The request has not been answered, so only one end has been seen.
const HALF: f64 = 0.8;

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let handed = call.client().and_then(|client| scene.node(client.handed?));
    let Some(process) = scene.process(&call.started) else { return Testimony::Silent };
    handed.map_or(Testimony::Silent, |server| for_reader(server, process.dedicated.get()))
}

/// Names the request for which another thread had the call made, unless that one has more to do. How
/// far that is believed: this share.
pub(super) fn for_reader(server: &Node, share: f64) -> Testimony {
    let exclusive = server.server().is_some_and(|role| role.exclusive);
    match server.replied {
        _ if !exclusive => Testimony::Silent,
        Some(replied) if replied.tid != server.started.tid => Testimony::Silent,
        Some(_) => Testimony::Names(server.id, share),
        None => Testimony::Names(server.id, share * HALF),
    }
}

/// Why it says nothing.
pub(super) fn silence(_: &Scene<'_>, call: &Node) -> &'static str {
    match call.client().and_then(|client| client.handed) {
        None => "no thread that had read a request handed work to the one that wrote the call",
        Some(_) => "the thread that handed on the work has more to do than one request",
    }
}
