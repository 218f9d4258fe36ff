//! One file of the store: a redb database of blocks that came in one stretch of time, deleted as a
//! whole. Keys are a part, a block's number and a piece; the tail has a part of its own.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use redb::backends::FileBackend;
use redb::{Database, Durability, ReadOnlyTable, ReadableDatabase as _, TableDefinition};

use super::block::{Block, Part};
use super::error::Damage;
use super::pieces::pieces;

type Key = (u8, u64, u16);

const VALUES: TableDefinition<'_, Key, &[u8]> = TableDefinition::new("values");
const FACTS: TableDefinition<'_, &str, u64> = TableDefinition::new("facts");
/// Changes with everything that older programs would misread.
const FORMAT: u64 = 1;
/// For each file; what is read is decoded at once, so more would only be held twice.
const CACHE: usize = 2 << 20;
/// The part whose values are spans that are in no block yet.
const TAIL: u8 = 255;

fn part(part: Part) -> u8 {
    match part {
        Part::Head => 0,
        Part::Traces => 1,
        Part::Columns => 2,
        Part::Words => 3,
        Part::Rows => 4,
    }
}

/// What goes into a file at once, or not at all.
#[derive(Default)]
pub(super) struct Change {
    pub(super) blocks: Vec<(u64, Block)>,
    /// The tail's spans are in the blocks now.
    pub(super) without_tail: bool,
    /// Spans at the end of the tail.
    pub(super) tail: Option<(u64, Vec<u8>)>,
}

impl Change {
    /// About how many bytes it adds.
    pub(super) fn bytes(&self) -> u64 {
        let parts = self.blocks.iter().flat_map(|(_, block)| &block.parts);
        let blocks = parts.map(|(_, bytes)| bytes.len());
        let tail = self.tail.iter().map(|(_, it)| it.len());
        blocks.chain(tail).map(|bytes| bytes as u64 + PAGE).sum()
    }
}

/// A page of redb's: the least that a value takes.
const PAGE: u64 = 4096;

/// An open file.
pub(super) struct Segment {
    path: PathBuf,
    database: Database,
    /// Seconds since the Unix epoch.
    pub(super) opened: u64,
    used: AtomicU64,
}

/// redb may panic over a file that something else has written to.
fn guarded<T>(work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, Damage> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(Damage::from),
        Err(_) => Err(Damage::new("the database cannot make sense of it")),
    }
}

impl Segment {
    /// Makes a new file.
    pub(super) fn create(path: &Path, opened: u64) -> Result<Self, Damage> {
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(Damage::system)?;
        let made = Self::with(path, file, |database| {
            let change = database.begin_write()?;
            {
                let mut facts = change.open_table(FACTS)?;
                facts.insert("format", FORMAT)?;
                facts.insert("opened", opened)?;
                change.open_table(VALUES)?;
            }
            change.commit()?;
            Ok(opened)
        });
        if made.is_err() {
            // Not even its beginning is there, so nothing is lost with it.
            let _ = fs::remove_file(path);
        }
        made
    }

    /// Opens one that is there.
    pub(super) fn open(path: &Path) -> Result<Self, Damage> {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(Damage::system)?;
        if file.metadata().map_err(Damage::system)?.len() == 0 {
            return Err(Damage::new("it is empty"));
        }
        let segment = Self::with(path, file, |database| {
            let read = database.begin_read()?;
            let facts = read.open_table(FACTS)?;
            read.open_table(VALUES)?;
            let fact = |name| Ok::<_, redb::Error>(facts.get(name)?.map(|value| value.value()));
            match (fact("format")?, fact("opened")?) {
                (Some(FORMAT), Some(opened)) => Ok(opened),
                (format, _) => Err(redb::Error::Corrupted(format!(
                    "format {format:?} is not the {FORMAT} of this program"
                ))),
            }
        })?;
        segment.look();
        Ok(segment)
    }

    fn with(
        path: &Path,
        file: File,
        begin: impl FnOnce(&Database) -> Result<u64, redb::Error>,
    ) -> Result<Self, Damage> {
        guarded(|| {
            let file = FileBackend::new(file)?;
            let mut builder = Database::builder();
            let database = builder.set_cache_size(CACHE).create_with_backend(file)?;
            let opened = begin(&database)?;
            Ok(Self { path: path.to_owned(), database, opened, used: AtomicU64::new(0) })
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that it takes on the disk, as of the last [`look`](Self::look) or change.
    pub(super) fn used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    fn look(&self) {
        let blocks = fs::metadata(&self.path).map_or(0, |metadata| metadata.blocks());
        self.used.store(blocks * 512, Relaxed);
    }

    /// Makes a change that outlasts the process, and the machine.
    ///
    /// # Errors
    /// It was not made. The database may refuse more until it is opened again.
    pub(super) fn change(&self, change: &Change) -> Result<(), Damage> {
        let done = guarded(|| {
            let mut write = self.database.begin_write()?;
            write.set_durability(Durability::Immediate)?;
            {
                let mut values = write.open_table(VALUES)?;
                if change.without_tail {
                    values.retain_in((TAIL, 0, 0)..=(TAIL, u64::MAX, u16::MAX), |_, _| false)?;
                }
                for (number, block) in &change.blocks {
                    for (of, bytes) in &block.parts {
                        for (n, piece) in pieces(bytes) {
                            values.insert((part(*of), *number, n), piece)?;
                        }
                    }
                }
                if let Some((number, bytes)) = &change.tail {
                    for (n, piece) in pieces(bytes) {
                        values.insert((TAIL, *number, n), piece)?;
                    }
                }
            }
            write.commit()?;
            Ok(())
        });
        self.look();
        done
    }

    /// What it holds now.
    pub(super) fn read(&self) -> Result<Reading, Damage> {
        guarded(|| Ok(Reading(self.database.begin_read()?.open_table(VALUES)?)))
    }
}

/// A state of a file that does not change.
pub(super) struct Reading(ReadOnlyTable<Key, &'static [u8]>);

impl Reading {
    /// A part of a block.
    pub(super) fn get(&self, of: Part, number: u64) -> Result<Vec<u8>, Damage> {
        self.value(part(of), number)
    }

    fn value(&self, part: u8, number: u64) -> Result<Vec<u8>, Damage> {
        guarded(|| {
            let mut bytes = vec![];
            for entry in self.0.range((part, number, 0)..=(part, number, u16::MAX))? {
                bytes.extend_from_slice(entry?.1.value());
            }
            Ok(bytes)
        })
    }

    fn numbers(&self, part: u8) -> Result<Vec<u64>, Damage> {
        guarded(|| {
            let mut numbers = vec![];
            for entry in self.0.range((part, 0, 0)..=(part, u64::MAX, u16::MAX))? {
                let (_, number, piece) = entry?.0.value();
                if piece == 0 {
                    numbers.push(number);
                }
            }
            Ok(numbers)
        })
    }

    /// The numbers of the blocks, in order.
    pub(super) fn blocks(&self) -> Result<Vec<u64>, Damage> {
        self.numbers(part(Part::Head))
    }

    /// The values of the tail with their numbers, in order.
    pub(super) fn tail(&self) -> Result<Vec<(u64, Vec<u8>)>, Damage> {
        let numbers = self.numbers(TAIL)?.into_iter();
        numbers.map(|number| Ok((number, self.value(TAIL, number)?))).collect()
    }
}
