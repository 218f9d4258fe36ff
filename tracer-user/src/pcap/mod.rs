//! Packet captures (pcap and pcapng) as input of the pipeline: packets become the records that the
//! kernel side of the connection's server would have written.
//!
//! ```text
//! file -> packet -> link -> network (fragments) -> segment -> half (a direction) -> conversation -> records
//!                                               -> datagram -------------------------------------> records
//! ```
//!
//! What a capture cannot say is left open: services are their addresses, processes are made up, one
//! a server address and port. Checksums are not looked at: a sender's network card fills them in
//! after a capture has seen the packet.

mod conversation;
mod counts;
mod datagrams;
mod file;
mod format;
mod fragments;
mod half;
mod link;
mod network;
mod opening;
mod records;
mod segment;
mod servers;
mod source;
mod table;
mod timeline;
mod waiting;

pub use source::Capture;

#[cfg(test)]
mod tests;

/// Whether a file that begins with these bytes is a capture: the magic numbers of pcap
/// (micro- and nanoseconds, and its "modified" form, in either byte order) and of pcapng.
/// <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html>,
/// <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html>
#[must_use]
pub fn is_capture(bytes: &[u8]) -> bool {
    file::Kind::of(bytes).is_some()
}
