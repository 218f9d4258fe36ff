//! Names for what a request goes through.

/// Keys of calls that are told apart in one process; the last stands for all others.
pub(super) const MAX_KEYS: usize = 16;
/// What happens to a request, as a cause: it is read, a call of a key begins, one ends.
pub(super) const CAUSES: usize = 1 + 2 * MAX_KEYS;
/// What the process does: it begins a call of a key, or it answers.
pub(super) const ACTS: usize = MAX_KEYS + 1;

/// An event of a request that may be the cause of what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cause(pub(super) u8);

/// Something that the process does for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Act(pub(super) u8);

impl Cause {
    pub(super) const READ: Self = Self(0);

    pub(super) fn begins(key: u8) -> Self {
        Self(1 + 2 * key)
    }

    pub(super) fn ends(key: u8) -> Self {
        Self(2 + 2 * key)
    }

    pub(super) fn is_end(self) -> bool {
        self != Self::READ && self.0.is_multiple_of(2)
    }
}

impl Act {
    pub(super) const ANSWER: Self = Self(MAX_KEYS as u8);

    pub(super) fn call(key: u8) -> Self {
        Self(key)
    }
}

/// From a cause, which is the latest event or is not, to an act.
pub(super) type Link = u16;

pub(super) fn link(cause: Cause, latest: bool, act: Act) -> Link {
    (usize::from(act.0) * CAUSES * 2 + usize::from(cause.0) * 2 + usize::from(latest)) as Link
}

/// Whether a link is from the latest event.
pub(super) fn is_latest(link: Link) -> bool {
    link % 2 == 1
}
