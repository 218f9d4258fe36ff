//! The tracer's own health, read at the time when somebody asks.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeLabelSet, MetricEncoder,
    NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use tracer_common::counter::Counter;

use super::probes::ProbeRuns;
use crate::export::Observer;
use crate::sampling;
use crate::stats::Vitals;
use crate::store::Store;

/// Whom to ask.
pub struct Health {
    /// The capture thread.
    pub vitals: Arc<Vitals>,
    /// The exporters.
    pub exporters: Observer,
    /// The kernel.
    pub probes: ProbeRuns,
    /// The store, if there is one.
    pub store: Option<Arc<Store>>,
    /// What is sampled, if anything may be.
    pub sampling: Option<sampling::Observer>,
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("exporters", &self.exporters).finish_non_exhaustive()
    }
}

impl Collector for Health {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(encoder);
        self.pipeline(&mut out)?;
        self.exporters(&mut out)?;
        self.store(&mut out)?;
        self.sampling(&mut out)?;
        self.probes(&mut out)?;
        process(&mut out)
    }
}

impl Health {
    fn pipeline(&self, out: &mut Out<'_>) -> fmt::Result {
        let tally = self.vitals.tally();
        out.gauge(
            "tracer_up",
            "1 while the capture thread runs",
            u32::from(self.vitals.is_live()),
        )?;
        out.gauge("tracer_uptime_seconds", "Since the start", self.vitals.uptime().as_secs_f64())?;
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        out.gauges("tracer_build", "The program", [(version, 1u32)])?;
        out.counter("tracer_events", "Records from the probes", tally.records)?;
        out.counter("tracer_event_bytes", "Their bytes", tally.bytes)?;
        out.counter("tracer_spans", "Spans that were made", tally.spans)?;
        out.gauge(
            "tracer_remembered",
            "Things remembered of open traffic",
            tally.remembered as u64,
        )?;
        let stored = self.store.as_ref().map(|store| store.stats().lost).unwrap_or_default();
        let lost = tally.losses.iter().map(|(reason, count)| (*reason, *count)).chain(stored);
        let lost = lost.map(|(reason, count)| ([("reason", reason)], count));
        out.counters("tracer_lost", "Every loss by name", lost)?;
        let left_out = tally.left_out;
        let left_out = [
            ("own", left_out.own),
            ("instrumented", left_out.instrumented),
            ("unsampled", left_out.unsampled),
            ("lookups", left_out.lookups),
        ];
        let left_out = left_out.map(|(reason, count)| ([("reason", reason)], count));
        out.counters("tracer_left_out", "Spans left out on purpose", left_out)?;
        let operation = |(counter, count): &(Counter, u64)| match counter {
            Counter::Sends | Counter::Receives => Some(([("kind", counter.name())], *count)),
            _ => None,
        };
        let operations = tally.counters.iter().filter_map(operation);
        out.counters("tracer_socket_operations", "Operations that the probes saw", operations)
    }

    fn exporters(&self, out: &mut Out<'_>) -> fmt::Result {
        let all = self.exporters.summaries();
        let named = |of: fn(&crate::export::Summary) -> u64| {
            all.iter().map(move |it| ([("exporter", it.name.clone())], of(it)))
        };
        let exported = named(|it| it.exported);
        out.counters("tracer_exported_spans", "Spans that a backend took", exported)?;
        let help = "Spans that wait for a backend";
        out.gauges("tracer_exporter_queue_spans", help, named(|it| it.waiting))?;
        let dropped = all.iter().flat_map(|it| {
            let labels =
                |reason: &str| [("exporter", it.name.clone()), ("reason", reason.to_owned())];
            it.dropped_by_reason.iter().map(move |(reason, count)| (labels(reason), *count))
        });
        out.counters("tracer_exporter_dropped_spans", "Spans that a backend never got", dropped)
    }

