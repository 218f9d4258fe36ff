//! Frames: compressed, with their lengths and checksums.

use std::io::{self, ErrorKind, Read};

use anyhow::{Context as _, Result, ensure};

/// Most bytes of a frame's contents before compression; a list of 200,000 existing connections
/// fits.
pub(super) const MAX_LENGTH: u32 = 16 << 20;
/// Bytes before the contents.
const PREFIX: usize = 16;
/// zstd's default. The blocks of a recording of Flask and Go services, 137 KB: 21.3 KB by zstd 3 (at
/// some 800 MB/s), 22.1 by zstd 1, 21.9 by deflate 6 (50 MB/s), 25.5 by deflate 1, 33.7 by lz4.
const LEVEL: i32 = 3;

/// A frame's bytes.
///
/// # Errors
/// The contents are longer than [`MAX_LENGTH`], or memory is short.
pub(super) fn seal(contents: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(contents.len()).ok().filter(|length| *length <= MAX_LENGTH);
    let length = length.ok_or_else(|| io::Error::other("a block of this recording is too long"))?;
    let stored = zstd::bulk::compress(contents, LEVEL)?;
    let mut frame = Vec::with_capacity(PREFIX + stored.len());
    frame.extend_from_slice(&(stored.len() as u32).to_le_bytes());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(&stored).to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_le_bytes());
    frame.extend_from_slice(&stored);
    Ok(frame)
}

/// What was found at a place where a frame may be.
#[derive(Debug)]
pub(super) enum Found {
    /// Its contents, and the bytes that it took in the file.
    Frame(Vec<u8>, u64),
    /// The file ends here.
    End,
    /// The file ends within a frame.
    Cut,
}

/// Reads a frame that is at most [`MAX_LENGTH`] long.
///
/// # Errors
/// Why the file could not be read, or that the frame is not what its checksums say.
pub(super) fn open(file: &mut impl Read) -> Result<Found> {
    let mut prefix = [0; PREFIX];
    match fill(file, &mut prefix)? {
        0 => return Ok(Found::End),
        PREFIX => {}
        _ => return Ok(Found::Cut),
    }
    let [stored, length, contents_sum, prefix_sum] = numbers(&prefix);
    let summed = prefix.get(..12).map(crc32fast::hash);
    ensure!(summed == Some(prefix_sum), "the block's lengths do not fit its checksum");
    let most = zstd::zstd_safe::compress_bound(MAX_LENGTH as usize);
    ensure!(length <= MAX_LENGTH && stored as usize <= most, "the block is too long");
    let mut compressed = Vec::new();
    let read = file.by_ref().take(stored.into()).read_to_end(&mut compressed)?;
    if read < stored as usize {
        return Ok(Found::Cut);
    }
    ensure!(crc32fast::hash(&compressed) == contents_sum, "the block does not fit its checksum");
    let contents = zstd::bulk::decompress(&compressed, length as usize)
        .context("the block cannot be decompressed")?;
    ensure!(contents.len() == length as usize, "the block is shorter than it says");
    Ok(Found::Frame(contents, (PREFIX + compressed.len()) as u64))
}

/// Reads as much as there is; how much that was.
pub(super) fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn numbers(prefix: &[u8; PREFIX]) -> [u32; 4] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *prefix;
    [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]].map(u32::from_le_bytes)
}
