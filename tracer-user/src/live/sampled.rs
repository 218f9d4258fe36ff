//! What a run samples.

use std::sync::Arc;

use anyhow::Result;

use crate::config::{Sampled, Settings};
use crate::export::{Exporters, Weighed};
use crate::sampling::{Came, Gate, Room, Tally, When};
use crate::store::Store;
use crate::trace::Wait;

/// Bytes of spans whose traces are not decided yet.
const HELD: usize = 64 << 20;

/// Starts it, if anything is or may be sampled; what is kept goes where it should.
///
/// # Errors
/// There can be no more threads.
pub(super) fn start(
    settings: &Settings,
    store: Option<&Arc<Store>>,
    exporters: &Arc<Exporters>,
) -> Result<Option<Gate>> {
    let what = settings.sampling.what;
    let store = store.filter(|_| what.store()).cloned();
    let exporters = Some(exporters.clone()).filter(|_| what.exports());
    let when = match (&store, what) {
        (None, _) if exporters.is_none() => return Ok(None),
        (Some(store), Sampled::Auto) => {
            let store = store.clone();
            When::TurnsOver(Box::new(move || room(&store)))
        }
        _ => When::Always,
    };
    let wait = Wait { quiet: settings.settle, hold: settings.max_hold, bytes: HELD };
    let sink = move |kept: Vec<Came>| {
        if let Some(exporters) = &exporters {
            // What services send themselves is theirs to export.
            let own = kept.iter().filter(|came| !came.outside);
            exporters.send(&own.map(|came| came.span.clone()).collect::<Vec<_>>());
        }
        if let Some(store) = &store {
            let kept: Vec<Weighed> = kept.into_iter().map(|came| came.span).collect();
            store.put_weighed(&kept);
        }
    };
    Ok(Some(Gate::start(settings.sampling.policy, wait, when, sink)?))
}

fn room(store: &Store) -> Room {
    let stats = store.stats();
    let (limit, age) = (stats.limits.bytes, stats.limits.age);
    Room { limit, age, spans: stats.spans, bytes: stats.bytes }
}

/// Said at the end.
pub(super) fn summary(tally: &Tally) -> String {
    if tally.kept() + tally.left_out == 0 {
        return String::new();
    }
    format!(
        "sampled: {} of {} traces taken ({} failed, {} slow, {} of the rest); {} spans left out\n",
        tally.kept(),
        tally.kept() + tally.left_out,
        tally.failed,
        tally.slow,
        tally.rest,
        tally.left_out_spans,
    )
}
