//! What a format brings: how a batch is written and sent, and what the answer means.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::counters::Reason;
use crate::trace::Span;

/// A batch in the form in which it is sent, as often as needed.
pub(super) struct Payload<T> {
    pub(super) body: T,
    /// Spans of the batch that have no valid form, and so are not in the body.
    pub(super) invalid: u64,
}

/// The backend's answer to a batch, in the terms of the one loop that all exporters share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Taken, but for so many spans.
    Accepted { rejected: u64, why: Option<String> },
    /// May go well later. `answered`: there is a backend, and it said no; `after`: not sooner.
    Again { answered: bool, after: Option<Duration>, why: String },
    /// Too large in one piece.
    Split { why: String },
    /// Never.
    Dropped { reason: Reason, why: String },
}

/// One backend in one format.
pub(super) trait Sink: Send + 'static {
    /// A written batch.
    type Body: Send + Sync;
    /// How often [`pass`](Self::pass) is wanted when nothing comes, if at all.
    const PERIOD: Option<Duration> = None;

    /// Writes a batch.
    fn encode(&self, spans: &[Arc<Span>]) -> Payload<Self::Body>;

    /// Sends it once. It may be cancelled at any point where it awaits.
    fn deliver(&mut self, body: &Self::Body) -> impl Future<Output = Verdict> + Send;

    /// Time passed and nothing came; `over`: nothing will.
    fn pass(&mut self, over: bool) -> impl Future<Output = ()> + Send {
        let _ = over;
        std::future::ready(())
    }
}
