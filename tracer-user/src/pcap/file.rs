//! Packets out of a file.

use std::io::{Cursor, Read};

use anyhow::{Result, anyhow, bail};
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{LegacyPcapReader, PcapError, PcapNGReader};

use super::counts::{Count, Counts};
use super::format::{Format, Found, Packet};

/// The two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Pcap,
    PcapNg,
}

impl Kind {
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let magic = u32::from_le_bytes(*bytes.first_chunk()?);
        match magic {
            0xa1b2_c3d4 | 0xa1b2_3c4d | 0xa1b2_cd34 => Some(Kind::Pcap),
            0xd4c3_b2a1 | 0x4d3c_b2a1 => Some(Kind::Pcap),
            0x0a0d_0d0a => Some(Kind::PcapNg),
            _ => None,
        }
    }
}

/// Bytes that are read at once, and the largest packet or block that a file may hold.
const BUFFER: usize = 256 << 10;
const LARGEST: usize = 16 << 20;

/// The packets of a file, one after the other.
pub(super) struct Packets {
    reader: Box<dyn PcapReaderIterator + Send>,
    format: Format,
    capacity: usize,
    counts: Counts,
}

impl Packets {
    /// `reader` stands at the file's first byte.
    pub(super) fn new(mut reader: impl Read + Send + 'static) -> Result<Self> {
        // The parser wants the whole header from one read, of which a pipe may give it less.
        let mut start = vec![];
        reader.by_ref().take(BUFFER as u64 / 2).read_to_end(&mut start)?;
        let kind = Kind::of(&start).ok_or_else(|| anyhow!("neither pcap nor pcapng"))?;
        let whole = Cursor::new(start).chain(reader);
        let broken = |error| anyhow!("the file's header is damaged: {}", plain(&error));
        let reader: Box<dyn PcapReaderIterator + Send> = match kind {
            Kind::Pcap => Box::new(LegacyPcapReader::new(BUFFER, whole).map_err(broken)?),
            Kind::PcapNg => Box::new(PcapNGReader::new(BUFFER, whole).map_err(broken)?),
        };
        Ok(Self { reader, format: Format::default(), capacity: BUFFER, counts: Counts::default() })
    }

    /// Hands over the next packet; `None` at the end.
    pub(super) fn next<T>(&mut self, mut take: impl FnMut(&Packet<'_>) -> T) -> Result<Option<T>> {
        loop {
            let position = self.reader.consumed();
            let missing = match self.reader.next() {
                Ok((length, block)) => {
                    let taken = match self.format.read(&block) {
                        Found::Packet(packet) => Some(take(&packet)),
                        Found::Unknown => {
                            self.counts.add(Count::UnknownInterface);
                            None
                        }
                        Found::Nothing => None,
                    };
                    self.reader.consume(length);
                    match taken {
                        Some(taken) => return Ok(Some(taken)),
                        None => continue,
                    }
                }
                Err(PcapError::Eof) => return Ok(None),
                Err(PcapError::UnexpectedEof) => {
                    self.counts.add(Count::CutFile);
                    return Ok(None);
                }
                Err(PcapError::Incomplete(_)) => false,
                Err(PcapError::BufferTooSmall) => true,
                Err(error) => bail!("damaged at byte {position}: {}", plain(&error)),
            };
            self.more(missing, position)?;
        }
    }

    /// What was left out.
    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Reads on; `grow`: into a larger buffer.
    fn more(&mut self, grow: bool, position: usize) -> Result<()> {
        let before = self.reader.data().len();
        if grow || before >= self.capacity {
            self.capacity *= 2;
            if self.capacity > LARGEST || !self.reader.grow(self.capacity) {
                bail!("damaged at byte {position}: a packet of more than {LARGEST} bytes");
            }
        }
        self.reader.refill().map_err(|error| anyhow!("at byte {position}: {}", plain(&error)))
    }
}

/// The parser's errors hold the whole buffer.
fn plain(error: &PcapError<&[u8]>) -> String {
    match error {
        PcapError::NomError(_, kind) | PcapError::OwnedNomError(_, kind) => {
            format!("not as the format wants it ({kind:?})")
        }
        PcapError::ReadError => "cannot be read".to_owned(),
        PcapError::Incomplete(_) | PcapError::UnexpectedEof => "ends too early".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}
