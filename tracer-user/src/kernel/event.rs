//! Records of the ring buffer as values.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tracer_common::record::{
    self, DATA_UNREADABLE, FAMILY_INET, FAMILY_INET6, Flow, Header, KIND_CONNECTION, KIND_COURSE,
    KIND_DATA, KIND_PROCESS, KIND_STATE, KIND_TRAFFIC,
};
use zerocopy::FromBytes;

/// One record.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// An operation moved bytes: the record, the bytes from its beginning, those from its end.
    Data(record::Data, &'a [u8], &'a [u8]),
    /// First sight of a connection, or a new verdict on it.
    Connection(record::Connection),
    /// A connection changed state.
    State(record::State),
    /// What a connection that carries TLS has moved.
    Traffic(record::Traffic),
    /// A process changed.
    Process(record::Process),
    /// A flow of execution did what no operation shows.
    Course(record::Course),
}

impl<'a> Event<'a> {
    /// Reads a record; `None` if it is of no known kind, too short for what it says, or
    /// contradicts itself.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (header, _) = Header::read_from_prefix(bytes).ok()?;
        match header.kind {
            KIND_DATA => {
                let (data, rest) = record::Data::read_from_prefix(bytes).ok()?;
                let (head, rest) = rest.split_at_checked(data.head_len as usize)?;
                let tail = rest.get(..data.tail_len as usize)?;
                let told = u64::from(data.head_len) + u64::from(data.tail_len);
                let readable = data.flags & DATA_UNREADABLE == 0;
                let fits = told <= u64::from(data.len) && (readable || told == 0);
                fits.then_some(Event::Data(data, head, tail))
            }
            KIND_CONNECTION => {
                Some(Event::Connection(record::Connection::read_from_prefix(bytes).ok()?.0))
            }
            KIND_STATE => Some(Event::State(record::State::read_from_prefix(bytes).ok()?.0)),
            KIND_TRAFFIC => Some(Event::Traffic(record::Traffic::read_from_prefix(bytes).ok()?.0)),
            KIND_PROCESS => Some(Event::Process(record::Process::read_from_prefix(bytes).ok()?.0)),
            KIND_COURSE => Some(Event::Course(record::Course::read_from_prefix(bytes).ok()?.0)),
            _ => None,
        }
    }

    /// Who did it.
    #[must_use]
    pub fn flow(&self) -> Flow {
        match self {
            Event::Data(data, ..) => data.flow,
            Event::State(state) => state.flow,
            Event::Course(course) => course.flow,
            Event::Connection(_) | Event::Traffic(_) | Event::Process(_) => Flow::default(),
        }
    }

    /// What every record starts with.
    #[must_use]
    pub fn header(&self) -> &Header {
        match self {
            Event::Data(data, ..) => &data.header,
            Event::Connection(connection) => &connection.header,
            Event::State(state) => &state.header,
            Event::Traffic(traffic) => &traffic.header,
            Event::Process(process) => &process.header,
            Event::Course(course) => &course.header,
        }
    }
}

/// An address as a record holds it; an IPv4 address mapped into IPv6 becomes IPv4.
#[must_use]
pub fn address(family: u16, bytes: [u8; 16]) -> Option<IpAddr> {
    match family {
        FAMILY_INET => {
            let [a, b, c, d, ..] = bytes;
            Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
        }
        FAMILY_INET6 => Some(IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()),
        _ => None,
    }
}
