//! The thread that looks at processes' runtimes and tells the probes: reading programs, attaching and
//! detaching take longer than the ring buffer can wait.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use tracing::{debug, warn};

use super::later::Later;
use super::unfollowed::Unfollowed;
use crate::kernel::Uprobes;
use crate::runtime::tls::Libraries;
use crate::runtime::{Again, Detectors, Insight, Occasion};

/// Processes that wait to be looked at.
const QUEUE: usize = 4096;
/// Binaries whose failures are remembered, so that each is told once.
const MAX_TOLD: usize = 1024;
/// Looks for the library of a process that uses TLS.
const MAX_TLS_LOOKS: u32 = 8;
/// Processes whose looks are counted.
const MAX_TLS_PROCESSES: usize = 16_384;
/// How long the start of tracing waits for the processes that are there already.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long requests go first after what was due.
const TURN: Duration = Duration::from_millis(10);

enum Request {
    Look(u32, Occasion),
    /// It uses TLS; its library may have been loaded late.
    Tls(u32),
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

/// Tells when the thread has ended and all uprobes are detached.
pub(super) struct Detached(Receiver<()>);

impl Detached {
    /// Whether that is so after at most this time.
    pub(super) fn within(&self, limit: Duration) -> bool {
        self.0.recv_timeout(limit) == Err(RecvTimeoutError::Disconnected)
    }
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
    /// Starts the thread. `probe`: uprobes are attached, too; `everybody`: no process is left out;
    /// `kept`: where what is learned of programs is kept, if it is.
    pub(super) fn start(
        uprobes: Uprobes,
        probe: bool,
        everybody: bool,
        kept: Option<PathBuf>,
    ) -> Result<(Self, Detached)> {
        let (requests, receiver) = sync_channel(QUEUE);
        let failures = Arc::new(Failures::default());
        let (told, libraries, tls) = <_>::default();
        let mut looking =
            Looking { uprobes, probe, everybody, failures: failures.clone(), told, libraries, tls };
        let (attached, detached) = channel();
        let name = thread::Builder::new().name("tracer-runtimes".into());
        name.spawn(move || {
            looking.run(&receiver, Detectors::new(kept.as_deref()));
            drop(looking);
            drop(attached);
        })?;
        Ok((Self { requests, failures }, Detached(detached)))
    }

    pub(super) fn failures(&self) -> Arc<Failures> {
        self.failures.clone()
    }

    /// Looks at the processes that are there already, for as long as one can wait for that.
    pub(super) fn look_first(&self, processes: impl IntoIterator<Item = u32>) {
        for process in processes {
            // Here there is time; only a thread that is gone takes nothing any more.
            let _ = self.requests.send(Request::Look(process, Occasion::Start));
        }
        let (done, wait) = channel();
        let _ = self.requests.send(Request::Done(done));
        if wait.recv_timeout(PATIENCE).is_err() {
            warn!("the runtimes of processes are still being looked at");
        }
    }

