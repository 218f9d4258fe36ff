//! All segments: opened at the start, a new one begun when one is full or old, the oldest removed
//! when there are too many bytes or it is too old.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, io};

use super::block::{Head, Part, Stored, unpack, unseal};
use super::counters::{Counters, Loss};
use super::directory::Directory;
use super::error::{Damage, OpenError};
use super::limits::Limits;
use super::segment::Segment;
use super::state::{BlockRef, State};
use crate::trace::Span;

/// What a file takes beyond its values: redb's own pages, and a first one of each sort.
const RESERVE: u64 = 1 << 20;
/// What files that were set aside may take together, as a part of the limit, and beside it.
const ASIDE_SHARE: u64 = 4;

/// The files, as the thread that writes knows them.
pub(super) struct Shelf {
    directory: Directory,
    limits: Limits,
    state: Arc<State>,
    counters: Arc<Counters>,
    /// Number and file, the oldest first. The last is written to unless `closed`.
    segments: VecDeque<(u64, Arc<Segment>)>,
    /// The last takes no more.
    closed: bool,
    failed: Option<Failed>,
    /// The number of the next segment, block, and piece of a tail.
    next_segment: u64,
    pub(super) next_block: u64,
    pub(super) next_tail: u64,
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

impl Shelf {
    /// Opens all that is there. What is not what this program wrote is set aside.
    ///
    /// # Errors
    /// What the system refuses.
    pub(super) fn open(
        directory: Directory,
        limits: Limits,
        state: Arc<State>,
        counters: Arc<Counters>,
    ) -> Result<Self, OpenError> {
        let numbers = directory.segments()?;
        let mut shelf = Self {
            directory,
            limits,
            state,
            counters,
            segments: VecDeque::new(),
            closed: true,
            failed: None,
            next_segment: numbers.last().map_or(1, |last| last + 1),
            next_block: 1,
            next_tail: 1,
        };
        for number in numbers {
            let path = || shelf.directory.segment(number);
            let wrong =
                |what| OpenError::Directory { path: path(), source: io::Error::other(what) };
            match shelf.read(number) {
                Ok(opened) => shelf.add(number, opened),
                Err(Damage::System(what)) => return Err(wrong(what)),
                Err(damage) => shelf.set_aside(number, &damage),
            }
        }
        Ok(shelf)
    }

    fn read(&self, number: u64) -> Result<Opened, Damage> {
        let segment = Arc::new(Segment::open(&self.directory.segment(number))?);
        let reading = segment.read()?;
        let mut blocks = vec![];
        for number in reading.blocks()? {
            let head: Head = unseal(&reading.get(Part::Head, number)?)?;
            blocks.push(block_ref(&segment, number, &head));
        }
        let (mut tail, mut next_tail) = (vec![], 0);
        for (number, bytes) in reading.tail()? {
            tail.extend(unpack::<Stored>(&bytes)?.spans(|_| true)?);
            next_tail = number + 1;
        }
        Ok(Opened { segment, blocks, tail, next_tail })
    }

    /// Takes a file as the one to write to. Its tail is the spans that are in no block yet.
    fn add(&mut self, number: u64, opened: Opened) {
        let Opened { segment, blocks: found, tail, next_tail } = opened;
        self.next_tail = self.next_tail.max(next_tail);
        let numbers = found.iter().map(|block| block.number + 1);
        self.next_block = numbers.fold(self.next_block, u64::max);
        self.state.change(|blocks, open| {
            blocks.extend(found);
            open.splice(..0, tail);
        });
        self.segments.push_back((number, segment));
        self.closed = false;
    }

    fn set_aside(&mut self, number: u64, damage: &Damage) {
        let path = self.directory.segment(number);
        let what = match self.directory.set_aside(number) {
            Ok(aside) => format!(
                "{} is no file of traces that can be read ({damage}); it is now {}",
                path.display(),
                aside.display()
            ),
            Err(error) => format!(
                "{} is no file of traces that can be read ({damage}), nor renamed: {error}",
                path.display()
            ),
        };
        self.counters.lost(Loss::SetAside, 1);
        let room = self.limits.bytes / ASIDE_SHARE;
        self.counters.trouble(match self.directory.clear_aside(room) {
            Ok(0) => what,
            Ok(gone) => format!("{what}; {gone} that were set aside before are removed"),
            Err(error) => format!("{what}; those that were set aside before remain: {error}"),
        });
    }

