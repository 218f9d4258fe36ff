//! Connections that are gone while something that they received is still unread.
//!
//! A peer that closes can end a half-closed connection for good, and a reset ends any, before this
//! side has read what came before that (Linux, tcp_fin and tcp_reset): its reads come later.

use std::collections::VecDeque;

use crate::connection::{Cookie, Moment};

/// How long after its end, or after the last read from it, a connection is given up; nanoseconds.
const LINGER: u64 = 1_000_000_000;

/// Each with the time since when nothing has happened, in that order, and its end.
#[derive(Debug, Default)]
pub(super) struct Closing(VecDeque<(u64, Cookie, Moment)>);

impl Closing {
    /// A connection ended `at` this moment; at the boot time `since` it was last read from.
    pub(super) fn enter(&mut self, cookie: Cookie, at: Moment, since: u64) {
        self.0.push_back((since, cookie, at));
    }

    /// The next connection that is quiet long enough by `now`: since when, and its end.
    pub(super) fn due(&mut self, now: u64) -> Option<(u64, Cookie, Moment)> {
        let (since, ..) = self.0.front()?;
        if since.saturating_add(LINGER) > now { None } else { self.0.pop_front() }
    }

    /// How many are waited for.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
