//! Evidence from headers: the call carries a context that came in with a request.
//!
//! A service that passes headers on unchanged, as behind a mesh, sends the very context that it
//! received; one that traces itself sends a new span of the same trace. Either way the trace names
//! the request, unless the process serves several requests of that trace at once.

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let Some(context) = &call.context else { return Testimony::Silent };
    let mut same_trace = vec![];
    let mut same_span = vec![];
    for server in scene.of_trace(call.started.pid, &context.trace_id) {
        let Some(theirs) = &server.context else { continue };
        if server.started.order > call.started.order || Some(server.id) == call.peer {
            continue;
        }
        same_trace.push(server);
        if theirs.span_id == context.span_id {
            same_span.push(server);
        }
    }
    let named = if same_span.is_empty() { same_trace } else { same_span };
    let open = |server: &&&Node| server.ended.is_none_or(|ended| ended >= call.started.time);
    let still: Vec<_> = named.iter().filter(open).map(|server| server.id).collect();
    let named =
        if still.is_empty() { named.iter().map(|server| server.id).collect() } else { still };
    match named[..] {
        [] => Testimony::Silent,
        [server] => Testimony::Names(server, 1.0),
        _ => Testimony::Among(named),
    }
}
