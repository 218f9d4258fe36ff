//! What belongs together.

use std::sync::Arc;

use super::super::sql::Described;
use crate::connection::Moment;

/// What the client has sent since the last `Sync`.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// The first message since the last `Execute`, and its position.
    pub(super) first: Option<(Moment, u64)>,
    /// The statement that it prepared last.
    pub(super) parsed: Option<Arc<Described>>,
    pub(super) bound: bool,
    pub(super) described: bool,
    pub(super) executed: bool,
}