    fn store(&self, out: &mut Out<'_>) -> fmt::Result {
        let Some(store) = &self.store else { return Ok(()) };
        let stats = store.stats();
        out.gauge("tracer_store_spans", "Spans that can be found", stats.spans)?;
        out.gauge("tracer_store_bytes", "Bytes on the disk", stats.bytes)?;
        out.gauge("tracer_store_limit_bytes", "Bytes that they may be", stats.limits.bytes)?;
        out.gauge("tracer_store_queue_spans", "Spans that wait to be stored", stats.queued)?;
        let help = "Spans removed to keep to the limits";
        out.counter("tracer_store_removed_spans", help, stats.removed)
    }

    fn sampling(&self, out: &mut Out<'_>) -> fmt::Result {
        let Some(sampling) = &self.sampling else { return Ok(()) };
        let tally = sampling.tally();
        let help = "1 while not all traces are kept";
        out.gauge("tracer_sampling_active", help, u32::from(tally.chooses))?;
        let kept = [("failed", tally.failed), ("slow", tally.slow), ("rest", tally.rest)];
        let all = kept.into_iter().chain([("left_out", tally.left_out)]);
        let all = all.map(|(verdict, count)| ([("verdict", verdict)], count));
        out.counters("tracer_sampling_traces", "Traces that were decided, by verdict", all)?;
        let help = "Spans of traces that were not kept";
        out.counter("tracer_sampling_left_out_spans", help, tally.left_out_spans)?;
        let help = "Traces that were decided too soon, because too many were open";
        out.counter("tracer_sampling_early", help, tally.early)
    }

    fn probes(&self, out: &mut Out<'_>) -> fmt::Result {
        let counted = ProbeRuns::counted();
        let help = "1 while the kernel counts the probes' runs (sysctl kernel.bpf_stats_enabled)";
        out.gauge("tracer_probe_stats_enabled", help, u32::from(counted))?;
        let runs = self.probes.read();
        let name = |runs: &super::probes::Runs| [("probe", runs.name.clone())];
        let counts = runs.iter().map(|runs| (name(runs), runs.count));
        out.counters("tracer_probe_runs", "Runs that were counted", counts)?;
        let seconds = runs.iter().map(|runs| (name(runs), runs.nanoseconds as f64 / 1e9));
        out.counters("tracer_probe_seconds", "Time that they took", seconds)
    }
}

/// Under the names that Prometheus's client libraries use:
/// <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.
fn process(out: &mut Out<'_>) -> fmt::Result {
    let Ok(own) = procfs::process::Process::myself() else { return Ok(()) };
    if let Ok(stat) = own.stat() {
        let ticks = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
        out.counter("process_cpu_seconds", "Processor time of the tracer", ticks)?;
        let resident = stat.rss * procfs::page_size();
        out.gauge("process_resident_memory_bytes", "Memory of the tracer", resident)?;
        out.gauge("process_threads", "Threads of the tracer", stat.num_threads)?;
    }
    match own.fd_count() {
        Ok(count) => out.gauge("process_open_fds", "Open files of the tracer", count as u64),
        Err(_) => Ok(()),
    }
}

/// Writes whole metrics; none without values, which strict readers refuse.
struct Out<'a>(DescriptorEncoder<'a>);

impl Out<'_> {
    fn gauge<V: EncodeGaugeValue>(&mut self, name: &str, help: &str, value: V) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode_gauge(&value)
    }

    fn counter<V: EncodeCounterValue>(&mut self, name: &str, help: &str, value: V) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
    }

    fn gauges<L: EncodeLabelSet, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, V)>,
    ) -> fmt::Result {
        let encode = |mut metric: MetricEncoder<'_>, value: V| metric.encode_gauge(&value);
        self.family(name, help, MetricType::Gauge, values, encode)
    }

    fn counters<L: EncodeLabelSet, V: EncodeCounterValue>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, V)>,
    ) -> fmt::Result {
        let encode = |mut metric: MetricEncoder<'_>, value: V| {
            metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
        };
        self.family(name, help, MetricType::Counter, values, encode)
    }

    fn family<L: EncodeLabelSet, V>(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        values: impl IntoIterator<Item = (L, V)>,
        encode: impl Fn(MetricEncoder<'_>, V) -> fmt::Result,
    ) -> fmt::Result {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let mut metric = self.0.encode_descriptor(name, help, None, kind)?;
        values.try_for_each(|(labels, value)| encode(metric.encode_family(&labels)?, value))
    }
}
