//! Hears the witnesses of one call and decides.

use crate::exchange::ExchangeId;

use super::evidence::{KINDS, Testimony};
use super::hearing::{Hearing, Verdict};
use super::node::Node;
use super::{Scene, alone, timing};

/// Which request a call belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The call.
    pub call: ExchangeId,
    /// The request that caused it, how that was decided, and how sure that is (0 to 1); `None`
    /// makes it a root.
    pub parent: Option<(ExchangeId, &'static str, f64)>,
    /// Where the context that the call carries comes from.
    pub context: Provenance,
    /// What led to it, where that was asked for.
    pub hearing: Option<Box<Hearing<ExchangeId>>>,
}

/// Where the context of a call comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// There is none, or it was passed on, or that can't be told.
    Unknown,
    /// The call's own process made it: an SDK there has a span for it.
    Made,
    /// The process sends it with whatever it does: it tells nothing.
    Constant,
}

/// What is told of a call.
pub(super) fn decision(call: &Node, parent: Option<(ExchangeId, &'static str, f64)>) -> Decision {
    let made = call.client().is_some_and(|client| client.originated);
    let context = if made { Provenance::Made } else { Provenance::Unknown };
    Decision { call: call.id, parent, context, hearing: None }
}

/// The strongest kind that is sure enough wins; a weaker one never overrides it, and may only
/// choose among what a stronger one has left.
pub(super) fn weigh(
    scene: &Scene<'_>,
    call: &Node,
    min_confidence: f64,
) -> Option<(ExchangeId, &'static str, f64)> {
    let mut among: Option<Vec<ExchangeId>> = None;
    for kind in &KINDS {
        match kind.testify(scene, call) {
            Testimony::Silent => {}
            Testimony::Outlives => return None,
            Testimony::Among(requests) => {
                among.get_or_insert(requests);
            }
            Testimony::Names(request, confidence) => {
                let verdict = judge(scene, call, kind.method, request, among.as_deref());
                if verdict == Verdict::Decides && confidence >= min_confidence {
                    return Some((request, kind.method, confidence));
                }
            }
        }
    }
    None
}

/// Whether a witness that is sure enough may name this request. `among`: those that a stronger one
/// has left.
pub(super) fn judge(
    scene: &Scene<'_>,
    call: &Node,
    method: &str,
    request: ExchangeId,
    among: Option<&[ExchangeId]>,
) -> Verdict {
    if !fits(scene, call, request) {
        Verdict::Impossible
    } else if !crosses(scene, call, request, method) {
        Verdict::OtherTrace
    } else if among.is_some_and(|among| !among.contains(&request)) {
        Verdict::Excluded
    } else {
        Verdict::Decides
    }
}

/// What always holds: a call is not caused by the request that it is itself, nor by one that began
/// later.
pub(super) fn fits(scene: &Scene<'_>, call: &Node, request: ExchangeId) -> bool {
    scene.node(request).is_some_and(|request| {
        call.peer != Some(request.id) && request.started.order < call.started.order
    })
}

/// Where the two carry different traces, the call belongs to another request, or to no request at
/// all, unless its own process has just begun that trace and a context of execution says that it
/// did so for this request. That nothing else was going on says too little. A load balancer's trace
/// without a span is none that a service that traces itself would go on with.
pub(super) fn crosses(scene: &Scene<'_>, call: &Node, request: ExchangeId, method: &str) -> bool {
    let theirs = scene.node(request).and_then(|request| request.context.as_ref());
    let (Some(ours), Some(theirs)) = (&call.context, theirs) else { return true };
    let begun = call.client().is_some_and(|client| client.originated);
    ours.trace_id == theirs.trace_id
        || ours.span_id.is_some() != theirs.span_id.is_some()
        || (begun && method != alone::METHOD && method != timing::METHOD)
}
