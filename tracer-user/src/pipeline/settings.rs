//! What a pipeline is told to do.

use crate::causality;
use crate::protocol::{Protocols, backing, http1};
use crate::trace::LeaveOut;

/// What the pipeline does and how much it may remember. Durations in nanoseconds.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Connections.
    pub connections: usize,
    /// Open exchanges.
    pub open_exchanges: usize,
    /// Of the protocol engine.
    pub http1: http1::Limits,
    /// What is followed of backing services.
    pub backing: backing::Settings,
    /// How long an exchange waits for late evidence.
    pub settle: u64,
    /// How long it is held back at most.
    pub max_hold: u64,
    /// Edges below are not made.
    pub min_confidence: f64,
    /// Kinds of evidence that are not used.
    pub without: causality::Kinds,
    /// What is left out because of what processes say themselves.
    pub leave_out: LeaveOut,
    /// Connections are left out by port, so that what a process does is never all seen.
    pub ports_left_out: bool,
}

impl Settings {
    /// What is followed.
    #[must_use]
    pub fn protocols(&self) -> Protocols {
        Protocols { http1: self.http1.clone(), backing: self.backing }
    }
}

/// No boot clock gets there in 146 years; bounded so that no sum of a time and durations overflows.
pub(crate) const LATEST: u64 = u64::MAX / 4;
