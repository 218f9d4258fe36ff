//! Evidence from an event loop's turn: what a thread writes between one read and the next belongs
//! to what it has just read: a request, or the response to a call that itself belongs to a request.
//! A connection that was opened in one turn and written to in a later one keeps the turn in which
//! connect(2) was called.
//!
//! Right for proxies and for handlers that never wait for anything but sockets. A timer starts a
//! turn that no read explains. So the witness is believed as far as turns close in this process:
//! the response, too, must be written in the turn of one of the request's calls. Of goroutines it says
//! nothing: which of them a thread runs after another is chance.

use tracer_common::record::FLOW_GOROUTINE;

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;

/// The request's own turns did not close.
const OPEN: f64 = 0.9;

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let named = call.client().and_then(|client| scene.node(client.turn?));
    let Some(server) = named.filter(|_| call.started.flow.kind != FLOW_GOROUTINE) else {
        return Testimony::Silent;
    };
    let Some(process) = scene.process(&call.started) else { return Testimony::Silent };
    let share = process.turns.get();
    let confidence = if closes(scene, server) { share } else { share * OPEN };
    Testimony::Names(server.id, confidence)
}

/// Whether the response was written in the turn of a call that was written in a turn of the request.
pub(super) fn closes(scene: &Scene<'_>, server: &Node) -> bool {
    server
        .server()
        .and_then(|role| scene.node(role.closed_by?)?.client()?.turn)
        .is_some_and(|owner| owner == server.id)
}

/// Why it says nothing.
pub(super) fn silence(_: &Scene<'_>, call: &Node) -> &'static str {
    if call.started.flow.kind == FLOW_GOROUTINE {
        return "goroutines have no turns";
    }
    "what the thread had read last belongs to no open request"
}
