//! The thread that writes a recording, and the bounded queue before it.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::header::{Header, Secrets};
use super::masker::Masker;
use super::times::time;
use super::writer::Writer;
use crate::replay::Input;

/// Bytes of records that are handed on together, unless it is earlier.
const BATCH: usize = 64 << 10;
/// Inputs that are.
const BATCH_INPUTS: usize = 1024;
/// Batches that wait at most: 32 MiB.
const QUEUE: usize = 512;
/// How old an input gets before it is in the file, half of what is promised.
const FLUSH: Duration = Duration::from_millis(500);

/// What a recording came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Bytes of the file.
    pub bytes: u64,
    /// Inputs in it.
    pub inputs: u64,
    /// Records that are not in it because the disk did not keep up.
    pub lost: u64,
}

/// Takes inputs, never waits for the disk.
#[derive(Debug)]
pub struct Recorder {
    pub(super) batch: Vec<Input>,
    bytes: usize,
    queue: SyncSender<Vec<Input>>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<(u64, u64)>>,
    pub(super) lost: u64,
}

impl Recorder {
    /// Begins a recording in an empty file that ends when it is about `max_size` bytes long.
    ///
    /// # Errors
    /// Of writing its header, and of starting the thread.
    pub fn start(file: File, header: &Header, max_size: Option<u64>) -> io::Result<Self> {
        let settings = header.settings();
        let masker = match header.secrets {
            Secrets::Masked => Some(Masker::new(settings.connections, settings.http1)),
            Secrets::Kept => None,
        };
        let (queue, inputs) = sync_channel(QUEUE);
        let over = Arc::new(AtomicBool::new(false));
        let writer = Writer::new(file, header)?;
        let max_size = max_size.unwrap_or(u64::MAX);
        let task = Task { masker, writer, over: over.clone(), max_size };
        let thread =
            thread::Builder::new().name("tracer-record".into()).spawn(move || task.run(&inputs))?;
        Ok(Self { batch: vec![], bytes: 0, queue, over, thread, lost: 0 })
    }

    /// Adds an input.
    pub(super) fn push(&mut self, input: Input) {
        if let Input::Record(bytes) = &input {
            self.bytes += bytes.len();
        }
        self.batch.push(input);
        if self.bytes >= BATCH || self.batch.len() >= BATCH_INPUTS {
            self.hand_on();
        }
    }

    /// Adds several.
    pub(super) fn extend(&mut self, inputs: impl IntoIterator<Item = Input>) {
        inputs.into_iter().for_each(|input| self.push(input));
    }

    /// Gives what there is to the thread. If that is behind, the records are lost; who processes
    /// are and the like waits for the next time, since all that follows depends on it.
    pub(super) fn hand_on(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        self.bytes = 0;
        match self.queue.try_send(std::mem::take(&mut self.batch)) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(batch)) => self.lose(batch),
        }
    }

    /// Keeps of a batch what must not be lost, and when the rest of it was.
    fn lose(&mut self, batch: Vec<Input>) {
        let mut gap: Option<(u64, u64)> = None;
        for input in batch {
            let (since, until) = match &input {
                Input::Record(_) => {
                    self.lost += 1;
                    let Some(time) = time(&input) else { continue };
                    (time, time)
                }
                Input::Lost { since, until } => (*since, *until),
                // What comes next tells of the time, too.
                Input::Advance(_) => continue,
                Input::Process { .. }
                | Input::Existing { .. }
                | Input::Clock { .. }
                | Input::Stop(_) => {
                    self.batch.push(input);
                    continue;
                }
            };
            let (first, last) = gap.unwrap_or((since, until));
            gap = Some((first.min(since), last.max(until)));
        }
        // Before a stop, behind which nothing counts.
        if let Some((since, until)) = gap {
            self.batch.insert(0, Input::Lost { since, until });
        }
    }

    /// Nothing more is written: the file is long enough, or there was an error.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Waits until all is written.
    pub(super) fn finish(self) -> Result<Totals> {
        // The thread is gone if it met an error, which it then tells.
        let _ = self.queue.send(self.batch);
        drop(self.queue);
        let ended = self.thread.join().map_err(|_| anyhow!("the recording's thread failed"))?;
        let (bytes, inputs) = ended?;
        Ok(Totals { bytes, inputs, lost: self.lost })
    }
}

/// What the thread does.
struct Task {
    masker: Option<Masker>,
    writer: Writer<File>,
    over: Arc<AtomicBool>,
    max_size: u64,
}

impl Task {
    fn run(mut self, inputs: &Receiver<Vec<Input>>) -> io::Result<(u64, u64)> {
        let written = self.write(inputs);
        self.over.store(true, Ordering::Relaxed);
        written.map(|()| (self.writer.written(), self.writer.inputs()))
    }

    fn write(&mut self, inputs: &Receiver<Vec<Input>>) -> io::Result<()> {
        let mut flushed = Instant::now();
        loop {
            let wait = FLUSH.saturating_sub(flushed.elapsed());
            let batch = match inputs.recv_timeout(wait) {
                Ok(batch) => batch,
                Err(RecvTimeoutError::Timeout) => vec![],
                Err(RecvTimeoutError::Disconnected) => return self.writer.flush(),
            };
            for mut input in batch {
                if let Some(masker) = &mut self.masker {
                    masker.input(&mut input);
                }
                self.writer.push(&input)?;
            }
            if flushed.elapsed() >= FLUSH {
                self.writer.flush()?;
                flushed = Instant::now();
            }
            if self.writer.written() >= self.max_size {
                self.over.store(true, Ordering::Relaxed);
            }
        }
    }
}
