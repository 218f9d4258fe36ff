//! Packets out of a file.

use std::io::{Cursor, Read};

use anyhow::{Result, anyhow, bail};
use pcap_parser::traits::{PcapNGPacketBlock as _, PcapReaderIterator};
use pcap_parser::{Block, LegacyPcapReader, OptionCode, PcapBlockOwned, PcapError, PcapNGReader};

use super::counts::{Count, Counts};

/// A packet as the file has it.
pub(super) struct Packet<'a> {
    /// Nanoseconds since the Unix epoch; `None` where the file does not say.
    pub(super) time: Option<u64>,
    /// `LINKTYPE_*`, <https://www.tcpdump.org/linktypes.html>
    pub(super) link: i32,
    /// As much of it as was captured.
    pub(super) bytes: &'a [u8],
}

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
/// Interfaces of one pcapng section; more are not known.
const MAX_INTERFACES: usize = 4096;

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

enum Found<'a> {
    Packet(Packet<'a>),
    /// Of an interface that is not known.
    Unknown,
    Nothing,
}

/// What was said so far of the packets to come.
#[derive(Default)]
struct Format {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

struct Interface {
    link: i32,
    /// Most bytes of a packet; 0 for no limit.
    snaplen: u32,
    resolution: Resolution,
    /// Seconds to add.
    offset: i64,
}

/// Fractions of a second that a time counts.
#[derive(Clone, Copy)]
enum Resolution {
    /// 10 to the minus this.
    Decimal(u8),
    /// 2 to the minus this.
    Binary(u8),
}

impl Format {
    fn read<'a>(&mut self, block: &'a PcapBlockOwned<'_>) -> Found<'a> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let digits = if header.is_nanosecond_precision() { 9 } else { 6 };
                self.interfaces = vec![Interface {
                    // The upper bits say whether frames end in a checksum.
                    link: header.network.0 & 0xffff,
                    snaplen: 0,
                    resolution: Resolution::Decimal(digits),
                    offset: 0,
                }];
                Found::Nothing
            }
            PcapBlockOwned::Legacy(packet) => {
                let Some(interface) = self.interfaces.first() else { return Found::Unknown };
                let unit = if let Resolution::Decimal(9) = interface.resolution { 1 } else { 1000 };
                let seconds = u64::from(packet.ts_sec) * 1_000_000_000;
                let time = Some(seconds + u64::from(packet.ts_usec) * unit);
                Found::Packet(Packet { time, link: interface.link, bytes: packet.data })
            }
            PcapBlockOwned::NG(block) => self.read_ng(block),
        }
    }

    fn read_ng<'a>(&mut self, block: &'a Block<'_>) -> Found<'a> {
        match block {
            Block::SectionHeader(header) => {
                self.big_endian = header.big_endian();
                self.interfaces.clear();
                Found::Nothing
            }
            Block::InterfaceDescription(description) => {
                let mut interface = Interface {
                    link: description.linktype.0,
                    snaplen: description.snaplen,
                    resolution: Resolution::Decimal(6),
                    offset: 0,
                };
                for option in &description.options {
                    match (option.code, &*option.value) {
                        (OptionCode::IfTsresol, [bits, ..]) => {
                            let binary = bits & 0x80 != 0;
                            let digits = bits & 0x7f;
                            interface.resolution = match binary {
                                true => Resolution::Binary(digits),
                                false => Resolution::Decimal(digits),
                            };
                        }
                        (OptionCode::IfTsoffset, value) => {
                            if let Some(bytes) = value.first_chunk() {
                                let big = self.big_endian;
                                interface.offset =
                                    if big { i64::from_be_bytes } else { i64::from_le_bytes }(
                                        *bytes,
                                    );
                            }
                        }
                        _ => {}
                    }
                }
                if self.interfaces.len() < MAX_INTERFACES {
                    self.interfaces.push(interface);
                }
                Found::Nothing
            }
            Block::EnhancedPacket(packet) => {
                let interface = usize::try_from(packet.if_id).ok();
                let Some(interface) = interface.and_then(|id| self.interfaces.get(id)) else {
                    return Found::Unknown;
                };
                let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                let time = Some(interface.time(ticks));
                Found::Packet(Packet { time, link: interface.link, bytes: packet.packet_data() })
            }
            Block::SimplePacket(packet) => {
                let Some(interface) = self.interfaces.first() else { return Found::Unknown };
                let bytes = packet.packet_data();
                let limit = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
                let bytes = bytes.get(..limit as usize).unwrap_or(bytes);
                Found::Packet(Packet { time: None, link: interface.link, bytes })
            }
            _ => Found::Nothing,
        }
    }
}

impl Interface {
    /// Nanoseconds since the Unix epoch.
    fn time(&self, ticks: u64) -> u64 {
        let scaled = u128::from(ticks) * 1_000_000_000;
        let nanoseconds = match self.resolution {
            Resolution::Decimal(digits) => {
                10u128.checked_pow(digits.into()).map_or(0, |unit| scaled / unit)
            }
            Resolution::Binary(digits) => scaled >> digits,
        };
        let offset = i128::from(self.offset) * 1_000_000_000;
        let time = i128::try_from(nanoseconds).unwrap_or(i128::MAX).saturating_add(offset);
        u64::try_from(time.max(0)).unwrap_or(u64::MAX)
    }
}
