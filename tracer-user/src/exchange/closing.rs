//! Connections whose end nothing tells but that they are quiet.
//!
//! Those that are gone while something that they received is still unread: a peer that closes can end a
//! half-closed connection for good, and a reset ends any, before this side has read what came before that
//! (Linux, tcp_fin and tcp_reset): its reads come later. And sockets of UDP.

use std::collections::VecDeque;

use crate::connection::{Cookie, Moment};

/// How long after its end, or after the last read from it, a connection is given up; nanoseconds.
const LINGER: u64 = 1_000_000_000;
/// The same of a socket of UDP, after the last operation on it. Resolvers wait for 5 s before they ask once
/// more (resolv.conf(5)), mostly on the same one.
const UNANSWERED: u64 = 11_000_000_000;

/// Each with the time since when nothing has happened, in that order, and its end.
#[derive(Debug)]
pub(super) struct Closing {
    linger: u64,
    waiting: VecDeque<(u64, Cookie, Moment)>,
}

impl Closing {
    /// For connections that are gone.
    pub(super) fn gone() -> Self {
        Self { linger: LINGER, waiting: VecDeque::new() }
    }

    /// For sockets of UDP.
    pub(super) fn datagrams() -> Self {
        Self { linger: UNANSWERED, ..Self::gone() }
    }

    /// A connection ended `at` this moment; at the boot time `since` it was last read from.
    pub(super) fn enter(&mut self, cookie: Cookie, at: Moment, since: u64) {
        self.waiting.push_back((since, cookie, at));
    }

    /// The next connection that is quiet long enough by `now`: since when, and its end.
    pub(super) fn due(&mut self, now: u64) -> Option<(u64, Cookie, Moment)> {
        let (since, ..) = self.waiting.front()?;
        if since.saturating_add(self.linger) > now { None } else { self.waiting.pop_front() }
    }

    /// How many are waited for.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}
