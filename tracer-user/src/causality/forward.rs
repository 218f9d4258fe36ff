//! Evidence from what is asked for: a proxy asks for just what it was asked for itself, by method,
//! path and query, so that the request which it passes on is one that asks for the same.
//!
//! Who is a proxy, and for whom, is counted: of the calls to one address that were made while the
//! process had several things to answer, so many were for what an open request asks for, which was
//! answered no sooner than the call; and where something stronger tells, it did not name another one. Where all open requests ask for the same, that is no wonder and
//! is not counted. A service that asks others for what happens to have the name of another of its
//! own routes would be taken for a proxy only if it never asked while that route was idle.

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;
use super::strength::Share;
use crate::exchange::ExchangeId;

/// Below this share a process passes on only some of what it asks that one for, and the others may
/// look alike by chance.
const PROXY: f64 = 0.95;

/// Before anything is counted; sixteen calls make it 0.9.
pub(super) fn unknown() -> Share {
    Share::guess(0.5, 4.0)
}

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let share = believed(scene, call);
    match alike(scene, call)[..] {
        [] => Testimony::Silent,
        [request] => Testimony::Names(request, share),
        _ if share < PROXY => Testimony::Silent,
        ref several => Testimony::Among(several.to_vec()),
    }
}

/// How often what the process asks that one for was what it was asked for.
fn believed(scene: &Scene<'_>, call: &Node) -> f64 {
    let process = scene.process(&call.started);
    process.map_or(unknown(), |process| process.forwarding(call.callee)).get()
}

/// The requests that were open when the call was made and ask for the same.
fn alike(scene: &Scene<'_>, call: &Node) -> Vec<ExchangeId> {
    let Some(target) = call.target else { return vec![] };
    let fits = |request: &&Node| {
        request.started.order < call.started.order
            && call.peer != Some(request.id)
            && request.ended.is_none_or(|end| end >= call.started.time)
    };
    let requests = scene.targets.requests(call.started.pid, target);
    requests.filter_map(|id| scene.node(id)).filter(fits).map(|request| request.id).collect()
}

/// Whether a call that is over asked for what one of several open requests asks for, others of which
/// ask for something else.
pub(super) fn passed_on(scene: &Scene<'_>, call: &Node) -> Option<bool> {
    let rivals = call.client()?.rivals;
    let alike = alike(scene, call);
    if call.target.is_none() || rivals <= alike.len() {
        return None;
    }
    let replied = call.replied.map_or(0, |replied| replied.order);
    let answer = |request: &ExchangeId| scene.node(*request).and_then(|request| request.replied);
    Some(alike.iter().any(|request| answer(request).is_none_or(|it| it.order > replied)))
}

/// Whether it belongs to a request that asks for something else, although one asks for the same.
pub(super) fn mistaken(
    scene: &Scene<'_>,
    call: &Node,
    named: impl FnOnce() -> Option<ExchangeId>,
) -> bool {
    let alike = alike(scene, call);
    !alike.is_empty() && named().is_some_and(|request| !alike.contains(&request))
}

/// Why it says nothing.
pub(super) fn silence(scene: &Scene<'_>, call: &Node) -> &'static str {
    match alike(scene, call).len() {
        0 if call.target.is_none() => "what the call asks for is not known whole",
        0 => "no open request asks for what the call asks for",
        _ => "several requests ask for the same, and not all calls there are passed on",
    }
}
