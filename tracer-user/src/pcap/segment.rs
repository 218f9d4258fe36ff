//! A TCP segment, or a datagram of UDP.

use std::net::IpAddr;

/// One end of a connection.
pub(super) type End = (IpAddr, u16);

/// What a packet carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Payload<'a> {
    Segment(Segment<'a>),
    Datagram(Datagram<'a>),
}

/// A datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'a> {
    pub(super) source: End,
    pub(super) destination: End,
    /// As much of its bytes as was captured.
    pub(super) bytes: &'a [u8],
    /// Bytes that it had on the wire, at least `bytes.len()`.
    pub(super) len: u32,
}

/// What of a TCP segment matters here (RFC 9293 section 3.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub(super) source: End,
    pub(super) destination: End,
    /// Sequence number of its first byte, or of its SYN.
    pub(super) sequence: u32,
    /// `None` if the flag is not set.
    pub(super) acknowledged: Option<u32>,
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    /// As much of its bytes as was captured.
    pub(super) bytes: &'a [u8],
    /// Bytes that it had on the wire, at least `bytes.len()`.
    pub(super) len: u32,
}
