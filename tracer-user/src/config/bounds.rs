//! What the settings mean for the pipeline.

use std::time::Duration;

use super::{Settings, WhenInstrumented};
use crate::pipeline;
use crate::protocol::http1;
use crate::trace::LeaveOut;

pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Settings {
    /// The same for a replay: what neither flags nor the file say is as it was when it was recorded.
    #[must_use]
    pub fn pipeline_over(&self, recorded: pipeline::Settings) -> pipeline::Settings {
        self.given.over(recorded)
    }

    /// The pipeline's share of them.
    #[must_use]
    pub fn pipeline(&self) -> pipeline::Settings {
        pipeline::Settings {
            connections: self.limits.max_connections as usize,
            open_exchanges: self.limits.max_open_exchanges as usize,
            http1: http1::Limits {
                max_head: self.limits.max_head as usize,
                max_headers: self.limits.max_headers.into(),
                ..http1::Limits::default()
            },
            backing: self.backing,
            settle: nanoseconds(self.settle),
            max_hold: nanoseconds(self.max_hold),
            min_confidence: self.min_confidence,
            without: self.without,
            leave_out: LeaveOut {
                instrumented: self.when_instrumented == WhenInstrumented::Skip,
                unsampled: self.respect_sampled,
            },
            ports_left_out: !self.filter.ports().is_empty(),
        }
    }
}