    /// A process is met, or runs another program.
    pub(super) fn look(&self, process: u32) {
        if self.requests.try_send(Request::Look(process, Occasion::Met)).is_err() {
            self.failures.overlooked.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A process has opened or accepted a connection that carries TLS.
    pub(super) fn speaks_tls(&self, process: u32) {
        if self.requests.try_send(Request::Tls(process)).is_err() {
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
    everybody: bool,
    failures: Arc<Failures>,
    /// Programs of which a failure was told.
    told: HashSet<PathBuf>,
    libraries: Libraries,
    /// Processes that use TLS, with how often their libraries were looked for; those whose library is
    /// known need no more looks.
    tls: HashMap<u32, u32>,
}

impl Looking {
    fn run(&mut self, requests: &Receiver<Request>, mut detectors: Detectors) {
        let mut later = Later::default();
        let mut unfollowed = Unfollowed::default();
        // Those that are there from the start. What names flows of execution is told of all of them before
        // any of them gets what takes longer: dozens of uprobes on TLS.
        let mut rest = vec![];
        // When what is due has its turn, also where one request follows the other: a host that starts
        // processes all the time.
        let mut turn = Instant::now();
        loop {
            let now = Instant::now();
            let due = if now >= turn {
                turn = now + TURN;
                self.due(&mut unfollowed, &mut later)
            } else {
                None
            };
            let pause = unfollowed.pause().unwrap_or(Duration::MAX).min(later.pause());
            let request = match due.map_or_else(|| requests.recv_timeout(pause.max(turn - now)), Ok)
            {
                Ok(request) => request,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            match request {
                Request::Look(process, occasion @ (Occasion::Again | Occasion::Calls)) => {
                    let insight = self.look(process, occasion, &mut detectors);
                    later.put_if(insight.again == Again::Later, process);
                    unfollowed.put(process, &insight);
                    turn = Instant::now() + TURN;
                }
                Request::Look(process, occasion) => {
                    later.forget(process);
                    unfollowed.forget(process);
                    self.tls.remove(&process);
                    let insight = self.look(process, occasion, &mut detectors);
                    if occasion == Occasion::Start {
                        rest.push((process, insight.again));
                    } else {
                        self.look_at_libraries(process);
                    }
                    // Once more in any case: soon more may be known of others that run its program.
                    later.put_if(insight.again != Again::Never, process);
                    unfollowed.put(process, &insight);
                }
                Request::Tls(process) => self.look_at_libraries(process),
                Request::Ended(process) => {
                    self.tls.remove(&process);
                    later.forget(process);
                    unfollowed.forget(process);
                    self.uprobes.forget(process);
                }
                Request::Done(done) => {
                    if self.everybody {
                        self.look_at_system();
                    }
                    for (process, again) in rest.drain(..) {
                        self.look_at_libraries(process);
                        if again == Again::Later {
                            let insight = self.look(process, Occasion::Again, &mut detectors);
                            later.put_if(insight.again == Again::Later, process);
                        }
                    }
                    // Whoever waited may have lost patience.
                    let _ = done.send(());
                }
            }
        }
    }

    /// Whom to look at again.
    fn due(&mut self, unfollowed: &mut Unfollowed, later: &mut Later) -> Option<Request> {
        if !unfollowed.is_empty() {
            unfollowed.called(self.uprobes.unfollowed());
        }
        let calls = unfollowed.next().map(|process| Request::Look(process, Occasion::Calls));
        calls.or_else(|| later.next().map(|process| Request::Look(process, Occasion::Again)))
    }

    /// Those that whoever is started later will most likely use: then they are probed before their
    /// first call.
    fn look_at_system(&mut self) {
        for library in self.libraries.of_system() {
            // Whoever uses it will say so again.
            let shared = self.uprobes.share(0, library.file, &library.uprobes);
            shared.unwrap_or_else(|error| debug!("TLS library of the system: {error:#}"));
        }
    }

    fn look_at_libraries(&mut self, process: u32) {
        let looks = self.tls.get(&process).copied().unwrap_or(0);
        if !self.probe || looks >= MAX_TLS_LOOKS {
            return;
        }
        let program = program(process);
        let libraries = self.libraries.of(process);
        for library in &libraries {
            if let Err(error) = self.uprobes.share(process, library.file, &library.uprobes) {
                self.failed(process, program.as_deref(), &error);
            }
        }
        let looks = if libraries.is_empty() { looks + 1 } else { MAX_TLS_LOOKS };
        if self.tls.len() < MAX_TLS_PROCESSES || self.tls.contains_key(&process) {
            self.tls.insert(process, looks);
        }
    }

    /// Looks at a process and tells the probes; of one that was looked at before, only if something is
    /// known now: what was found before stays.
    fn look(&mut self, process: u32, occasion: Occasion, detectors: &mut Detectors) -> Insight {
        let program = program(process);
        let insight = detectors.look(process, occasion);
        let anew = matches!(occasion, Occasion::Start | Occasion::Met);
        if anew || insight.runtime.is_some_and(|runtime| runtime.is_known()) {
            self.apply(process, program.as_deref(), &insight);
        }
        insight
    }

    /// `program`: what the process ran when it was looked at.
    fn apply(&mut self, process: u32, program: Option<&Path>, insight: &Insight) {
        let uprobes = if self.probe { &insight.uprobes[..] } else { &[] };
        let attached = self.uprobes.attach(process, uprobes);
        let reading = self.uprobes.read_contexts(process, insight.runtime);
        if let Some(runtime) = insight.runtime
            && insight.again != Again::Later
        {
            debug!(process, ?runtime, uprobes = uprobes.len(), "runtime");
        }
        if let Err(error) = attached.and(reading) {
            self.failed(process, program, &error);
        }
    }

    fn failed(&mut self, process: u32, before: Option<&Path>, error: &anyhow::Error) {
        let Some(program) = program(process) else {
            // One that has ended meanwhile is no failure.
            return self.uprobes.forget(process);
        };
        if before != Some(&program) {
            // Nor one that runs another program by now, as those do that were forked to run one: it
            // will be looked at for that.
            return;
        }
        self.failures.unattached.fetch_add(1, Ordering::Relaxed);
        if self.told.len() < MAX_TOLD && self.told.insert(program.clone()) {
            warn!(process, program = %program.display(), "calls may lack parents: {error:#}");
        }
    }
}

/// What a process runs, if it has not ended.
fn program(process: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{process}/exe")).ok()
}
