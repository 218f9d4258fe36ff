//! Evidence from headers: the call carries a context that came in with a request.
//!
//! A service that passes headers on unchanged, as behind a mesh, sends the very context that it
//! received; one that traces itself sends a new span of the same trace. Either way the trace names
//! the request, unless the process serves several requests of that trace at once: then the span
//! does, or its parent, and where several requests came with that, too (constants, retries, one
//! header for parallel calls), nothing does.

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;

/// Its name.
pub(super) const METHOD: &str = "header";

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let Some(context) = &call.context else { return Testimony::Silent };
    let mut same_trace = vec![];
    for server in scene.of_trace(call.started.pid, &context.trace_id) {
        if server.started.order <= call.started.order && Some(server.id) != call.peer {
            same_trace.push(server);
        }
    }
    // Forwarded as it came; or by an SDK that shares its server span's id with its caller, as B3
    // has it, and names it as the parent; or by one that does not.
    let with = |id: Option<[u8; 8]>| -> Vec<&Node> {
        let carries =
            |server: &&&Node| server.context.as_ref().is_some_and(|theirs| theirs.span_id == id);
        same_trace.iter().filter(carries).copied().collect()
    };
    let forwarded = with(context.span_id);
    let shared = context.parent_id.map(|id| with(Some(id))).unwrap_or_default();
    let named = [forwarded, shared].into_iter().find(|some| !some.is_empty());
    let named = named.unwrap_or(same_trace);
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

/// Why it says nothing.
pub(super) fn silence(_: &Scene<'_>, call: &Node) -> &'static str {
    match call.context {
        None => "the call carries no trace context",
        Some(_) => "no request brought the trace that the call carries",
    }
}
