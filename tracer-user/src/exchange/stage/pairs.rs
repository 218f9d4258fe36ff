//! The two ends of one exchange find each other.

use crate::connection::Cookie;
use crate::exchange::{Side, Signal};

use super::Exchanges;

impl Exchanges {
    /// When the other end of an exchange that starts now can have begun at the earliest. The keys of
    /// unix sockets are less than certain: what was in flight when the probes began to count, or was
    /// spliced away, makes the two ends count differently. But what a server began before its client
    /// had read the response before is not the client's next request.
    fn since(&mut self, side: Side, cookie: Cookie) -> u64 {
        let connection = self.connections.get_mut(cookie);
        let unix = connection.filter(|end| end.bases.unix && side == Side::Client);
        unix.map_or(0, |end| end.state.received)
    }

    /// Lets the exchanges that have just started look for their other ends.
    pub(super) fn pair(&mut self, from: usize, signals: &mut Vec<Signal>) {
        let mut at = from;
        while at < signals.len() {
            if let Signal::Ended(exchange) = &signals[at]
                && (exchange.side, exchange.is_unix()) == (Side::Client, true)
            {
                self.pairing.leave(exchange.key, exchange.id);
            }
            if let Signal::Started { id, side, connection, cookie, sealed, .. } = signals[at]
                && let Some(call) = self.carrier(id, side, connection, cookie, sealed)
            {
                at += 1;
                signals.insert(at, Signal::Carries { call, server: id });
            } else if let Signal::Started { id, side, key, at: moment, cookie, .. } = signals[at]
                && let since = self.since(side, cookie)
                && let Some(peer) = self.pairing.enter(key, side, id, moment.time, since)
            {
                let (client, server) = if side == Side::Client { (id, peer) } else { (peer, id) };
                // Before `Started`'s successors, so that whoever hears of them knows the pair.
                at += 1;
                signals.insert(at, Signal::Paired { client, server });
            }
            at += 1;
        }
    }
}
