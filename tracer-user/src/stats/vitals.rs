//! What the capture thread tells of itself while it runs, for whoever looks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracer_common::counter::Counter;

use crate::trace::LeftOut;

/// The thread tells this much more often; one that has not for so long is stuck or gone.
const SILENCE: Duration = Duration::from_secs(5);

/// Counts since the start.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Records that came through the ring buffer.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Spans that have left the pipeline.
    pub spans: u64,
    /// Every loss by name.
    pub losses: BTreeMap<&'static str, u64>,
    /// What the kernel side counts, losses and others.
    pub counters: Vec<(Counter, u64)>,
    /// Exchanges left out on purpose.
    pub left_out: LeftOut,
    /// Things that the pipeline remembers now.
    pub remembered: usize,
}

/// The last tally; none before the probes are attached.
#[derive(Debug)]
pub struct Vitals {
    started: Instant,
    told: Mutex<Option<(Instant, Arc<Tally>)>>,
}

impl Default for Vitals {
    fn default() -> Self {
        Self { started: Instant::now(), told: Mutex::default() }
    }
}

impl Vitals {
    /// What is so now.
    pub fn tell(&self, tally: Tally) {
        let told = Some((Instant::now(), Arc::new(tally)));
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }

    /// What was told last; nothing but zeroes before that.
    #[must_use]
    pub fn tally(&self) -> Arc<Tally> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.as_ref().map(|(_, tally)| tally.clone()).unwrap_or_default()
    }

    /// Whether something was told of late.
    #[must_use]
    pub fn is_live(&self) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.as_ref().is_some_and(|(at, _)| at.elapsed() < SILENCE)
    }

    /// How long the tracer has been running.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::{Tally, Vitals};

    #[test]
    fn one_who_has_told_nothing_is_not_live() {
        let vitals = Vitals::default();
        assert!(!vitals.is_live());
        assert_eq!(vitals.tally().spans, 0);
        vitals.tell(Tally { spans: 3, ..Tally::default() });
        assert!(vitals.is_live());
        assert_eq!(vitals.tally().spans, 3);
    }
}
