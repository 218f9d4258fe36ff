//! Commands that wait for their answers.

use std::sync::Arc;

use super::super::sql::Described;
use super::answer::Answer;

/// What an answer without an error changes.
#[derive(Debug)]
pub(super) enum Then {
    Nothing,
    Database(String),
    /// All that belonged to the session is gone.
    Reset(Option<String>),
    /// This statement can be executed.
    Prepared(Arc<Described>),
}

/// A command that waits for its answer.
#[derive(Debug)]
pub(super) struct Pending {
    /// Its number, if it is remembered.
    pub(super) call: Option<u64>,
    pub(super) answer: Answer,
    pub(super) replied: bool,
    pub(super) bytes: u64,
    pub(super) then: Then,
}
