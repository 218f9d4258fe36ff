//! `/ui/state`: how the tracer itself is.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tracer_common::counter::Counter;

use crate::sampling::Tally;
use crate::serve::Sources;

#[derive(Serialize)]
pub(super) struct Told {
    version: &'static str,
    host: String,
    /// Seconds since the start.
    uptime: u64,
    /// The capture thread runs.
    live: bool,
    /// Since the start, each.
    spans: u64,
    records: u64,
    /// Socket operations of any protocol.
    operations: u64,
    /// Sockets that speak something else.
    not_http: u64,
    /// Sockets that a filter leaves out.
    filtered: u64,
    /// Not every process and port is traced.
    chosen: bool,
    losses: BTreeMap<&'static str, u64>,
    left_out: u64,
    exporters: Vec<Exporter>,
    held: Held,
    /// What is sampled of what is held, if anything may be.
    sampling: Option<Sampling>,
}

/// Traces since the start.
#[derive(Serialize)]
struct Sampling {
    /// Not all are taken at this time.
    chooses: bool,
    failed: u64,
    slow: u64,
    rest: u64,
    left_out: u64,
}

#[derive(Serialize)]
struct Exporter {
    name: String,
    exported: u64,
    waiting: u64,
    dropped: Vec<(&'static str, u64)>,
    error: Option<String>,
}

#[derive(Serialize)]
struct Held {
    spans: u64,
    bytes: u64,
    limit: u64,
    /// Milliseconds since the Unix epoch.
    oldest: Option<u64>,
    lasting: bool,
    trouble: Option<String>,
}

pub(super) async fn state(State(sources): State<Sources>) -> Json<Told> {
    let tally = sources.vitals.tally();
    let counted = |wanted: &[Counter]| {
        let all = tally.counters.iter().filter(|(counter, _)| wanted.contains(counter));
        all.map(|(_, count)| count).sum()
    };
    let left_out = tally.left_out;
    let exporters = sources.exporters.summaries().into_iter().map(|it| Exporter {
        name: it.name,
        exported: it.exported,
        waiting: it.waiting,
        dropped: it.dropped_by_reason,
        error: it.last_error,
    });
    let held = sources.traces.held();
    Json(Told {
        version: env!("CARGO_PKG_VERSION"),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        uptime: sources.vitals.uptime().as_secs(),
        live: sources.vitals.is_live(),
        spans: tally.spans,
        records: tally.records,
        operations: counted(&[Counter::Sends, Counter::Receives]),
        not_http: counted(&[Counter::NotHttp]),
        filtered: counted(&[Counter::Filtered]),
        chosen: sources.chosen,
        losses: tally.losses.iter().map(|(name, count)| (*name, *count)).chain(held.lost).collect(),
        left_out: left_out.own + left_out.instrumented + left_out.unsampled + left_out.lookups,
        exporters: exporters.collect(),
        held: Held {
            spans: held.spans,
            bytes: held.bytes,
            limit: held.limit,
            oldest: held.oldest.map(|start| start / 1_000_000),
            lasting: held.lasting,
            trouble: held.trouble,
        },
        sampling: sources.sampling.as_ref().map(|sampling| {
            let Tally { chooses, failed, slow, rest, left_out, .. } = sampling.tally();
            Sampling { chooses, failed, slow, rest, left_out }
        }),
    })
}