    /// The file to write to; a new one if the last is full, old, or not to be used.
    pub(super) fn current(&mut self) -> Result<Arc<Segment>, Damage> {
        if let Some((_, segment)) = self.segments.back().filter(|_| !self.closed) {
            return Ok(segment.clone());
        }
        let number = self.next_segment;
        let segment = Arc::new(Segment::create(&self.directory.segment(number), now())?);
        self.next_segment += 1;
        self.closed = false;
        self.segments.push_back((number, segment.clone()));
        Ok(segment)
    }

    /// Whether the file that is written to has enough, so that the next change is its last.
    pub(super) fn is_full(&self) -> bool {
        let last = self.segments.back().filter(|_| !self.closed);
        last.is_some_and(|(_, last)| {
            let age = Duration::from_secs(now().saturating_sub(last.opened));
            last.used() >= self.limits.segment_bytes() || age >= self.limits.segment_age()
        })
    }

    /// The file that is written to is given no more.
    pub(super) fn close_current(&mut self) {
        self.closed = true;
    }

    /// Removes what is too old, and what has to go so that there is room for so many bytes.
    ///
    /// Returns `false` if the file that is written to is gone, and its tail with it.
    pub(super) fn make_room(&mut self, bytes: u64) -> bool {
        let before = self.closed;
        let oldest = now().saturating_sub(self.limits.age.as_secs());
        loop {
            let used = self.used() + bytes + RESERVE;
            let Some((_, first)) = self.segments.front() else { break };
            if used <= self.limits.bytes && first.opened >= oldest {
                break;
            }
            self.remove_oldest();
        }
        before == self.closed
    }

    fn remove_oldest(&mut self) {
        let Some((_, segment)) = self.segments.pop_front() else { return };
        self.closed |= self.segments.is_empty();
        self.state.change(|blocks, _| {
            let gone = |block: &&BlockRef| Arc::ptr_eq(&block.segment, &segment);
            let spans = blocks.iter().filter(gone).map(|block| u64::from(block.spans)).sum();
            self.counters.removed(spans);
            blocks.retain(|block| !gone(&block));
        });
        if let Err(error) = fs::remove_file(segment.path()) {
            self.counters.trouble(format!("cannot remove {}: {error}", segment.path().display()));
        }
    }

    /// Bytes on the disk.
    pub(super) fn used(&self) -> u64 {
        let failed = self.failed.iter().map(|failed| failed.used);
        self.segments.iter().map(|(_, segment)| segment.used()).chain(failed).sum()
    }

    /// After a failure the database of the file that is written to takes no more.
    pub(super) fn fail(&mut self) {
        if self.closed {
            return;
        }
        let Some((number, segment)) = self.segments.pop_back() else { return };
        self.closed = true;
        self.state.change(|blocks, _| {
            blocks.retain(|block| !Arc::ptr_eq(&block.segment, &segment));
        });
        self.failed = Some(Failed { number, used: segment.used(), segment: Some(segment) });
    }

    /// Opens the file that failed again, to go on with it. The first `saved` open spans are those of
    /// its tail; returns how many are now.
    ///
    /// # Errors
    /// It is too soon: somebody reads it, or the system still refuses.
    pub(super) fn mend(&mut self, saved: usize) -> Result<usize, Damage> {
        let Some(failed) = &mut self.failed else { return Ok(saved) };
        let number = failed.number;
        match failed.segment.take().map(Arc::try_unwrap) {
            None => {}
            Some(Ok(segment)) => drop(segment),
            Some(Err(segment)) => {
                failed.segment = Some(segment);
                return Err(Damage::System("somebody reads it".to_owned()));
            }
        }
        let result = self.read(number);
        if let Err(damage @ Damage::System(_)) = result {
            return Err(damage);
        }
        self.failed = None;
        match result {
            Ok(opened) => {
                let tail = opened.tail.len();
                self.state.change(|_, open| drop(open.drain(..saved.min(open.len()))));
                self.add(number, opened);
                Ok(tail)
            }
            Err(damage) => {
                self.set_aside(number, &damage);
                Ok(0)
            }
        }
    }
}

/// A file that can be read.
struct Opened {
    segment: Arc<Segment>,
    blocks: Vec<BlockRef>,
    tail: Vec<Arc<Span>>,
    next_tail: u64,
}

/// A file whose database takes no more.
struct Failed {
    number: u64,
    used: u64,
    /// Until nobody reads it.
    segment: Option<Arc<Segment>>,
}

/// A block of a file as readers know it.
pub(super) fn block_ref(segment: &Arc<Segment>, number: u64, head: &Head) -> BlockRef {
    let (spans, first, last) = (head.spans, head.first, head.last);
    BlockRef { segment: segment.clone(), number, spans, first, last }
}
