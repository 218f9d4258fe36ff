//! What is shown of a run at the page's port.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::export::Observer;
use crate::feed::Feed;
use crate::metrics::{Health, Metrics, ProbeRuns};
use crate::sampling::Gate;
use crate::serve::{Intake, Listener, Recent, Server, Sources, Traces};
use crate::stats::Vitals;
use crate::store::Store;
use crate::trace::Span;

/// How often the thread of the metrics wakes when nothing comes.
const IDLE: Duration = Duration::from_secs(60);

/// Where it comes from.
pub(super) struct Parts {
    /// How the run is.
    pub(super) vitals: Arc<Vitals>,
    /// How its exporters are.
    pub(super) exporters: Observer,
    /// How often its probes ran.
    pub(super) probes: ProbeRuns,
    /// The traces; without it the last ones are kept in memory.
    pub(super) store: Option<Arc<Store>>,
    /// What stands before the store, or the exporters, if anything.
    pub(super) gate: Option<Arc<Gate>>,
    /// It stands before the store.
    pub(super) store_sampled: bool,
    /// Not every process and port is traced.
    pub(super) chosen: bool,
}

/// Shows it there, and takes finished spans by the feed.
///
/// # Errors
/// The server or the feed can't be started.
pub(super) fn start(listener: Listener, parts: Parts) -> Result<(Server, Feed<Arc<Span>>)> {
    let Parts { vitals, exporters, probes, store, gate, store_sampled, chosen } = parts;
    let sampling = gate.as_ref().map(|gate| gate.observer());
    let health = Health {
        vitals: vitals.clone(),
        exporters: exporters.clone(),
        probes,
        store: store.clone(),
        sampling: sampling.clone(),
    };
    let metrics = Metrics::new(health);
    let (traces, intake, recent): (Arc<dyn Traces>, Arc<dyn Intake>, _) = match (store, gate) {
        (Some(store), Some(gate)) if store_sampled => (store, gate, None),
        (Some(store), _) => (store.clone(), store, None),
        (None, _) => {
            let recent = Arc::new(Recent::default());
            (recent.clone(), recent.clone(), Some(recent))
        }
    };
    let sources = Sources {
        metrics: metrics.clone(),
        vitals,
        exporters,
        traces,
        intake,
        sampling: sampling.filter(|_| store_sampled),
        chosen,
    };
    let server = listener.serve(&sources)?;
    let take = move |spans: Option<Vec<Arc<Span>>>| {
        let spans = spans.unwrap_or_default();
        metrics.record(&spans);
        if let Some(recent) = &recent {
            recent.put(&spans);
        }
    };
    let feed = Feed::start("tracer-metrics", "metrics_queue_full", IDLE, take)?;
    Ok((server, feed))
}
