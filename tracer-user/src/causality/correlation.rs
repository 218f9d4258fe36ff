//! Evidence from request and correlation ids: the call carries one that came in with a request.
//!
//! Not every sender means one request by such an id. Where several requests that are open brought
//! it (a session, a batch, a constant), it tells which they are and no more. One that a process
//! sent before any request had brought it is the process's own, and tells nothing. How often it
//! named the right request is counted where stronger evidence speaks as well.

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let pid = call.started.pid;
    let sets = call.correlation.ids().map(|id| {
        let brought = scene.correlated.requests(pid, id).filter_map(|id| scene.node(id));
        let fits = |request: &&Node| {
            request.started.order < call.started.order && call.peer != Some(request.id)
        };
        let fitting: Vec<_> = brought.filter(fits).collect();
        let open = |request: &&&Node| request.ended.is_none_or(|end| end >= call.started.time);
        let open: Vec<_> = fitting.iter().filter(open).map(|request| request.id).collect();
        if open.is_empty() { fitting.iter().map(|request| request.id).collect() } else { open }
    });
    // A request's own id says more than that of a session beside it.
    let named = sets.filter(|set| !set.is_empty()).min_by_key(Vec::len).unwrap_or_default();
    match named[..] {
        [] => Testimony::Silent,
        [request] => match scene.process(&call.started) {
            Some(process) => Testimony::Names(request, process.correlated.get()),
            None => Testimony::Silent,
        },
        _ => Testimony::Among(named),
    }
}

/// Why it says nothing.
pub(super) fn silence(_: &Scene<'_>, call: &Node) -> &'static str {
    match call.correlation.ids().next() {
        None => "the call carries no request id",
        Some(_) => "no request brought the id that the call carries",
    }
}
