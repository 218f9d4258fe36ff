//! What is shown of a run at the page's port.

use std::sync::Arc;

use anyhow::Result;

use crate::export::Observer;
use crate::metrics::{Feed, Health, Metrics, ProbeRuns};
use crate::serve::{Listener, Recent, Server, Sources, Traces};
use crate::stats::Vitals;
use crate::store::Store;

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
    /// Not every process and port is traced.
    pub(super) chosen: bool,
}

/// Shows it there, and takes finished spans by the feed; without a server nobody can ask for any of it.
///
/// # Errors
/// The server or the feed can't be started.
pub(super) fn start(
    listener: Option<Listener>,
    parts: Parts,
) -> Result<(Option<Server>, Option<Feed>)> {
    let Some(listener) = listener else { return Ok((None, None)) };
    let Parts { vitals, exporters, probes, store, chosen } = parts;
    let health = Health {
        vitals: vitals.clone(),
        exporters: exporters.clone(),
        probes,
        store: store.clone(),
    };
    let metrics = Metrics::new(health);
    let (traces, recent): (Arc<dyn Traces>, _) = match store {
        Some(store) => (store, None),
        None => {
            let recent = Arc::new(Recent::default());
            (recent.clone(), Some(recent))
        }
    };
    let sources = Sources { metrics: metrics.clone(), vitals, exporters, traces, chosen };
    let server = listener.serve(&sources)?;
    let feed = Feed::start(move |spans| {
        metrics.record(spans);
        if let Some(recent) = &recent {
            recent.put(spans);
        }
    })?;
    Ok((Some(server), Some(feed)))
}
