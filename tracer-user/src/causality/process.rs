//! What causality remembers of a process and its threads.

use std::collections::{BTreeSet, HashMap};

use crate::connection::Cookie;
use crate::exchange::ExchangeId;

use super::strength::Share;

/// One process.
#[derive(Debug)]
pub(super) struct Process {
    /// Requests that it has not answered yet.
    pub(super) open: BTreeSet<ExchangeId>,
    pub(super) threads: HashMap<u32, Thread>,
    /// Incoming connections that were there before the tracer and have not been seen since.
    pub(super) unseen: u32,
    /// Incoming connections that carry what is not decoded.
    pub(super) undecoded: u32,
    /// Some connections are not traced because the user said so.
    pub(super) left_out: bool,
    /// When something of it was last lost (boot clock).
    pub(super) lost: Option<u64>,
    /// Calls during which the calling thread did nothing else.
    pub(super) blocking: Share,
    /// Requests that were read and answered by one thread that read no other between.
    pub(super) dedicated: Share,
    /// Requests with calls whose turns close: the response was written in the turn of a call's
    /// response, and that call was written in a turn of the request.
    pub(super) turns: Share,
}

/// One thread.
#[derive(Debug, Default)]
pub(super) struct Thread {
    /// Requests that it read and that are not answered.
    pub(super) reading: Vec<ExchangeId>,
    /// What it read last.
    pub(super) last_read: Option<ExchangeId>,
    last_cookie: Option<Cookie>,
    /// How often it went from one connection to another.
    pub(super) switches: u64,
}

impl Process {
    pub(super) fn new() -> Self {
        Self {
            open: BTreeSet::new(),
            threads: HashMap::new(),
            unseen: 0,
            undecoded: 0,
            left_out: false,
            lost: None,
            blocking: Share::guess(0.95, 2.0),
            dedicated: Share::guess(0.95, 2.0),
            turns: Share::guess(0.85, 1.0),
        }
    }

    pub(super) fn thread(&mut self, tid: u32) -> &mut Thread {
        self.threads.entry(tid).or_default()
    }

    /// Nothing that it was asked for since `since` can have escaped.
    pub(super) fn whole_since(&self, since: u64) -> bool {
        self.unseen == 0
            && self.undecoded == 0
            && !self.left_out
            && self.lost.is_none_or(|lost| lost < since)
    }
}

impl Thread {
    pub(super) fn operate(&mut self, cookie: Cookie) {
        if self.last_cookie.replace(cookie) != Some(cookie) {
            self.switches += 1;
        }
    }
}
