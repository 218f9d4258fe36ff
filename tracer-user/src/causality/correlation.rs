//! Evidence from request and correlation ids: the call carries one that came in with a request, or
//! that the request was answered with.
//!
//! Not every sender means one request by such an id. Where several requests that are open brought
//! it (a session, a batch, a constant), it tells which they are and no more. One that a process
//! sent before any request had brought it is the process's own, and names nobody but the only
//! request that the process answered with it. How often it named the right request is counted where
//! stronger evidence speaks as well.

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;
use crate::exchange::ExchangeId;

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let pid = call.started.pid;
    let brought =
        call.correlation.ids().map(|id| fitting(scene, call, scene.correlated.requests(pid, id)));
    // A request's own id says more than that of a session beside it.
    let named = brought.filter(|set| !set.is_empty()).min_by_key(Vec::len);
    match named.unwrap_or_else(|| answered(scene, call))[..] {
        [] => Testimony::Silent,
        [request] => match scene.process(&call.started) {
            Some(process) => Testimony::Names(request, process.correlated.get()),
            None => Testimony::Silent,
        },
        ref several => Testimony::Among(several.to_vec()),
    }
}

/// The only request that was answered with an id of the call, or with one of the call's response,
/// which proxies pass on. Several tell nothing: of what was not seen, nobody knows the answer.
fn answered(scene: &Scene<'_>, call: &Node) -> Vec<ExchangeId> {
    let pid = call.started.pid;
    let ids = call.correlation.ids().chain(call.answer.ids());
    let mut sets = ids.map(|id| fitting(scene, call, scene.correlated.answers(pid, id)));
    sets.find(|set| set.len() == 1).unwrap_or_default()
}

/// Of these requests those that may have caused the call: open ones, if there are any.
fn fitting(
    scene: &Scene<'_>,
    call: &Node,
    requests: impl Iterator<Item = ExchangeId>,
) -> Vec<ExchangeId> {
    let fits = |request: &&Node| {
        request.started.order < call.started.order && call.peer != Some(request.id)
    };
    let fitting: Vec<_> = requests.filter_map(|id| scene.node(id)).filter(fits).collect();
    let open = |request: &&&Node| request.ended.is_none_or(|end| end >= call.started.time);
    let open: Vec<_> = fitting.iter().filter(open).map(|request| request.id).collect();
    if open.is_empty() { fitting.iter().map(|request| request.id).collect() } else { open }
}

/// Why it says nothing.
pub(super) fn silence(_: &Scene<'_>, call: &Node) -> &'static str {
    match call.correlation.ids().next() {
        None => "the call carries no request id",
        Some(_) => "no one request brought the id that the call carries, nor was answered with it",
    }
}
