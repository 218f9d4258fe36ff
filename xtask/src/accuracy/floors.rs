//! What must hold, as data, and what of it does not.

use e2e::accuracy::{BANDS, Tally};

use super::cell::{Headers, Mode, Work};
use super::results::{Measured, Results};
use super::runtimes::{self, Family, RUNTIMES};
use super::timing::Timing;

/// Floors are for this many user requests at once.
const CONCURRENCY: u16 = 8;
/// Of the edges made by default, at most this share is wrong ...
const MOST_WRONG: f64 = 0.05;
/// ... and it is at most this much above 1 minus their mean confidence.
const WRONG_MARGIN: f64 = 0.01;
/// Where a floor is at least this (percent), ...
const CERTAIN: f64 = 99.0;
/// ... this share of the edges is made by default ...
const LEAST_MADE: f64 = 0.99;
/// ... and at most this share of all requests lands in a wrong trace.
const MOST_STRAY: f64 = 0.001;
/// A band of confidence with fewer edges says too little.
const BAND_EDGES: u64 = 200;
/// By how much its share of right edges may differ from their mean confidence.
pub(super) const BAND_MARGIN: f64 = 0.05;

/// By timing alone: percent of a file's traces of which every edge is right that TraceWeaver's own
/// evaluation judges, at least. They are set below what it reaches itself there (99.4 and 93), and of the
/// other edges it says nothing: it asserts that a service has one caller ...
const TIMING: [(&str, f64); 2] = [("hotel_load75", 99.0), ("media_load75", 90.0)];
/// ... in less CPU time a trace than this, in microseconds.
const TIMING_CPU: f64 = 1000.0;

/// Percent of edges that are right with every best guess made: without timers, calls in sequence
/// and in parallel; then the same with timers.
const fn right(family: Family) -> [f64; 4] {
    match family {
        Family::Blocking => [100.0, 60.0, 100.0, 55.0],
        Family::Go => [99.9, 99.9, 99.9, 99.9],
        Family::Asyncio => [99.5, 97.0, 99.5, 95.0],
        Family::Greenlets => [99.0, 60.0, 99.0, 55.0],
        Family::Node => [99.9, 99.9, 80.0, 58.0],
        Family::Tokio => [99.5, 95.0, 88.0, 70.0],
        Family::Executors => [55.0, 50.0, 50.0, 42.0],
    }
}

/// The floor of a cell, in percent, if there is one.
pub(super) fn floor(measured: &Measured) -> Option<f64> {
    let cell = &measured.cell;
    if cell.headers != Headers::None || cell.concurrency == 1 {
        return Some(100.0);
    }
    if cell.concurrency != CONCURRENCY {
        return None;
    }
    let [seq, par, timers_seq, timers_par] = right(runtimes::find(&cell.runtime)?.family);
    Some(match (cell.work, cell.mode) {
        (Work::None, Mode::Seq) => seq,
        (Work::None, Mode::Par) => par,
        (Work::Timers, Mode::Seq) => timers_seq,
        (Work::Timers, Mode::Par) => timers_par,
    })
}

/// Percent; of nothing, all.
pub(super) fn percent(part: u64, of: u64) -> f64 {
    if of == 0 { 100.0 } else { 100.0 * part as f64 / of as f64 }
}

/// Everything that does not hold, a line each.
pub(super) fn failures(results: &Results) -> Vec<String> {
    let mut failures = vec![];
    for measured in &results.cells {
        let name = measured.cell.name();
        failures.extend(cell(measured).into_iter().map(|failure| format!("{name}: {failure}")));
    }
    for (name, tally) in pools(results) {
        failures
            .extend(calibration(&tally).into_iter().map(|failure| format!("{name}: {failure}")));
    }
    failures.extend(results.timing.iter().flat_map(timing));
    failures
}

fn timing(timing: &Timing) -> Vec<String> {
    let floor = TIMING.iter().find(|(file, _)| *file == timing.file);
    let Some((_, floor)) = floor else { return vec![] };
    let right = percent(timing.right_as_published, timing.traces);
    let (file, cpu, mut failures) = (&timing.file, timing.cpu_us_per_trace, vec![]);
    if right < *floor {
        failures.push(format!("{file}: {right:.2} % of the traces are right, floor {floor}"));
    }
    if cpu >= TIMING_CPU {
        failures.push(format!("{file}: {cpu:.0} µs of CPU a trace"));
    }
    failures
}

/// Whose calibration is judged: all cells together, and each runtime's.
pub(super) fn pools(results: &Results) -> Vec<(&'static str, Tally)> {
    let sum = |wanted: &dyn Fn(&str) -> bool| {
        let mut sum = Tally::default();
        results
            .cells
            .iter()
            .filter(|it| wanted(&it.cell.runtime))
            .for_each(|it| sum.add(&it.every));
        sum
    };
    let mut pools = vec![("all", sum(&|_| true))];
    pools.extend(RUNTIMES.iter().map(|it| (it.name, sum(&|name| name == it.name))));
    pools.retain(|(_, tally)| tally.counts().made() > 0);
    pools
}

fn cell(measured: &Measured) -> Vec<String> {
    let mut failures = vec![];
    let (all, sure) = (measured.every.counts(), measured.default.counts());
    let certain = measured.cell.headers != Headers::None || measured.cell.concurrency == 1;
    // Where all must be right, it must be so by default.
    let found = percent(if certain { sure.right } else { all.right }, all.edges);
    let floor = floor(measured);
    if let Some(floor) = floor.filter(|floor| found < *floor) {
        failures.push(format!("{found:.2} % right, floor {floor}"));
    }
    let wrong = (sure.wrong_same + sure.wrong_trace) as f64 / sure.made().max(1) as f64;
    let doubt = 1.0 - measured.default.mean_confidence().unwrap_or(1.0);
    if wrong > (doubt + WRONG_MARGIN).min(MOST_WRONG) {
        let (wrong, doubt) = (100.0 * wrong, 100.0 * doubt);
        failures
            .push(format!("by default {wrong:.2} % of the edges made are wrong, said {doubt:.2}"));
    }
    if floor.is_some_and(|floor| floor >= CERTAIN) {
        let made = sure.made() as f64 / all.edges.max(1) as f64;
        if made < LEAST_MADE {
            failures.push(format!("by default only {:.2} % of the edges are made", 100.0 * made));
        }
        let stray = sure.wrong_trace + sure.stray_roots;
        if stray as f64 > MOST_STRAY * (all.edges + measured.every.roots) as f64 {
            failures.push(format!("by default {stray} requests are in a wrong trace"));
        }
    }
    failures
}

fn calibration(tally: &Tally) -> Vec<String> {
    let bands = (0..BANDS).map(|band| (band, tally.band(band)));
    let full = bands.filter(|(_, band)| band.edges() >= BAND_EDGES);
    let shares = full.map(|(at, band)| {
        let edges = band.edges() as f64;
        (at, band.confidence / edges, band.right as f64 / edges)
    });
    let off = shares.filter(|(_, said, right)| (said - right).abs() > BAND_MARGIN);
    let tenth = |at: usize| at as f64 / BANDS as f64;
    off.map(|(at, said, right)| {
        let (from, to) = (tenth(at), tenth(at + 1));
        format!("confidence {from:.1} to {to:.1}: said {said:.3}, {right:.3} are right")
    })
    .collect()
}

#[cfg(test)]
mod tests;
