//! What may be waited for.

use super::super::{Failure, Outcome};

/// A call that waits for its answer.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) call: u64,
    pub(super) replied: bool,
    /// Nothing but the end of its group is missing.
    pub(super) done: bool,
    pub(super) data_rows: u64,
    pub(super) outcome: Outcome,
}

impl Pending {
    pub(super) fn new(call: u64) -> Self {
        Self { call, replied: false, done: false, data_rows: 0, outcome: Outcome::default() }
    }
}

/// What an answer belongs to.
#[derive(Debug)]
pub(super) enum Item {
    /// Up to `ReadyForQuery` all of it is this call's.
    UntilReady(Pending),
    /// Up to `CommandComplete` or so.
    Execute(Pending),
    /// A statement that is prepared while others may follow; with the description of it, if that is set.
    Prepare(Pending, bool),
    /// `ReadyForQuery`.
    Sync,
    /// What comes before the first `ReadyForQuery`.
    Startup,
    /// Of more calls than are remembered: so many `ReadyForQuery`, and if `open`, another for which the
    /// client has not yet asked.
    Passed { syncs: u64, open: bool },
}

impl Item {
    /// The call whose answer it is.
    pub(super) fn pending(&mut self) -> Option<&mut Pending> {
        match self {
            Item::UntilReady(pending) | Item::Execute(pending) | Item::Prepare(pending, _) => {
                Some(pending)
            }
            Item::Sync | Item::Startup | Item::Passed { .. } => None,
        }
    }
}

/// How a call's answer ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    Ready,
    /// The same, by a `Sync`: an error may have come before.
    Synced,
    Complete,
    /// `ParseComplete`; the description, if that is set.
    Prepared(bool),
}

/// What an answer says.
#[derive(Debug)]
pub(super) enum Says {
    /// Something that does not end anything.
    More,
    DataRow,
    Parsed,
    /// `RowDescription` or `NoData`.
    Described,
    /// `CommandComplete` and the like.
    Complete(Option<u64>),
    Suspended,
    Error(Failure),
    /// The same, and the connection is at its end.
    Fatal(Failure),
    CopyIn,
    /// What follows has no end, and both sides talk.
    CopyBoth,
    Ready,
}
