//! The table of connections, with whatever a later stage keeps beside each.

use std::collections::{BTreeSet, HashMap};

use lru::LruCache;
use tracer_common::record::{
    self, CONNECTION_DATAGRAM, DATA_MIDSTREAM, DATA_TLS, DATA_UNIX, FAMILY_UNIX,
};

use super::{Cookie, Info, Stream};

/// Where both streams' sequence numbers begin, as the kernel of this side has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bases {
    /// Of what this side sends.
    pub send: u32,
    /// Of what it receives.
    pub receive: u32,
    /// A unix socket's, or one's of UDP: no SYN is counted.
    pub unix: bool,
    /// Positions count the plaintext of a TLS session: no SYN, nor an end of the stream.
    pub tls: bool,
}

impl Bases {
    /// As an operation tells them.
    #[must_use]
    pub fn of_data(record: &record::Data) -> Self {
        let unix = record.flags & DATA_UNIX != 0;
        let tls = record.flags & DATA_TLS != 0;
        Self { send: record.send_base, receive: record.receive_base, unix, tls }
    }

    /// As first sight of a connection tells them.
    #[must_use]
    pub fn of_connection(record: &record::Connection) -> Self {
        let datagrams = record.flags & CONNECTION_DATAGRAM != 0;
        let unix = record.family == FAMILY_UNIX || datagrams;
        Self { send: record.send_base, receive: record.receive_base, unix, tls: false }
    }
}

/// One side of one connection.
#[derive(Debug)]
pub struct Connection<S> {
    /// Addresses; `None` while the record that tells them is missing.
    pub info: Option<Info>,
    /// Where the sequence numbers begin.
    pub bases: Bases,
    /// What this side sends.
    pub sent: Stream,
    /// What it receives.
    pub received: Stream,
    /// Process that used it last.
    pub pid: u32,
    /// That process has ended since; others may hold the connection, too.
    pub orphaned: bool,
    /// The later stage's own.
    pub state: S,
}

impl<S> Connection<S> {
    /// Nothing had moved when it was first seen.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.info.as_ref().is_some_and(|info| !info.midstream)
    }

    /// Bytes that the stream which this side sends counts although nobody sent them: its SYN.
    #[must_use]
    pub fn syn(&self) -> u64 {
        let opener = self.info.as_ref().is_some_and(|info| info.opener == Some(true));
        (opener && !self.bases.tls).into()
    }

    /// Takes the bases that an operation tells. When they are those of a TLS session for the first
    /// time, everything begins anew: what went before (a request for a tunnel) was not its. Whether
    /// they are.
    pub fn rebase(&mut self, record: &record::Data) -> bool
    where
        S: Default,
    {
        let bases = Bases::of_data(record);
        let begins = bases.tls && !self.bases.tls;
        if begins {
            (self.sent, self.received, self.state) = <_>::default();
            if let Some(info) = &mut self.info {
                info.midstream = record.flags & DATA_MIDSTREAM != 0;
            }
        }
        self.bases = bases;
        begins
    }
}

/// All connections that are worth remembering, at most `limit` of them. When it is full, a new one
/// takes the place of the one that has been idle for longest.
#[derive(Debug)]
pub struct Connections<S> {
    table: HashMap<Cookie, Connection<S>>,
    users: HashMap<u32, BTreeSet<Cookie>>,
    idle: LruCache<Cookie, ()>,
    limit: usize,
    evicted: u64,
    refused: u64,
}

