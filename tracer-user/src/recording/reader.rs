//! A file to inputs. Whatever the file holds, reading it takes bounded memory and never panics.

use std::collections::VecDeque;
use std::io::Read;

use anyhow::{Context as _, Result, bail, ensure};
use tracer_common::record::{Data, MAX_COPY, MAX_TAIL};

use super::entry::Entry;
use super::frame::{self, Found};
use super::header::Header;
use super::times::Times;
use super::writer::{MAGIC, VERSION};
use crate::pipeline::Settings;
use crate::replay::{Input, LeftOut, Source};
use crate::trace::Clock;

/// Inputs that are looked at beyond the next one.
const AHEAD: usize = 32;
/// Bytes of the longest record that the probes write.
pub(super) const MAX_RECORD: usize = size_of::<Data>() + MAX_COPY + MAX_TAIL;

/// Reads a recording.
#[derive(Debug)]
pub struct Reader<R> {
    file: R,
    header: Header,
    block: Vec<u8>,
    /// How much of the block has been read.
    read: usize,
    /// Where it and the one after it begin in the file.
    at: u64,
    offset: u64,
    ahead: VecDeque<Input>,
    times: Times,
    over: bool,
    stopped: bool,
    truncated: bool,
    /// Marks of missing records.
    gaps: u64,
}

/// Whether a file that begins so is a recording.
#[must_use]
pub fn is_recording(start: &[u8]) -> bool {
    start.starts_with(MAGIC)
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// The file cannot be read, or is no recording, or one of another version.
    pub fn new(mut file: R) -> Result<Self> {
        let mut start = [0; 12];
        let length = frame::fill(&mut file, &mut start)?;
        let (magic, version) = start.split_at(MAGIC.len());
        ensure!(magic == MAGIC, "not a recording of the tracer");
        ensure!(length == start.len(), "the recording ends within its header");
        let version = version.try_into().map_or(0, u32::from_le_bytes);
        ensure!(
            version == VERSION,
            "the recording has format version {version}; this tracer reads version {VERSION}"
        );
        let Found::Frame(json, taken) = frame::open(&mut file).context("the header")? else {
            bail!("the recording ends within its header");
        };
        let header: Header = serde_json::from_slice(&json).context("the header")?;
        ensure!(
            header.records == tracer_common::record::VERSION,
            "the recording's events have layout version {}; this tracer reads version {}",
            header.records,
            tracer_common::record::VERSION
        );
        Ok(Self {
            file,
            header,
            block: vec![],
            read: 0,
            at: 0,
            offset: start.len() as u64 + taken,
            ahead: VecDeque::new(),
            times: Times::default(),
            over: false,
            stopped: false,
            truncated: false,
            gaps: 0,
        })
    }

    /// What the recording says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next input of the file as it stands there.
    fn decode(&mut self) -> Result<Option<Input>> {
        while self.read >= self.block.len() {
            self.at = self.offset;
            match frame::open(&mut self.file).with_context(|| corrupt(self.at))? {
                Found::Frame(contents, taken) => {
                    self.offset += taken;
                    (self.block, self.read) = (contents, 0);
                }
                found => {
                    // Only what was stopped in an orderly way has an end.
                    self.truncated = matches!(found, Found::Cut) || !self.stopped;
                    return Ok(None);
                }
            }
        }
        let rest = self.block.get(self.read..).unwrap_or_default();
        let (entry, after) =
            postcard::take_from_bytes::<Entry<'_>>(rest).with_context(|| corrupt(self.at))?;
        if let Entry::Record(record) = &entry {
            let length = record.len();
            ensure!(
                length <= MAX_RECORD,
                "{}: a record of {length} bytes, and none has more than {MAX_RECORD}",
                corrupt(self.at)
            );
        }
        let (input, left) = (Input::from(entry), after.len());
        self.read = self.block.len() - left;
        self.stopped |= matches!(input, Input::Stop(_));
        self.gaps += u64::from(matches!(input, Input::Lost { .. }));
        Ok(Some(input))
    }
}

fn corrupt(offset: u64) -> String {
    format!("the recording is corrupt in the block at byte {offset}")
}

impl<R: Read> Source for Reader<R> {
    fn clock(&self) -> Clock {
        self.header.clock()
    }

    fn settings(&self) -> Option<Settings> {
        Some(self.header.settings())
    }

    fn left_out(&self) -> LeftOut {
        let losses = [
            ("recording_gaps", self.gaps),
            ("recording_truncated", self.truncated.into()),
            ("recording_times_clamped", self.times.clamped()),
        ];
        let losses = losses.into_iter().filter(|(_, count)| *count > 0).collect();
        LeftOut { losses, ..LeftOut::default() }
    }

    fn next(&mut self) -> Result<Option<Input>> {
        while !self.over && self.ahead.len() <= AHEAD {
            match self.decode()? {
                Some(input) => {
                    self.times.look_ahead(&input);
                    self.ahead.push_back(input);
                }
                None => self.over = true,
            }
        }
        let Some(mut input) = self.ahead.pop_front() else { return Ok(None) };
        self.times.check(&mut input);
        Ok(Some(input))
    }
}
