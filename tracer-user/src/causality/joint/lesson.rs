//! What one request shows of its route.

use super::density::Bin;
use super::links::{Act, Cause, Link};

/// Which calls a request makes: keys in ascending order, with the number of calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CallSet(Vec<(u8, u8)>);

/// What one request, with the calls that it is thought to have made, shows of its route.
#[derive(Debug, Default)]
pub(super) struct Lesson {
    /// Gaps, and how likely each was the one that counted.
    pub(super) gaps: Vec<(Link, Bin, f32)>,
    /// What was the latest event when something was done.
    pub(super) steps: Vec<(Cause, Act)>,
    /// Key of each call that was made when one had just ended, and whether others went on.
    pub(super) beside: Vec<(u8, bool)>,
    /// Which calls it made.
    pub(super) set: CallSet,
    /// Key, number of calls, and how many went on when the response was written.
    pub(super) counts: Vec<(u8, u8, u8)>,
    /// Duration in nanoseconds.
    pub(super) busy: f32,
}

impl CallSet {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn add(&mut self, key: u8) {
        match self.0.binary_search_by_key(&key, |kind| kind.0) {
            Ok(at) => {
                if let Some(kind) = self.0.get_mut(at) {
                    kind.1 = kind.1.saturating_add(1);
                }
            }
            Err(at) => self.0.insert(at, (key, 1)),
        }
    }

    /// Takes one away; those that are left keep their places.
    pub(super) fn take(&mut self, key: u8) {
        if let Some(kind) = self.0.iter_mut().find(|kind| kind.0 == key) {
            kind.1 = kind.1.saturating_sub(1);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, u8)> {
        self.0.iter().copied()
    }
}
