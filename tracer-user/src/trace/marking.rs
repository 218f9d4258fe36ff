//! What went wrong beside the exchanges themselves, and which of them it touched.

use crate::exchange::{ExchangeId, Incomplete};

use super::Clock;
use super::assembly::Assembly;

impl Assembly {
    /// Records of whatever process were lost between these boot times.
    pub fn lost(&mut self, since: u64, until: u64) {
        self.full.add(since, until);
    }

    /// Between these boot times the wall clock was set; traces that start later are told by `clock`.
    pub fn clock_stepped(&mut self, since: u64, until: u64, clock: Clock) {
        self.clock_steps += 1;
        self.clocks.step(until.saturating_add(1), clock);
        self.steps.add(since, until);
    }

    /// Adds what went wrong while an exchange was open, and tells its tree.
    pub(super) fn mark(&mut self, id: ExchangeId) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let Some(exchange) = &mut node.exchange else { return };
        let (started, ended) = (exchange.started.time, exchange.ended.time);
        if self.full.touch(started, ended) {
            exchange.incomplete.insert(Incomplete::RingFull);
        }
        // The whole trace has the clock of its beginning, so a step before it counts as well.
        if self.steps.touch(started.min(node.tree.started()), ended) {
            exchange.incomplete.insert(Incomplete::ClockStep);
        }
        node.tree.lack(exchange.incomplete);
    }
}
