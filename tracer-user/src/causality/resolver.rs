//! Hears the witnesses of one call and decides.

use crate::exchange::ExchangeId;

use super::Scene;
use super::evidence::{KINDS, Testimony};
use super::node::Node;

/// Which request a call belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// The call.
    pub call: ExchangeId,
    /// The request that caused it, how that was decided, and how sure that is (0 to 1); `None`
    /// makes it a root.
    pub parent: Option<(ExchangeId, &'static str, f64)>,
}

/// The strongest kind that is sure enough wins; a weaker one never overrides it, and may only
/// choose among what a stronger one has left.
pub(super) fn resolve(scene: &Scene<'_>, call: &Node, min_confidence: f64) -> Decision {
    let mut among: Option<Vec<ExchangeId>> = None;
    for (method, testify) in KINDS {
        match testify(scene, call) {
            Testimony::Silent => {}
            Testimony::Among(requests) => {
                among.get_or_insert(requests);
            }
            Testimony::Names(request, confidence) => {
                let allowed = among.as_ref().is_none_or(|among| among.contains(&request));
                if allowed && confidence >= min_confidence && fits(scene, call, request) {
                    return Decision { call: call.id, parent: Some((request, method, confidence)) };
                }
            }
        }
    }
    Decision { call: call.id, parent: None }
}

/// What always holds: a call is not caused by the request that it is itself, nor by one that began
/// later, nor by one of another trace.
fn fits(scene: &Scene<'_>, call: &Node, request: ExchangeId) -> bool {
    let Some(request) = scene.node(request) else { return false };
    let other_trace = match (&call.context, &request.context) {
        (Some(ours), Some(theirs)) => ours.trace_id != theirs.trace_id,
        _ => false,
    };
    call.peer != Some(request.id) && request.started.order < call.started.order && !other_trace
}
