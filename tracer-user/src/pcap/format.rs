//! What headers and packets of a file say, in either format.

use pcap_parser::traits::PcapNGPacketBlock as _;
use pcap_parser::{Block, InterfaceDescriptionBlock, OptionCode, PcapBlockOwned};

/// A packet as the file has it.
pub(super) struct Packet<'a> {
    /// Nanoseconds since the Unix epoch; `None` where the file does not say.
    pub(super) time: Option<u64>,
    /// `LINKTYPE_*`, <https://www.tcpdump.org/linktypes.html>
    pub(super) link: i32,
    /// As much of it as was captured.
    pub(super) bytes: &'a [u8],
}

/// Interfaces of one pcapng section; more are not known.
const MAX_INTERFACES: usize = 4096;

/// What a block holds.
pub(super) enum Found<'a> {
    Packet(Packet<'a>),
    /// Of an interface that is not known.
    Unknown,
    Nothing,
}

/// What was said so far of the packets to come.
#[derive(Default)]
pub(super) struct Format {
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
    /// Takes the next header or packet.
    pub(super) fn read<'a>(&mut self, block: &'a PcapBlockOwned<'_>) -> Found<'a> {
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
                if self.interfaces.len() < MAX_INTERFACES {
                    self.interfaces.push(Interface::new(description, self.big_endian));
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
    fn new(description: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        let mut interface = Self {
            link: description.linktype.0,
            snaplen: description.snaplen,
            resolution: Resolution::Decimal(6),
            offset: 0,
        };
        let number = if big_endian { i64::from_be_bytes } else { i64::from_le_bytes };
        for option in &description.options {
            match (option.code, &*option.value) {
                (OptionCode::IfTsresol, [bits, ..]) => {
                    let digits = bits & 0x7f;
                    let binary = bits & 0x80 != 0;
                    interface.resolution = match binary {
                        true => Resolution::Binary(digits),
                        false => Resolution::Decimal(digits),
                    };
                }
                (OptionCode::IfTsoffset, value) => {
                    interface.offset = value.first_chunk().map_or(0, |bytes| number(*bytes));
                }
                _ => {}
            }
        }
        interface
    }

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
