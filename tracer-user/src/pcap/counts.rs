//! What is left out, by name.

use std::collections::BTreeMap;

/// Why a packet, or what it carries, is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Count {
    /// ARP and the like: nothing is lost.
    NotIp,
    /// UDP and the like: nothing is lost.
    NotTcp,
    /// A connection that carries something else: nothing is lost.
    NotHttp,
    /// Bytes that were there already: nothing is lost.
    Repeated,
    /// A link type that is not known.
    UnknownLink,
    /// A pcapng packet of an interface that was never described.
    UnknownInterface,
    /// So much is missing at its end that the headers are not whole.
    CutPacket,
    /// A header contradicts itself.
    BadHeader,
    /// Fragments whose packet never became whole, or is not valid.
    Fragments,
    /// A sequence number that is not near those of its connection.
    OutOfWindow,
    /// A stretch of bytes of a connection that the capture lacks.
    Gap,
    /// Connections over the limit: the one that was idle longest is given up.
    Connections,
    /// Servers over the limit: their connections are left out.
    Servers,
    /// Of a connection found in the middle, before it has shown who is its client: no span can be
    /// made of it.
    Undecided,
    /// A packet's time was before that of the packet before it, or not near it.
    Time,
    /// The file ends within a packet.
    CutFile,
}

impl Count {
    /// The name under which it is told, and whether it is a loss.
    fn told(self) -> (&'static str, bool) {
        match self {
            Count::NotIp => ("not_ip", false),
            Count::NotTcp => ("not_tcp", false),
            Count::NotHttp => ("not_http_connections", false),
            Count::Repeated => ("repeated_segments", false),
            Count::UnknownLink => ("unknown_link_types", true),
            Count::UnknownInterface => ("unknown_interfaces", true),
            Count::CutPacket => ("packets_cut", true),
            Count::BadHeader => ("bad_headers", true),
            Count::Fragments => ("fragments_given_up", true),
            Count::OutOfWindow => ("segments_out_of_window", true),
            Count::Gap => ("capture_gaps", true),
            Count::Connections => ("capture_connections_full", true),
            Count::Servers => ("capture_servers_full", true),
            Count::Undecided => ("undecided_segments", false),
            Count::Time => ("times_clamped", true),
            Count::CutFile => ("file_cut", true),
        }
    }
}

/// How often each happened.
#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<Count, u64>);

impl Counts {
    pub(super) fn add(&mut self, what: Count) {
        self.add_many(what, 1);
    }

    pub(super) fn add_many(&mut self, what: Count, times: u64) {
        if times > 0 {
            *self.0.entry(what).or_default() += times;
        }
    }

    /// By name; losses, or what nothing is lost by.
    pub(super) fn told(&self, losses: bool) -> BTreeMap<&'static str, u64> {
        let told = self.0.iter().map(|(what, count)| (what.told(), *count));
        told.filter(|((_, loss), _)| *loss == losses).map(|((name, _), n)| (name, n)).collect()
    }
}
