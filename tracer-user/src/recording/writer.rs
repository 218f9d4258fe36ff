//! Inputs to a file.

use std::io::{self, Write};

use super::entry::Entry;
use super::frame;
use super::header::Header;
use crate::replay::Input;

/// What a recording begins with.
pub(super) const MAGIC: &[u8; 8] = b"TRACEREC";
/// Version of the format of everything but the records of the ring buffer.
pub(super) const VERSION: u32 = 1;
/// Bytes that a block has when it is written, before compression, unless it was flushed earlier.
const BLOCK: usize = 256 << 10;
/// Existing connections that one entry holds at most, so that it fits into a block.
const MAX_EXISTING: usize = 200_000;

/// Writes a recording.
#[derive(Debug)]
pub struct Writer<W> {
    file: W,
    block: Vec<u8>,
    written: u64,
    inputs: u64,
}

impl<W: Write> Writer<W> {
    /// Begins one.
    ///
    /// # Errors
    /// Of writing to `file`.
    pub fn new(mut file: W, header: &Header) -> io::Result<Self> {
        let mut start = MAGIC.to_vec();
        start.extend_from_slice(&VERSION.to_le_bytes());
        start.extend_from_slice(&frame::seal(&serde_json::to_vec(header)?)?);
        file.write_all(&start)?;
        Ok(Self { file, block: vec![], written: start.len() as u64, inputs: 0 })
    }

    /// Adds an input. Of a list of more than 200,000 existing connections the rest is left out.
    ///
    /// # Errors
    /// Of writing to the file; nothing more can be written then.
    pub fn push(&mut self, input: &Input) -> io::Result<()> {
        let mut entry = Entry::from(input);
        if let Entry::Existing { connections, .. } = &mut entry {
            connections.truncate(MAX_EXISTING);
        }
        let block = std::mem::take(&mut self.block);
        self.block = postcard::to_extend(&entry, block).map_err(io::Error::other)?;
        self.inputs += 1;
        if self.block.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    /// Writes what is there as a block.
    ///
    /// # Errors
    /// As [`Writer::push`].
    pub fn flush(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let sealed = frame::seal(&self.block)?;
        self.file.write_all(&sealed)?;
        self.file.flush()?;
        self.written += sealed.len() as u64;
        self.block.clear();
        Ok(())
    }

    /// Whether nothing waits to be written.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.block.is_empty()
    }

    /// Bytes written so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Inputs so far.
    #[must_use]
    pub fn inputs(&self) -> u64 {
        self.inputs
    }
}
