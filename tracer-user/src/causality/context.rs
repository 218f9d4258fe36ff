//! Evidence from the context of execution: the goroutine or the Python context that asked for the
//! call, or one that started it, also read the request or answered it.
//!
//! A context that only writes what others ask for (the goroutine behind each of net/http's client
//! connections) was started by whoever opened the connection, so of goroutines that write the ancestors
//! count only where one opened the connection itself; who asks others, a probe at the library's
//! entry tells.

use crate::exchange::ExchangeId;

use super::Scene;
use super::contexts::Ancestor;
use super::evidence::Testimony;
use super::node::Node;
use super::process::Process;

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let Some(client) = call.client() else { return Testimony::Silent };
    let Some(process) = scene.process(&call.started) else { return Testimony::Silent };
    let named = client.lineage.iter().find_map(|ancestor| named(scene, call, process, ancestor));
    match named.as_deref() {
        None => Testimony::Silent,
        Some([]) => Testimony::Outlives,
        Some([request]) => Testimony::Names(request.id, process.contexts.right.get()),
        Some(several) => match one_by_one(process, call, several) {
            Some(request) => Testimony::Names(request, process.contexts.right.get()),
            None => Testimony::Among(several.iter().map(|request| request.id).collect()),
        },
    }
}

/// The requests for which the call may have been made in this context, or in one that it started:
/// none of those that are open, if it did all it is known to have done for requests that are over.
/// `None` if it served no request.
fn named<'a>(
    scene: &Scene<'a>,
    call: &Node,
    process: &Process,
    ancestor: &Ancestor,
) -> Option<Vec<&'a Node>> {
    let then = ancestor.until.min(call.started.time);
    let all = process.contexts.requests(ancestor.id).iter().filter_map(|&id| scene.node(id));
    let served = all.filter(|request| {
        let before = request.started.order < call.started.order && request.started.time <= then;
        before && call.peer != Some(request.id)
    });
    let over = |request: &&Node| request.ended.is_some_and(|ended| ended < call.started.time);
    let open: Vec<_> = served.filter(|request| !over(request)).collect();
    (!open.is_empty() || process.contexts.served_by(ancestor.id, then)).then_some(open)
}

/// The requests of one connection are answered one after the other, so what its context does, it
/// does for the first of them; unless the answer to that may have been lost.
fn one_by_one(process: &Process, call: &Node, requests: &[&Node]) -> Option<ExchangeId> {
    if process.sight.may_have_lost(&call.started) {
        return None;
    }
    // Whoever was told to take one after the other works for the latest one.
    let taken = |request: &&Node| request.server().and_then(|server| server.taken);
    if requests.iter().all(|request| taken(request).is_some()) {
        let before = requests.iter().filter(|it| taken(it) < Some(call.started.order));
        return before.max_by_key(|it| taken(it)).map(|request| request.id);
    }
    let cookie = |request: &Node| request.server().map(|server| server.cookie);
    let first = requests.iter().min_by_key(|request| (request.started.order, request.id))?;
    let alike = requests.iter().all(|request| cookie(request) == cookie(first));
    alike.then_some(first.id)
}

/// Why it says nothing.
pub(super) fn silence(_: &Scene<'_>, call: &Node) -> &'static str {
    match call.client().is_none_or(|client| client.lineage.is_empty()) {
        true => "contexts of execution are not told apart in this process",
        false => "no open request was read or answered in the call's context",
    }
}
