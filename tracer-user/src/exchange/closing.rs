//! Connections that are gone while something that they received is still unread.
//!
//! A peer that closes can end a half-closed connection for good, and a reset ends any, before this
//! side has read what came before that (Linux, tcp_fin and tcp_reset): its reads come later.

use std::collections::VecDeque;

use crate::connection::{Cookie, Moment};

/// How long after its end a connection is read from at most, in nanoseconds.
const LINGER: u64 = 2_000_000_000;

/// In the order in which they ended.
#[derive(Debug, Default)]
pub(super) struct Closing(VecDeque<(Cookie, Moment)>);

impl Closing {
    /// A connection has ended.
    pub(super) fn enter(&mut self, cookie: Cookie, at: Moment) {
        self.0.push_back((cookie, at));
    }

    /// The next connection that ended long enough before `now` (boot clock), and when.
    pub(super) fn due(&mut self, now: u64) -> Option<(Cookie, Moment)> {
        let (_, at) = self.0.front()?;
        if at.time.saturating_add(LINGER) > now { None } else { self.0.pop_front() }
    }

    /// How many are waited for.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
