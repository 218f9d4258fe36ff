//! What kind of file it is.

use std::fs::File;
use std::io::{Cursor, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};

use crate::config::Limits;
use crate::pcap::{self, Capture};
use crate::recording::{self, Reader};

use super::Source;

/// A file that is being replayed.
pub struct Opened {
    /// What it holds.
    pub source: Box<dyn Source + Send>,
    /// Bytes of it that have been read.
    pub read: Arc<AtomicU64>,
    /// Its length in bytes, where it has one.
    pub len: Option<u64>,
}

/// Bytes that tell one kind of file from another.
const MAGIC: u64 = 64;

/// Opens a recording or a packet capture; `-` is standard input.
///
/// # Errors
/// The file can't be read, or is none of these.
pub fn open(path: &Path, limits: &Limits) -> Result<Opened> {
    let name = path.display();
    let (input, len): (Box<dyn Read + Send>, _) = if path.as_os_str() == "-" {
        (Box::new(std::io::stdin()), None)
    } else {
        let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        let about = file.metadata().with_context(|| format!("cannot open {name}"))?;
        (Box::new(file), about.is_file().then_some(about.len()))
    };
    let read = Arc::new(AtomicU64::new(0));
    let mut input = Counted { input, read: read.clone() };
    let mut magic = vec![];
    let start = input.by_ref().take(MAGIC).read_to_end(&mut magic);
    start.with_context(|| format!("cannot read {name}"))?;
    let is_capture = pcap::is_capture(&magic);
    let is_recording = recording::is_recording(&magic);
    let whole = Cursor::new(magic).chain(input);
    let source: Box<dyn Source + Send> = if is_capture {
        let connections = NonZeroUsize::new(limits.max_connections as usize);
        let connections = connections.unwrap_or(NonZeroUsize::MIN);
        Box::new(Capture::new(whole, connections).with_context(|| name.to_string())?)
    } else if is_recording {
        Box::new(Reader::new(whole).with_context(|| name.to_string())?)
    } else {
        bail!("{name} is neither a recording of tracer record, nor pcap, nor pcapng");
    };
    Ok(Opened { source, read, len })
}

/// Counts what is read.
struct Counted<R> {
    input: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
