//! Evidence from the context of execution: the goroutine or the Python context that asked for the
//! call, or one that started it, also read the request or answered it.
//!
//! A context that only writes what others ask for (the goroutine behind each of net/http's client
//! connections) was started by whoever opened the connection, so of goroutines that write the ancestors
//! count only where one opened the connection itself; who asks others, a probe at the library's
//! entry tells.

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let Some(client) = call.client() else { return Testimony::Silent };
    let Some(process) = scene.process(&call.started) else { return Testimony::Silent };
    for &context in &client.lineage {
        let requests = process.contexts.requests(context).iter();
        let served: Vec<_> = requests
            .filter_map(|&id| scene.node(id))
            .filter(|request| {
                let open = request.ended.is_none_or(|ended| ended >= call.started.time);
                open && request.started.order < call.started.order && call.peer != Some(request.id)
            })
            .map(|request| request.id)
            .collect();
        match served[..] {
            [] => {}
            [request] => return Testimony::Names(request, process.contexts.right.get()),
            _ => return Testimony::Among(served),
        }
    }
    Testimony::Silent
}
