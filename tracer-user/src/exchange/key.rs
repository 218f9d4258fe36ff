//! Names that both ends of an exchange can compute alone.

use crate::connection::Bases;

use super::Side;

/// Names a connection at both of its ends: the sequence numbers at which its two streams begin,
/// the client's (in HTTP's sense) first. Survives address translation; 64 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionKey(pub u64);

/// Names an exchange at both of its ends: its connection, and the position of its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PairKey(pub u64);

impl ConnectionKey {
    /// From what one side sees. Whoever called connect(2) has a sending base that is lower by one,
    /// because its SYN counts as acknowledged; where that was not seen, it is HTTP's client.
    #[must_use]
    pub fn new(side: Side, opener: Option<bool>, bases: Bases) -> Self {
        let send = bases.send.wrapping_add(syn(side, opener, bases) as u32);
        let (client, server) = match side {
            Side::Client => (send, bases.receive),
            Side::Server => (bases.receive, send),
        };
        Self(u64::from(client) << 32 | u64::from(server))
    }
}

impl PairKey {
    /// `position` is the request's, counted as this side sees it.
    #[must_use]
    pub fn new(side: Side, opener: Option<bool>, bases: Bases, position: u64) -> Self {
        let connection = ConnectionKey::new(side, opener, bases);
        let counted = side == Side::Client && !bases.tls;
        let skip = if counted { syn(side, opener, bases) } else { 0 };
        // In front of a TLS session, plaintext of the connection itself may have asked for a tunnel.
        let space = if bases.tls { TLS } else { 0 };
        Self(mix(connection.0 ^ mix(position.saturating_sub(skip) ^ space)))
    }
}

/// What sets the positions of a TLS session's plaintext apart: no stream gets that far.
const TLS: u64 = 1 << 62;

impl PairKey {
    /// Of a stream of a connection that carries several at once (HTTP/2): its number says more than
    /// its place, which need not be seen.
    #[must_use]
    pub fn of_stream(connection: ConnectionKey, stream: u32) -> Self {
        /// No position is as high.
        const STREAM: u64 = 1 << 63;
        Self(mix(connection.0 ^ mix(STREAM | u64::from(stream))))
    }
}

impl PairKey {
    /// Of a message that came unasked, with the byte at this position of what the client received. It has
    /// no other end.
    #[must_use]
    pub fn of_delivery(connection: ConnectionKey, position: u64) -> Self {
        /// No position is as high.
        const DELIVERY: u64 = 1 << 60;
        Self(mix(connection.0 ^ mix(DELIVERY | position)))
    }
}

impl PairKey {
    /// Of a connection as a whole.
    #[must_use]
    pub fn of_connection(connection: ConnectionKey) -> Self {
        /// No position is as high.
        const WHOLE: u64 = 1 << 61;
        Self(mix(connection.0 ^ mix(WHOLE)))
    }
}

/// 1 where this side's sent stream counts its SYN as a byte.
fn syn(side: Side, opener: Option<bool>, bases: Bases) -> u64 {
    (!bases.unix && opener.unwrap_or(side == Side::Client)).into()
}

/// The finalizer of splitmix64 (Steele, Lea, Flood 2014): a bijection that spreads every bit.
#[must_use]
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::{Bases, ConnectionKey, PairKey, Side};

    const CLIENT: Bases = Bases { send: 999, receive: 5000, unix: false, tls: false };
    const SERVER: Bases = Bases { send: 5000, receive: 1000, unix: false, tls: false };

    #[test]
    fn both_ends_compute_the_same() {
        for (client, server) in [(Some(true), Some(false)), (None, None), (Some(true), None)] {
            assert_eq!(
                PairKey::new(Side::Client, client, CLIENT, 78),
                PairKey::new(Side::Server, server, SERVER, 77)
            );
            assert_eq!(
                ConnectionKey::new(Side::Client, client, CLIENT),
                ConnectionKey::new(Side::Server, server, SERVER)
            );
        }
    }

    #[test]
    fn a_server_may_be_the_one_that_connects() {
        let client = Bases { send: 1000, receive: 5000, unix: false, tls: false };
        let server = Bases { send: 4999, receive: 1000, unix: false, tls: false };
        assert_eq!(
            PairKey::new(Side::Client, Some(false), client, 0),
            PairKey::new(Side::Server, Some(true), server, 0)
        );
    }

    #[test]
    fn unix_sockets_have_no_syn() {
        let client = Bases { send: 1000, receive: 5000, unix: true, tls: false };
        let server = Bases { send: 5000, receive: 1000, unix: true, tls: false };
        assert_eq!(
            PairKey::new(Side::Client, None, client, 7),
            PairKey::new(Side::Server, None, server, 7)
        );
    }

    #[test]
    fn plaintext_of_tls_is_counted_alike_and_apart() {
        let (client, server) = (Bases { tls: true, ..CLIENT }, Bases { tls: true, ..SERVER });
        let key = PairKey::new(Side::Client, Some(true), client, 0);
        assert_eq!(key, PairKey::new(Side::Server, Some(false), server, 0));
        assert_ne!(key, PairKey::new(Side::Server, Some(false), SERVER, 0));
    }

    #[test]
    fn requests_of_one_connection_differ() {
        let key = |position| PairKey::new(Side::Server, None, SERVER, position);
        assert_ne!(key(0), key(1));
        assert_ne!(key(0), key(1 << 32));
        let connection = ConnectionKey::new(Side::Server, None, SERVER);
        let stream = |number| PairKey::of_stream(connection, number);
        assert_ne!(stream(1), stream(3));
        assert_ne!(stream(1), key(1));
        assert_ne!(PairKey::of_connection(connection), key(0));
    }
}
