//! All exporters together, as the pipeline sees them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::counters::{Counters, Reason, Summary};
use super::file::File;
use super::otlp_grpc::OtlpGrpc;
use super::otlp_http::OtlpHttp;
use super::queue::{Queue, Weighed, weigh};
use super::secure::TlsError;
use super::settings::Settings;
use super::sink::Sink;
use super::target::{Kind, Target};
use super::worker::Worker;
use super::zipkin_http::ZipkinHttp;
use crate::trace::Span;

/// Why an exporter could not start. A backend that is away is no reason.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
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
    /// The first target that can't work, by name, with the reason.
    pub fn start(targets: &[Target], settings: &Settings) -> Result<Self, (String, StartError)> {
        let mut exporters = Exporters {
            exporters: Vec::new(),
            stop: watch::Sender::new(None),
            workers: JoinSet::new(),
        };
        for target in targets {
            let failed = |error| (target.name(), error);
            match target.kind {
                Kind::Zipkin => {
                    exporters.add(target, settings, ZipkinHttp::new(target).map_err(failed)?);
                }
                Kind::OtlpGrpc => {
                    exporters.add(target, settings, OtlpGrpc::new(target).map_err(failed)?);
                }
                Kind::OtlpHttp => {
                    exporters.add(target, settings, OtlpHttp::new(target).map_err(failed)?);
                }
                Kind::File | Kind::Stdout => {
                    exporters.add(target, settings, File::new(target).map_err(failed)?);
                }
            }
        }
        Ok(exporters)
    }

    fn add(&mut self, target: &Target, settings: &Settings, sink: impl Sink) {
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
    pub fn send(&self, spans: impl IntoIterator<Item = Arc<Span>>) {
        let weighed: Vec<Weighed> = spans
            .into_iter()
            .map(|span| {
                let weight = weigh(&span);
                (span, weight)
            })
            .collect();
        if weighed.is_empty() {
            return;
        }
        for exporter in &self.exporters {
            exporter.counters.given(weighed.len() as u64);
            exporter.counters.dropped(Reason::QueueFull, exporter.queue.push(&weighed));
        }
    }

    /// The balance so far, one a target in the order given.
    pub fn summaries(&self) -> Vec<Summary> {
        let summary = |exporter: &Exporter| exporter.counters.summary(exporter.name.clone());
        self.exporters.iter().map(summary).collect()
    }

    /// Sends what is left, for at most `limit`; what can't be sent by then is counted as lost.
    /// Returns sooner when all is done.
    pub async fn shutdown(mut self, limit: Duration) -> Vec<Summary> {
        self.stop.send_replace(Some(Instant::now() + limit));
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
