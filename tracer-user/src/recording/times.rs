//! Times of a recording, held against those of their neighbours: one from far in the future would
//! make the pipeline take all that follows for long overdue.

use std::collections::VecDeque;

use tracer_common::record::Header;
use zerocopy::{FromBytes as _, IntoBytes as _};

use crate::replay::Input;

/// How far records may stand out of order. Those of several processors are off by milliseconds.
const SLACK: u64 = 60_000_000_000;

/// Looks at the times of inputs twice: when they are read, and when they leave.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// Of the inputs that have been read and have not left, in order, those that have a time.
    ahead: VecDeque<u64>,
    latest: u64,
    clamped: u64,
}

impl Times {
    /// An input was read.
    pub(super) fn look_ahead(&mut self, input: &Input) {
        self.ahead.extend(time(input));
    }

    /// It leaves, with a time that is no more than a minute after one of those that follow.
    pub(super) fn check(&mut self, input: &mut Input) {
        let Some(at) = time(input) else { return };
        self.ahead.pop_front();
        let next = self.ahead.iter().min().copied().unwrap_or(u64::MAX);
        let most = next.saturating_add(SLACK).max(self.latest);
        let right = if at > most { next.max(self.latest) } else { at };
        if right != at {
            self.clamped += 1;
            set_time(input, right);
        }
        self.latest = self.latest.max(right);
    }

    /// How many were changed.
    pub(super) fn clamped(&self) -> u64 {
        self.clamped
    }
}

/// When it happened, of those that have a time that the pipeline goes by.
pub(super) fn time(input: &Input) -> Option<u64> {
    match input {
        Input::Record(bytes) => Header::read_from_prefix(bytes).ok().map(|(header, _)| header.time),
        Input::Advance(now) | Input::Stop(now) => Some(*now),
        Input::Lost { .. }
        | Input::Existing { .. }
        | Input::Process { .. }
        | Input::Clock { .. } => None,
    }
}

fn set_time(input: &mut Input, to: u64) {
    match input {
        Input::Record(bytes) => {
            if let Ok((mut header, _)) = Header::read_from_prefix(bytes) {
                header.time = to;
                // It was just read from there, so it fits.
                let _ = header.write_to_prefix(bytes);
            }
        }
        Input::Advance(now) | Input::Stop(now) => *now = to,
        Input::Lost { .. }
        | Input::Existing { .. }
        | Input::Process { .. }
        | Input::Clock { .. } => {}
    }
}
