//! A TCP connection on the wire, the file that it is captured in, and what a replay makes of it.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;

use etherparse::{IpHeaders, IpNumber, Ipv4Header, Ipv6Header, TcpHeader};

use crate::config::{RunArgs, Settings};
use crate::pcap::Capture;
use crate::replay::{Replayed, drive};
use crate::trace::{Span, Value};

pub(super) const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: there\r\n\r\n";
pub(super) const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
pub(super) const MILLISECOND: u64 = 1_000_000;
pub(super) const START: u64 = 1_700_000_000_000_000_000;
/// `LINKTYPE_RAW`.
pub(super) const RAW: u32 = 101;

/// An end of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Client,
    Server,
}
pub(super) use End::{Client, Server};

/// A connection, and the packets of it that were captured. Each comes a millisecond later.
pub(super) struct Wire {
    pub(super) addresses: [SocketAddr; 2],
    /// Next sequence numbers.
    pub(super) next: [u32; 2],
    pub(super) packets: Vec<(u64, Vec<u8>)>,
    pub(super) now: u64,
}

/// Flags of a segment.
pub(super) const SYN: u8 = 2;
pub(super) const ACK: u8 = 16;
pub(super) const FIN: u8 = 1;
pub(super) const RST: u8 = 4;

impl Wire {
    pub(super) fn new() -> Self {
        Self::between("10.0.0.1:40000", "10.0.0.2:80")
    }

    pub(super) fn between(client: &str, server: &str) -> Self {
        let addresses = [client, server].map(|address| address.parse().unwrap());
        Self { addresses, next: [1000, 5000], packets: vec![], now: START }
    }

    /// The handshake.
    pub(super) fn open(mut self) -> Self {
        self.send(Client, SYN, b"");
        self.send(Server, SYN | ACK, b"");
        self.send(Client, ACK, b"");
        self
    }

    /// One end sends a segment, which is captured.
    pub(super) fn send(&mut self, end: End, flags: u8, bytes: &[u8]) -> &mut Self {
        let sequence = self.next[end as usize];
        self.segment(end, sequence, flags, bytes);
        let flagged = u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
        self.lose(end, bytes.len() as u32 + flagged)
    }

    pub(super) fn say(&mut self, end: End, bytes: &[u8]) -> &mut Self {
        self.send(end, ACK, bytes)
    }

    /// So many bytes pass uncaptured.
    pub(super) fn lose(&mut self, end: End, len: u32) -> &mut Self {
        self.next[end as usize] = self.next[end as usize].wrapping_add(len);
        self
    }

    /// Any segment, which moves nothing.
    pub(super) fn segment(
        &mut self,
        end: End,
        sequence: u32,
        flags: u8,
        bytes: &[u8],
    ) -> &mut Self {
        let packet = self.packet(end, sequence, flags, bytes);
        self.now += MILLISECOND;
        self.packets.push((self.now, packet));
        self
    }

    /// An IP packet that is not captured yet.
    pub(super) fn packet(&self, end: End, sequence: u32, flags: u8, bytes: &[u8]) -> Vec<u8> {
        let other = self.next[1 - end as usize];
        let [source, destination] = match end {
            Client => self.addresses,
            Server => [self.addresses[1], self.addresses[0]],
        };
        let mut tcp = TcpHeader::new(source.port(), destination.port(), sequence, 1000);
        (tcp.syn, tcp.fin, tcp.rst) = (flags & SYN != 0, flags & FIN != 0, flags & RST != 0);
        (tcp.ack, tcp.acknowledgment_number) = (flags & ACK != 0, other);
        let len = tcp.header_len() + bytes.len();
        let ip = match (source.ip(), destination.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let header =
                    Ipv4Header::new(len as u16, 64, IpNumber::TCP, from.octets(), to.octets());
                IpHeaders::Ipv4(header.unwrap(), Default::default())
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => IpHeaders::Ipv6(
                Ipv6Header {
                    payload_length: len as u16,
                    next_header: IpNumber::TCP,
                    hop_limit: 64,
                    source: from.octets(),
                    destination: to.octets(),
                    ..Ipv6Header::default()
                },
                Default::default(),
            ),
            _ => panic!("two kinds of addresses"),
        };
        let mut packet = vec![];
        ip.write(&mut packet).unwrap();
        tcp.write(&mut packet).unwrap();
        packet.extend_from_slice(bytes);
        packet
    }

    /// A request and its response.
    pub(super) fn exchange(&mut self) -> &mut Self {
        self.say(Client, GET).say(Server, OK)
    }

    pub(super) fn outcome(&self) -> Outcome {
        Outcome::of(&file(RAW, &self.packets))
    }
}

/// A pcap file with nanoseconds.
pub(super) fn file(link: u32, packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut file = header(0xa1b2_3c4d, link);
    for (time, packet) in packets {
        let len = packet.len() as u32;
        let (seconds, rest) = (time / 1_000_000_000, time % 1_000_000_000);
        for word in [seconds as u32, rest as u32, len, len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

/// A pcap file's header.
pub(super) fn header(magic: u32, link: u32) -> Vec<u8> {
    let words = [magic, 2 | 4 << 16, 0, 0, 65535, link];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// What a replay made of a file.
pub(super) struct Outcome {
    pub(super) spans: Vec<Arc<Span>>,
    pub(super) replayed: Replayed,
}

impl Outcome {
    pub(super) fn of(file: &[u8]) -> Self {
        Self::within(file, 1000)
    }

    /// Following at most so many connections.
    pub(super) fn within(file: &[u8], connections: usize) -> Self {
        let settings = Settings::resolve(&RunArgs::default(), None, &|_| None).unwrap();
        let connections = NonZeroUsize::new(connections).unwrap();
        let mut capture = Capture::new(std::io::Cursor::new(file.to_vec()), connections).unwrap();
        let mut spans = vec![];
        let replayed = drive(&mut capture, &settings, |more| {
            spans.extend(more);
            true
        });
        Self { spans, replayed }
    }

    /// Method, path, status, and what is incomplete, of each span in its order of starts.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut spans: Vec<_> = self.spans.iter().collect();
        spans.sort_by_key(|span| span.start);
        let line = |span: &&Arc<Span>| {
            let keys = ["http.request.method", "url.path", "http.response.status_code"];
            let parts = keys.into_iter().chain(["tracer.incomplete"]);
            parts.filter_map(|key| attribute(span, key)).collect::<Vec<_>>().join(" ")
        };
        spans.iter().map(line).collect()
    }

    pub(super) fn lost(&self, name: &str) -> u64 {
        self.replayed.losses.get(name).copied().unwrap_or(0)
    }

    pub(super) fn passed_over(&self, name: &str) -> u64 {
        self.replayed.passed_over.get(name).copied().unwrap_or(0)
    }

    /// Asserts that nothing but one whole `GET /a` was found.
    #[track_caller]
    pub(super) fn assert_one(&self) {
        assert_eq!(self.lines(), ["GET /a 200"], "{:?}", self.replayed);
        assert!(self.replayed.broken.is_none());
    }
}

pub(super) fn attribute(span: &Span, key: &str) -> Option<String> {
    let (_, value) = span.attributes.iter().find(|(name, _)| name == key)?;
    Some(match value {
        Value::Text(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Texts(texts) => texts.join(","),
        other => format!("{other:?}"),
    })
}
