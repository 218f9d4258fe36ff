//! Evidence from being alone: the process had one request to answer and no other. It counts only
//! while every incoming connection of the process is seen and nothing of it was lost or left out.
//! Less is believed of a thread that also calls while no request is open, and of a call by another
//! thread than the reader's that was not answered when the request was over.

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;

/// Its name.
pub(super) const METHOD: &str = "alone";
/// What remains is work of the process's own: a background poll, a job that outlives its request.
const CONFIDENCE: f64 = 0.92;
/// The request was over before the call was answered.
const OUTLIVES: f64 = 0.8;

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let named = call.client().and_then(|client| Some((client, scene.node(client.alone?)?)));
    let Some((client, server)) = named else { return Testimony::Silent };
    match scene.process(&call.started) {
        Some(process) if process.sight.whole_since(&server.started) => {
            let before = |end: u64| call.replied.is_some_and(|replied| replied.time <= end);
            let waited = client.thread == client.alone || server.ended.is_none_or(before);
            let confidence = CONFIDENCE.min(process.for_requests(call.started.tid));
            Testimony::Names(server.id, if waited { confidence } else { confidence * OUTLIVES })
        }
        _ => Testimony::Silent,
    }
}

/// Why it says nothing.
pub(super) fn silence(_: &Scene<'_>, call: &Node) -> &'static str {
    match call.client().and_then(|client| client.alone) {
        None => "not just one request was open in the process",
        Some(_) => "requests may have been open that were not seen",
    }
}
