//! All exporters together, as the pipeline sees them.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::counters::{Counters, Reason, Summary};
use super::file::File;
use super::otlp_grpc::OtlpGrpc;
use super::otlp_http::OtlpHttp;
use super::queue::{Queue, Weighed, weighed};
use super::secure::TlsError;
use super::settings::Settings;
use super::sink::Sink;
use super::target::{Kind, Target};
use super::trees::Trees;
use super::worker::Worker;
use super::zipkin_http::ZipkinHttp;
use crate::trace::Span;

/// A target that can't work. A backend that is away is no such thing.
#[derive(Debug, thiserror::Error)]
#[error("exporter {target}: {problem}")]
pub struct StartError {
    /// The target's name.
    pub target: String,
    /// Why not.
    #[source]
    pub problem: Problem,
}

/// Why a target can't work.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file can't be opened for writing.
    #[error("cannot write to {path}: {source}")]
    File {
        /// As it was given.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A TLS file is missing or wrong.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A header's name or value is not allowed; its name.
    #[error("header `{0}` is not a valid header")]
    Header(String),
    /// The endpoint or its TLS settings make no client.
    #[error("cannot set up the connection: {0}")]
    Client(String),
}

struct Exporter {
    name: String,
    queue: Arc<Queue>,
    counters: Arc<Counters>,
}

impl Exporter {
    fn give(&self, spans: &[Weighed]) {
        self.counters.given(spans.len() as u64);
        self.counters.dropped(Reason::QueueFull, self.queue.push(spans));
    }
}

/// Looks at the balances of exporters, as long as it likes.
#[derive(Clone, Default)]
pub struct Observer(Vec<(String, Arc<Counters>)>);

impl Observer {
    /// The balance so far, one a target in the order given.
    #[must_use]
    pub fn summaries(&self) -> Vec<Summary> {
        self.0.iter().map(|(name, counters)| counters.summary(name.clone())).collect()
    }
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.summaries()).finish()
    }
}

/// The running exporters. Dropped without [`shutdown`](Self::shutdown), they stop at once.
pub struct Exporters {
    exporters: Vec<Exporter>,
    stop: watch::Sender<Option<Instant>>,
    workers: JoinSet<()>,
}

impl Exporters {
    /// Starts one exporter a target, on the tokio runtime that this is called in. Connects to
    /// nothing yet.
    ///
    /// # Errors
    /// The first target that can't work, with the reason.
    pub fn start(targets: &[Target], settings: &Settings) -> Result<Self, StartError> {
        let mut exporters = Exporters {
            exporters: Vec::new(),
            stop: watch::Sender::new(None),
            workers: JoinSet::new(),
        };
        for target in targets {
            exporters
                .add(target, settings)
                .map_err(|problem| StartError { target: target.name(), problem })?;
        }
        Ok(exporters)
    }

    /// The one place that knows all formats.
    fn add(&mut self, target: &Target, settings: &Settings) -> Result<(), Problem> {
        match target.kind {
            Kind::Zipkin => self.spawn(target, settings, ZipkinHttp::new(target)?),
            Kind::OtlpGrpc => self.spawn(target, settings, OtlpGrpc::new(target)?),
            Kind::OtlpHttp => self.spawn(target, settings, OtlpHttp::new(target)?),
            Kind::Stdout if std::io::stdout().is_terminal() => {
                let failed = |source| Problem::File { path: target.endpoint.clone(), source };
                let trees = Trees::new(std::io::stdout()).map_err(failed)?;
                self.spawn(target, settings, trees);
            }
            Kind::File | Kind::Stdout => self.spawn(target, settings, File::new(target)?),
        }
        Ok(())
    }

    fn spawn(&mut self, target: &Target, settings: &Settings, sink: impl Sink) {
        let queue = Arc::new(Queue::new(settings.clone()));
        let counters = Arc::new(Counters::default());
        let worker = Worker {
            name: target.name(),
            sink,
            queue: Arc::clone(&queue),
            counters: Arc::clone(&counters),
            settings: settings.clone(),
            timeout: target.timeout,
            stop: self.stop.subscribe(),
        };
        self.workers.spawn(worker.run());
        self.exporters.push(Exporter { name: target.name(), queue, counters });
    }

    /// Hands spans to every exporter. Never waits: what a queue has no room for is dropped there,
    /// and counted.
    pub fn send(&self, spans: &[Weighed]) {
        if spans.is_empty() {
            return;
        }
        for exporter in &self.exporters {
            exporter.give(spans);
        }
    }

    /// The same, for one who can wait: blocks the thread while a queue is full, until its exporter
    /// has taken nothing for `patience`. From then on spans are dropped there, and counted, until
    /// it takes some again.
    pub fn send_patiently(&self, spans: &[Arc<Span>], patience: Duration) {
        for span in weighed(spans.iter().cloned()) {
            for exporter in &self.exporters {
                exporter.queue.wait_for_room(&span, patience);
                exporter.give(std::slice::from_ref(&span));
            }
        }
    }

    /// Blocks the thread until all queues are empty, or their exporters have taken nothing for
    /// `patience`.
    pub fn drain(&self, patience: Duration) {
        self.exporters.iter().for_each(|exporter| exporter.queue.wait_until_empty(patience));
    }

    /// The balance so far, one a target in the order given.
    pub fn summaries(&self) -> Vec<Summary> {
        self.observer().summaries()
    }

    /// The same for somebody who may outlive them.
    #[must_use]
    pub fn observer(&self) -> Observer {
        let of = |exporter: &Exporter| (exporter.name.clone(), exporter.counters.clone());
        Observer(self.exporters.iter().map(of).collect())
    }

    /// Sends what is left, for at most `limit`; what can't be sent by then is counted as lost.
    /// Returns sooner when all is done.
    pub async fn shutdown(mut self, limit: Duration) -> Vec<Summary> {
        // An hour is for ever here; more might overflow.
        self.stop.send_replace(Some(Instant::now() + limit.min(Duration::from_secs(3600))));
        // Each worker ends by the deadline on its own; a panic shows in the balance.
        while let Some(ended) = self.workers.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "an exporter failed");
            }
        }
        self.exporters.iter().for_each(|exporter| exporter.counters.settle());
        self.summaries()
    }
}

#[cfg(test)]
#[path = "exporters_tests.rs"]
mod tests;
