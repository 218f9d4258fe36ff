//! `tracer replay`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing::info;

use crate::config::Settings;
use crate::export::{self, Exporters};
use crate::stats::summary;

use super::progress::Progress;
use super::{Opened, Replayed, drive, open};

/// How long exporters may take to send what is left.
const FLUSH: Duration = Duration::from_secs(10);
/// How long a backend may take nothing until spans are lost instead of waiting for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Replays a file, sends its spans, and prints the balance.
///
/// # Errors
/// Why the file can't be replayed, or not to its end.
pub async fn replay(file: &Path, settings: Settings) -> Result<()> {
    let opened = open(file, &settings.limits)?;
    let exporters = Exporters::start(&settings.exporters, &export::Settings::default())
        .map_err(anyhow::Error::from)?;
    let exporters = Arc::new(exporters);
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = Arc::new(AtomicBool::new(false));
    let (done, mut ended) = oneshot::channel();
    {
        let (exporters, stop) = (exporters.clone(), stop.clone());
        std::thread::Builder::new().name("tracer-replay".into()).spawn(move || {
            let replayed = work(opened, &settings, &exporters, &stop);
            drop(exporters);
            // Nobody listens if the input did not end when it should.
            let _ = done.send(replayed);
        })?;
    }
    let ended = tokio::select! {
        ended = &mut ended => ended,
        _ = interrupt.recv() => stopped(&stop, ended).await?,
        _ = terminate.recv() => stopped(&stop, ended).await?,
    };
    let replayed =
        ended.map_err(|_| anyhow!("the replay failed; please report this with its message"))?;
    let exporters = Arc::into_inner(exporters).context("exporters are still in use")?;
    let exported = exporters.shutdown(FLUSH).await;
    eprint!("{}", summary(&exported, &replayed.losses));
    for (name, count) in &replayed.passed_over {
        eprintln!("passed over: {count} {name}");
    }
    replayed.broken.map_or(Ok(()), Err)
}

/// Tells the thread to stop. It may be waiting for a pipe from which nothing comes.
async fn stopped(
    stop: &AtomicBool,
    ended: oneshot::Receiver<Replayed>,
) -> Result<Result<Replayed, oneshot::error::RecvError>> {
    stop.store(true, Ordering::Relaxed);
    tokio::time::timeout(FLUSH + PATIENCE, ended)
        .await
        .context("stopped while nothing could be read")
}

/// The thread of the replay.
fn work(opened: Opened, settings: &Settings, exporters: &Exporters, stop: &AtomicBool) -> Replayed {
    let Opened { mut source, read, len } = opened;
    let mut progress = Progress::new(read, len);
    let mut sent = 0;
    let replayed = drive(&mut *source, settings, |spans| {
        sent += spans.len() as u64;
        let stopping = stop.load(Ordering::Relaxed);
        exporters.send_patiently(&spans, if stopping { Duration::ZERO } else { PATIENCE });
        progress.tell(sent);
        !stopping
    });
    if !stop.load(Ordering::Relaxed) {
        exporters.drain(PATIENCE);
    }
    info!(spans = sent, "replayed");
    replayed
}
