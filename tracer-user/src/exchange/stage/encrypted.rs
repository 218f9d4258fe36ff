//! Connections whose plaintext is not had: they tell of themselves ([`Seals`]).

use tracer_common::record;

use crate::connection::{Bases, Cookie, Info, Moment};
use crate::exchange::seals::{Seals, Telling};
use crate::exchange::{ConnectionKey, ExchangeId, Side, Signal};

use super::Exchanges;

/// Type of the record with which either side of TLS begins (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;

impl Exchanges {
    /// A connection was told of that carries TLS. `inbound`: somebody else opened it, as far as is known.
    pub fn encrypted(
        &mut self,
        record: &record::Connection,
        info: Info,
        inbound: bool,
        at: Moment,
        signals: &mut Vec<Signal>,
    ) {
        let cookie = Cookie(record.header.cookie);
        let what = (info.clone(), Bases::of_connection(record));
        self.connection(record, info, at);
        self.telling(signals, |seals, telling| seals.open(cookie, what, inbound, at, telling));
    }

    /// One side of a TLS connection says hello.
    pub fn hello(
        &mut self,
        record: &record::Data,
        bytes: &[u8],
        at: Moment,
        signals: &mut Vec<Signal>,
    ) {
        let cookie = Cookie(record.header.cookie);
        let tunnel = self.connections.get(cookie).filter(|it| !it.bases.tls);
        if let (false, Some(tunnel)) = (self.seals.has(cookie), tunnel)
            && let Some(info) = &tunnel.info
            && bytes.first() == Some(&HANDSHAKE)
        {
            let (inbound, what) = (info.opener == Some(false), (info.clone(), tunnel.bases));
            self.telling(signals, |seals, telling| seals.open(cookie, what, inbound, at, telling));
        }
        self.seals.hello(record, bytes, at, signals);
    }

    /// What a TLS connection has moved so far.
    pub fn traffic(&mut self, record: &record::Traffic) {
        self.seals.traffic(record);
    }

    /// Lets the encrypted connections tell, and what begins by that find its other end.
    pub(super) fn telling(
        &mut self,
        signals: &mut Vec<Signal>,
        act: impl FnOnce(&mut Seals, &mut Telling<'_>),
    ) {
        let from = signals.len();
        act(&mut self.seals, &mut Telling { next: &mut self.next, signals });
        self.pair(from, signals);
    }

    /// The first call over the connection of an exchange that has just started, if that stands for the
    /// other end's all of it.
    pub(super) fn carrier(
        &mut self,
        id: ExchangeId,
        side: Side,
        connection: ConnectionKey,
        cookie: Cookie,
        sealed: bool,
    ) -> Option<ExchangeId> {
        match (side, sealed) {
            (Side::Client, false) if self.is_tls(cookie) => {
                self.calls.get_or_insert(connection, || id);
                None
            }
            (Side::Server, true) => self.calls.peek(&connection).copied(),
            _ => None,
        }
    }
}
