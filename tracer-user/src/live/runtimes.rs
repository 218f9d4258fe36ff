//! The thread that looks at processes' runtimes and tells the probes: reading programs, attaching and
//! detaching take longer than the ring buffer can wait.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use tracing::{debug, warn};

use super::later::Later;
use super::unfollowed::Unfollowed;
use crate::kernel::Uprobes;
use crate::runtime::{Again, Detectors, Insight};

/// Processes that wait to be looked at.
const QUEUE: usize = 4096;
/// Binaries whose failures are remembered, so that each is told once.
const MAX_TOLD: usize = 1024;
/// How long the start of tracing waits for the processes that are there already.
const PATIENCE: Duration = Duration::from_secs(5);

enum Request {
    Look(u32),
    /// It was looked at before, and not everything was there yet.
    Again(u32),
    Ended(u32),
    /// Everything before it has been done.
    Done(Sender<()>),
}

/// The thread's other end. When it is dropped, the thread ends and all uprobes are detached.
#[derive(Clone)]
pub(super) struct Runtimes {
    requests: SyncSender<Request>,
    failures: Arc<Failures>,
}

/// What could not be done.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// Processes that were not looked at, for too many waited.
    overlooked: AtomicU64,
    /// Processes that some probe could not be attached to.
    unattached: AtomicU64,
}

impl Failures {
    /// By name, as losses are told.
    pub(super) fn all(&self) -> [(&'static str, u64); 2] {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            ("runtimes_overlooked", count(&self.overlooked)),
            ("uprobes_unattached", count(&self.unattached)),
        ]
    }
}

impl Runtimes {
    /// Starts the thread. `probe`: uprobes are attached, too.
    pub(super) fn start(uprobes: Uprobes, probe: bool) -> Result<Self> {
        let (requests, receiver) = sync_channel(QUEUE);
        let failures = Arc::new(Failures::default());
        let mut looking =
            Looking { uprobes, probe, failures: failures.clone(), told: HashSet::new() };
        let name = thread::Builder::new().name("tracer-runtimes".into());
        name.spawn(move || looking.run(&receiver))?;
        Ok(Self { requests, failures })
    }

    pub(super) fn failures(&self) -> Arc<Failures> {
        self.failures.clone()
    }

    /// Looks at the processes that are there already, for as long as one can wait for that.
    pub(super) fn look_first(&self, processes: impl IntoIterator<Item = u32>) {
        for process in processes {
            // Here there is time; only a thread that is gone takes nothing any more.
            let _ = self.requests.send(Request::Look(process));
        }
        let (done, wait) = channel();
        let _ = self.requests.send(Request::Done(done));
        if wait.recv_timeout(PATIENCE).is_err() {
            warn!("the runtimes of processes are still being looked at");
        }
    }

    /// A process is met, or runs another program.
    pub(super) fn look(&self, process: u32) {
        if self.requests.try_send(Request::Look(process)).is_err() {
            self.failures.overlooked.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A process has ended, or is left out from now on.
    pub(super) fn ended(&self, process: u32) {
        // If it is not heard of, its uprobes stay a little longer: until the number is used again.
        let _ = self.requests.try_send(Request::Ended(process));
    }
}

struct Looking {
    uprobes: Uprobes,
    probe: bool,
    failures: Arc<Failures>,
    /// Programs of which a failure was told.
    told: HashSet<PathBuf>,
}

impl Looking {
    fn run(&mut self, requests: &Receiver<Request>) {
        let mut detectors = Detectors::default();
        let mut later = Later::default();
        let mut unfollowed = Unfollowed::default();
        loop {
            let pause = unfollowed.pause().unwrap_or(Duration::MAX).min(later.pause());
            let request = match requests.recv_timeout(pause) {
                Ok(request) => request,
                Err(RecvTimeoutError::Timeout) => {
                    if !unfollowed.is_empty() {
                        unfollowed.called(self.uprobes.unfollowed());
                    }
                    match later.next().or_else(|| unfollowed.next()) {
                        Some(process) => Request::Again(process),
                        None => continue,
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            match request {
                Request::Look(process) => {
                    later.forget(process);
                    unfollowed.forget(process);
                    let insight = detectors.look(process);
                    self.apply(process, &insight);
                    // Once more in any case: soon more may be known of others that run its program.
                    later.put_if(insight.again != Again::Never, process);
                    unfollowed.put_if(insight.again == Again::Unfollowed, process);
                }
                Request::Again(process) => {
                    let insight = detectors.look(process);
                    // What was found before stays.
                    if insight.runtime.is_some_and(|runtime| runtime.is_known()) {
                        self.apply(process, &insight);
                    }
                    later.put_if(insight.again == Again::Later, process);
                    unfollowed.put_if(insight.again == Again::Unfollowed, process);
                }
                Request::Ended(process) => {
                    later.forget(process);
                    unfollowed.forget(process);
                    self.uprobes.forget(process);
                }
                // Whoever waited may have lost patience.
                Request::Done(done) => drop(done.send(())),
            }
        }
    }

    fn apply(&mut self, process: u32, insight: &Insight) {
        let uprobes = if self.probe { &insight.uprobes[..] } else { &[] };
        let attached = self.uprobes.attach(process, uprobes);
        let reading = self.uprobes.read_contexts(process, insight.runtime);
        if let Some(runtime) = insight.runtime {
            debug!(process, ?runtime, uprobes = uprobes.len(), "runtime");
        }
        if let Err(error) = attached.and(reading) {
            // One that has ended meanwhile is no failure.
            let Ok(program) = std::fs::read_link(format!("/proc/{process}/exe")) else {
                return self.uprobes.forget(process);
            };
            self.failures.unattached.fetch_add(1, Ordering::Relaxed);
            if self.told.len() < MAX_TOLD && self.told.insert(program.clone()) {
                warn!(process, program = %program.display(), "calls may lack parents: {error:#}");
            }
        }
    }
}
