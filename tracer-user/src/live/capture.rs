//! The thread between the ring buffer and the exporters' queues.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::time::{ClockId, clock_gettime};
use tracer_common::counter::Counter;
use tracer_common::filter::{SKIP, TRACE};
use tracing::{info, warn};

use crate::kernel::Probes;
use crate::pipeline::Verdict;
use crate::recording::Tap;
use crate::stats::{Tally, Vitals};

use super::directory::Processes;
use super::existing::{self, Again};
use super::outlets::Outlets;

/// How long the ring buffer is left alone when it was empty; the probes wake the reader earlier
/// only when much is waiting.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
/// Time passes for the pipeline only up to this long ago, since a record can be this late.
const LAG: u64 = 50_000_000;
/// Records handled before spans are handed on.
const BATCH: usize = 4096;
/// How often the wall clock is compared.
const CHECK: u64 = 250_000_000;
/// Kernel-side counters that stand for something lost.
const LOSSES: [Counter; 2] = [Counter::RingFull, Counter::NoStorage];

/// What a run has to tell at its end.
pub(super) struct Balance {
    /// Every loss by name.
    pub(super) losses: BTreeMap<&'static str, u64>,
    /// Processes with the operations whose bytes no probe could read.
    pub(super) unreadable: Vec<(String, u64)>,
}

/// Runs until told to stop.
pub(super) fn capture(
    mut probes: Probes,
    pipeline: &mut Tap<Processes>,
    outlets: &Outlets,
    vitals: &Vitals,
    stop: &AtomicBool,
) -> Result<Balance> {
    pipeline.existing(existing::incoming(), true);
    let mut again = Again::default();
    let mut full = Full { checked: boot_now(), count: 0 };
    let mut checked = boot_now();
    let mut tally = Tally::default();
    loop {
        let stopping = stop.load(Ordering::Relaxed) || pipeline.is_over();
        let drained = drain(&mut probes, pipeline, &mut tally);
        full.check(&probes, pipeline)?;
        let now = boot_now();
        if drained {
            pipeline.advance(now.saturating_sub(LAG));
        }
        tally.spans += outlets.send(pipeline.take_spans());
        for (pid, verdict) in pipeline.take_verdicts() {
            tell(&mut probes, pid, verdict);
        }
        if now - checked > CHECK {
            probes.flush_log();
            let (boot, unix) = both_clocks();
            pipeline.clock(checked, boot, unix);
            checked = now;
            tally.counters = probes.counts()?;
            tally.losses = losses(&tally.counters, pipeline);
            tally.losses.extend(outlets.losses().filter(|(_, count)| *count > 0));
            tally.left_out = pipeline.left_out();
            tally.remembered = pipeline.remembered();
            vitals.tell(tally.clone());
        }
        if pipeline.waits_for_existing()
            && let Some(connections) = again.poll(now)
        {
            pipeline.existing(connections, false);
        }
        if stopping && drained {
            break;
        }
        if drained {
            // Interrupted or not: the ring is looked at again.
            let _ = poll(&mut [PollFd::new(&probes.as_fd(), PollFlags::IN)], Some(&PAUSE));
        }
    }
    pipeline.stop(boot_now());
    tally.spans += outlets.send(pipeline.take_spans());
    let left_out = pipeline.left_out();
    info!(spans = left_out.own, "left out what the tracer's own exports caused");
    info!(spans = left_out.instrumented, "left out of processes that trace themselves");
    info!(spans = left_out.unsampled, "left out of traces that are not sampled");
    info!(spans = left_out.lookups, "lookups of names left out for which no request has waited");
    let losses = losses(&probes.counts()?, pipeline);
    // The probes count for processes that nobody has judged yet, too.
    let name = |(pid, count)| {
        let service = pipeline.service(pid, boot_now())?;
        Some((format!("{service} (pid {pid})"), count))
    };
    let unreadable = probes.unreadable().into_iter().filter_map(name).collect();
    Ok(Balance { losses, unreadable })
}

/// What is known of lost records.
struct Full {
    /// When the count was read last, by the boot clock.
    checked: u64,
    count: u64,
}

impl Full {
    /// After every round, so that few exchanges are suspected of lacking something.
    fn check(&mut self, probes: &Probes, pipeline: &mut Tap<Processes>) -> Result<()> {
        let before = boot_now();
        let count = probes.count(Counter::RingFull)?;
        if count > self.count {
            self.count = count;
            pipeline.lost_records(self.checked, boot_now());
        }
        self.checked = before;
        Ok(())
    }
}

/// Handles up to [`BATCH`] records; whether that was all.
fn drain(probes: &mut Probes, pipeline: &mut Tap<Processes>, tally: &mut Tally) -> bool {
    for _ in 0..BATCH {
        let Some(record) = probes.next_record() else { return true };
        tally.records += 1;
        tally.bytes += record.len() as u64;
        pipeline.record(&record);
    }
    false
}

/// Every loss by name, of the kernel side and of the pipeline.
fn losses(counters: &[(Counter, u64)], pipeline: &Tap<Processes>) -> BTreeMap<&'static str, u64> {
    let mut losses = pipeline.losses();
    for (counter, count) in counters {
        if LOSSES.contains(counter) && *count > 0 {
            losses.insert(counter.name(), *count);
        }
    }
    losses
}

fn tell(probes: &mut Probes, pid: u32, verdict: Verdict) {
    let told = match verdict {
        Verdict::Known { wanted } => probes.judge(pid, if wanted { TRACE } else { SKIP }),
        Verdict::Ended => {
            probes.forget(pid);
            Ok(())
        }
    };
    if let Err(error) = told {
        warn!(%error, pid, "filter");
    }
}

/// `CLOCK_BOOTTIME` and the time of day, read as much at once as can be: of several attempts the one
/// with the least time between.
pub(super) fn both_clocks() -> (u64, u64) {
    let attempt = || {
        let (before, unix, after) = (boot_now(), unix_now(), boot_now());
        (after - before, before, unix)
    };
    let (_, boot, unix) = [attempt(), attempt(), attempt()].into_iter().min().unwrap_or_default();
    (boot, unix)
}

/// Nanoseconds of `CLOCK_BOOTTIME`.
pub(super) fn boot_now() -> u64 {
    nanoseconds(ClockId::Boottime)
}

/// Nanoseconds since the Unix epoch.
fn unix_now() -> u64 {
    nanoseconds(ClockId::Realtime)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32).as_nanos() as u64
}
