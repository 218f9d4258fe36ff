//! The store as its users see it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::block::FULL;
use super::counters::{Counters, Loss};
use super::directory::Directory;
use super::error::OpenError;
use super::limits::Limits;
use super::queue::Queue;
use super::shelf::Shelf;
use super::snapshot::Snapshot;
use super::state::State;
use super::writer::Writer;
use crate::export::{Weighed, weighed};
use crate::trace::Span;

/// An open store. All of its methods can be called from any thread.
pub struct Store {
    state: Arc<State>,
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    given: AtomicU64,
    limits: Limits,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What a store holds, and what became of what it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Spans that can be found.
    pub spans: u64,
    /// Bytes on the disk.
    pub bytes: u64,
    /// When the earliest of its spans starts, in nanoseconds since the Unix epoch.
    pub oldest: Option<u64>,
    /// What the store may take.
    pub limits: Limits,
    /// Spans given since it was opened.
    pub given: u64,
    /// Of those, the ones that are, or were, on the disk.
    pub stored: u64,
    /// Spans removed since then because of the limits.
    pub removed: u64,
    /// Spans that wait to be taken.
    pub queued: u64,
    /// Losses by name; only those that occurred.
    pub lost: Vec<(&'static str, u64)>,
    /// What last went wrong, if anything did.
    pub last_trouble: Option<String>,
}

impl Store {
    /// Opens the store in `data`, which is made if need be. A file in it that is damaged, or none of
    /// a store's, is renamed; [`Stats::last_trouble`] names it.
    ///
    /// # Errors
    /// Another tracer has it, or the system refuses.
    pub fn open(data: &Path, limits: Limits) -> Result<Self, OpenError> {
        Self::with_blocks(data, limits, FULL)
    }

    /// The same; blocks are of so many spans.
    pub(super) fn with_blocks(data: &Path, limits: Limits, full: usize) -> Result<Self, OpenError> {
        let limits = Limits { bytes: limits.bytes.max(Limits::MIN_BYTES), ..limits };
        let (state, queue) = (Arc::new(State::default()), Arc::new(Queue::default()));
        let counters = Arc::new(Counters::default());
        let directory = Directory::open(data)?;
        let shelf = Shelf::open(directory, limits, state.clone(), counters.clone())?;
        let writer = Writer::new(shelf, state.clone(), queue.clone(), counters.clone(), full);
        let thread = std::thread::Builder::new().name("tracer-store".into());
        let thread = thread.spawn(move || writer.run()).map_err(OpenError::Thread)?;
        let (given, writer) = (AtomicU64::new(0), Mutex::new(Some(thread)));
        Ok(Self { state, queue, counters, given, limits, writer })
    }

    /// Gives it spans. Never waits: what its queue has no room for is dropped, and counted.
    pub fn put(&self, spans: &[Arc<Span>]) {
        self.put_weighed(&weighed(spans.iter().cloned()));
    }

    /// The same, where their sizes are known.
    pub fn put_weighed(&self, spans: &[Weighed]) {
        self.given.fetch_add(spans.len() as u64, Relaxed);
        self.counters.lost(Loss::QueueFull, self.queue.push(spans));
    }

    /// Blocks until all that was put before is on the disk, or lost; `false` if that takes longer
    /// than `patience`.
    pub fn flush(&self, patience: Duration) -> bool {
        self.queue.flush(patience)
    }

    /// Writes what waits, and ends. What is put later is lost, and counted; what is there can still
    /// be read.
    pub fn close(&self) {
        self.queue.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(_)) = writer.map(JoinHandle::join) {
            self.counters.trouble("the thread that writes failed".to_owned());
        }
    }

    /// What it holds now, to be searched.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { view: self.state.view(), counters: self.counters.clone() }
    }

    /// How it stands.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let view = self.state.view();
        let (stored, removed) = self.counters.totals();
        let in_blocks: u64 = view.blocks.iter().map(|block| u64::from(block.spans)).sum();
        let starts = view.open.iter().map(|span| span.start);
        Stats {
            spans: in_blocks + view.open.len() as u64,
            bytes: self.counters.used(),
            oldest: view.blocks.iter().map(|block| block.first).chain(starts).min(),
            limits: self.limits,
            given: self.given.load(Relaxed),
            stored,
            removed,
            queued: self.queue.len() as u64,
            lost: self.counters.losses(),
            last_trouble: self.counters.last_trouble(),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}