impl<S: Default> Connections<S> {
    /// An empty table.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            table: HashMap::new(),
            users: HashMap::new(),
            idle: LruCache::unbounded(),
            limit,
            evicted: 0,
            refused: 0,
        }
    }

    /// The connection with this cookie, made if it is new, for a process that uses it: it is not
    /// idle until [`Connections::rest`]. `None`, counted, when the table is full of busy ones.
    pub fn touch(&mut self, cookie: Cookie, pid: u32) -> Option<&mut Connection<S>> {
        if !self.table.contains_key(&cookie) {
            if self.table.len() >= self.limit && !self.evict() {
                self.refused += 1;
                return None;
            }
            self.users.entry(pid).or_default().insert(cookie);
            self.table.insert(
                cookie,
                Connection {
                    info: None,
                    bases: Bases::default(),
                    sent: Stream::default(),
                    received: Stream::default(),
                    pid,
                    orphaned: false,
                    state: S::default(),
                },
            );
        }
        self.idle.pop(&cookie);
        let connection = self.table.get_mut(&cookie)?;
        connection.orphaned = false;
        if connection.pid != pid {
            release(&mut self.users, connection.pid, cookie);
            self.users.entry(pid).or_default().insert(cookie);
            connection.pid = pid;
        }
        Some(connection)
    }

    /// Nothing is under way on this connection: it is idle from now on, until it is touched.
    pub fn rest(&mut self, cookie: Cookie) {
        if self.table.contains_key(&cookie) {
            self.idle.put(cookie, ());
        }
    }

    /// Makes room for another connection, if any is idle.
    fn evict(&mut self) -> bool {
        let Some((cookie, ())) = self.idle.pop_lru() else { return false };
        let evicted = self.remove(cookie);
        // A unix socket whose process is gone is most likely closed: nothing is lost with it.
        let gone = |it: &Connection<S>| it.orphaned && it.bases.unix;
        self.evicted += u64::from(!evicted.as_ref().is_some_and(gone));
        evicted.is_some()
    }

    /// The connection with this cookie, if it is known.
    #[must_use]
    pub fn get(&self, cookie: Cookie) -> Option<&Connection<S>> {
        self.table.get(&cookie)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, cookie: Cookie) -> Option<&mut Connection<S>> {
        self.table.get_mut(&cookie)
    }

    /// Forgets a connection that is gone.
    pub fn remove(&mut self, cookie: Cookie) -> Option<Connection<S>> {
        let connection = self.table.remove(&cookie)?;
        self.idle.pop(&cookie);
        release(&mut self.users, connection.pid, cookie);
        Some(connection)
    }

    /// The connections that a process used last, in ascending order.
    #[must_use]
    pub fn of_process(&self, pid: u32) -> Vec<Cookie> {
        self.users.get(&pid).into_iter().flatten().copied().collect()
    }

    /// Every cookie, in no order.
    pub fn cookies(&self) -> impl Iterator<Item = Cookie> + '_ {
        self.table.keys().copied()
    }

    /// How many connections are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Idle connections that were forgotten because the table was full.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Operations that were left out because the table was full of busy connections.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

fn release(users: &mut HashMap<u32, BTreeSet<Cookie>>, pid: u32, cookie: Cookie) {
    if let Some(cookies) = users.get_mut(&pid) {
        cookies.remove(&cookie);
        if cookies.is_empty() {
            users.remove(&pid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Connections, Cookie};

    #[test]
    fn the_limit_holds_and_is_counted() {
        let mut table = Connections::<()>::new(1);
        assert!(table.touch(Cookie(1), 7).is_some());
        assert!(table.touch(Cookie(2), 7).is_none());
        assert!(table.touch(Cookie(1), 7).is_some());
        assert_eq!(table.refused(), 1);
        table.remove(Cookie(1));
        assert!(table.touch(Cookie(2), 7).is_some());
    }

    #[test]
    fn the_one_that_was_idle_for_longest_makes_room() {
        let mut table = Connections::<()>::new(3);
        for cookie in [1, 2, 3] {
            table.touch(Cookie(cookie), 7);
            table.rest(Cookie(cookie));
        }
        table.touch(Cookie(1), 7);
        table.touch(Cookie(2), 7);
        table.rest(Cookie(2));
        assert!(table.touch(Cookie(4), 7).is_some() && table.get_mut(Cookie(3)).is_none());
        assert!(table.touch(Cookie(5), 7).is_some() && table.get_mut(Cookie(2)).is_none());
        assert!(table.touch(Cookie(6), 7).is_none(), "all are busy");
        assert_eq!((table.evicted(), table.refused(), table.len()), (2, 1, 3));
        assert_eq!(table.of_process(7), [Cookie(1), Cookie(4), Cookie(5)]);
        table.rest(Cookie(9));
        assert!(table.touch(Cookie(6), 7).is_none(), "one that is not known cannot make room");
    }

    #[test]
    fn a_connection_follows_its_user() {
        let mut table = Connections::<()>::new(8);
        table.touch(Cookie(1), 7);
        table.touch(Cookie(1), 8);
        assert!(table.of_process(7).is_empty());
        assert_eq!(table.of_process(8), [Cookie(1)]);
    }
}
