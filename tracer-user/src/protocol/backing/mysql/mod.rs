//! The client/server protocol of MySQL and MariaDB
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html>,
//! <https://mariadb.com/kb/en/clientserver-protocol/>).
//!
//! Every command that is answered is a call. Nothing is told of how the client got in.

mod answer;
mod command;
mod compressed;
#[cfg(test)]
mod compressed_tests;
mod login;
mod middle;
#[cfg(test)]
mod middle_tests;
mod packet;
mod pending;
mod requests;
mod responses;
#[cfg(test)]
mod session;
mod shown;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use lru::LruCache;

use self::compressed::Layer;
use self::packet::Close;
use self::pending::Pending;
use super::sql::{Described, Doubt, Quotes};
use super::{Calls, Dialect, Message, Split, Text};
use crate::connection::Moment;
use crate::protocol::http1::Direction;

/// Most prepared statements that are remembered.
const MAX_STATEMENTS: usize = 1024;

/// Most calls that wait for their answers.
const MAX_CALLS: usize = 256;

/// Most answers that are waited for.
const MAX_ANSWERS: usize = 4096;

/// Bytes shown of packets that say more than their kind.
const SOME: usize = 64;

/// The statement prepared last, as MariaDB's clients call it.
const LAST_PREPARED: u32 = u32::MAX;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was seen.
    Fresh,
    /// The server has greeted.
    Greeted,
    /// The client has asked for TLS.
    Tls,
    /// The client has said who it is.
    Login,
    Commands,
}

/// A connection.
#[derive(Debug)]
pub(in crate::protocol) struct MySql {
    text: Text,
    phase: Phase,
    database: Option<String>,
    /// Everything behind the login will be.
    compressed: bool,
    /// What everything is in by now.
    layer: Option<Box<Layer>>,
    quotes: Quotes,
    statements: LruCache<u32, Arc<Described>>,
    prepared: Option<Arc<Described>>,
    pending: VecDeque<Pending>,
    remembered: usize,
    /// The client sends a file.
    file: bool,
    /// The next packet of the client, and of the server, continues the one before.
    continues: [bool; 2],
    /// Whether `EOF` comes behind definitions.
    eof: Option<bool>,
    /// The sequence number of the server's next packet.
    expected: Option<u8>,
    /// Bytes of the server's were not seen, and nothing was since.
    seam: bool,
    doubt: Doubt,
    /// The server sends its log from here on: what follows are no calls.
    deaf: bool,
    next: u64,
}

impl MySql {
    /// A connection of which nothing was seen so far.
    pub(in crate::protocol) fn new(text: Text) -> Self {
        Self {
            text,
            phase: Phase::Fresh,
            database: None,
            compressed: false,
            layer: None,
            quotes: Quotes::Strings,
            statements: LruCache::unbounded(),
            prepared: None,
            pending: VecDeque::new(),
            remembered: 0,
            file: false,
            continues: [false; 2],
            eof: None,
            expected: None,
            seam: false,
            doubt: Doubt::None,
            deaf: false,
            next: 0,
        }
    }

    /// The server has told whether a backslash does not escape in statements.
    fn told_quotes(&mut self, unescaped: bool) {
        self.quotes = if unescaped { Quotes::StringsUnescaped } else { Quotes::Strings };
    }

    /// Remembers one. A cache that knew its limit would take up room for all from the beginning.
    fn remember(&mut self, number: u32, statement: Arc<Described>) {
        self.statements.put(number, statement);
        if self.statements.len() > MAX_STATEMENTS {
            self.statements.pop_lru();
        }
    }

    /// Behind bytes that were not seen, answers are seen again, or their end is. Of several, it cannot be
    /// told which one this is. Whether there were such bytes.
    fn resume(&mut self, at: Moment, calls: &mut Calls<'_>) -> bool {
        let resumes = std::mem::take(&mut self.seam);
        if resumes && self.pending.len() > 1 {
            self.doubt = Doubt::Unsure;
            self.abandon_all(at, calls);
        }
        resumes
    }

    /// The connection was met in the middle, and this shows that it is compressed.
    fn is_met_compressed(&self, of: Direction, bytes: &[u8]) -> bool {
        self.phase == Phase::Fresh && of == Direction::Request && compressed::is_met(bytes)
    }
}

impl Dialect for MySql {
    fn split(&self, of: Direction, bytes: &[u8]) -> Split {
        match self.layer {
            Some(_) => compressed::split(of, bytes),
            None if self.is_met_compressed(of, bytes) => compressed::split(of, bytes),
            None => self.split_packet(of, bytes),
        }
    }

    fn begins(&self, of: Direction, bytes: &[u8]) -> bool {
        match self.layer {
            Some(_) => compressed::begins(of, bytes),
            None if of == Direction::Request && self.is_login(bytes) => true,
            // An answer of which nothing was seen begins with the number behind the command's.
            None if of == Direction::Response && !self.is_expected(bytes) => false,
            None => middle::begins(of, bytes) || self.is_met_compressed(of, bytes),
        }
    }

    fn message(&mut self, of: Direction, message: &Message<'_>, calls: &mut Calls<'_>) {
        if self.layer.is_none() && self.is_met_compressed(of, message.bytes) {
            self.phase = Phase::Commands;
            self.layer = Some(Box::new(Layer::new()));
        }
        if let Some(mut layer) = self.layer.take() {
            layer.message(of, message, self, calls);
            self.layer = Some(layer);
            return;
        }
        match of {
            _ if self.deaf => {}
            Direction::Request => self.request(message, calls),
            Direction::Response => self.response(message, calls),
        }
    }

    fn lost(&mut self, of: Direction, _: Moment, _: &mut Calls<'_>) {
        if let Some(layer) = &mut self.layer {
            layer.lost(of);
        }
        match of {
            Direction::Request => (self.continues[0], self.file) = (false, false),
            Direction::Response => {
                (self.continues[1], self.expected, self.seam) = (false, None, true);
                self.pending.iter_mut().for_each(|pending| pending.answer.lose());
            }
        }
    }

    fn ends(&mut self, of: Direction, tail: &[u8], at: Moment, calls: &mut Calls<'_>) -> bool {
        let end = (of == Direction::Response).then(|| middle::end(tail)).flatten();
        if end.is_some() {
            self.resume(at, calls);
        }
        let (Some(end), Some(pending)) = (end, self.pending.front_mut()) else { return false };
        if let (Some(call), false, false) = (pending.call, pending.replied, self.doubt.is_some()) {
            calls.reply(call, at);
        }
        pending.replied = true;
        pending.answer.lose();
        match end {
            Close::Done { more: true, .. } => {
                pending.answer.again();
                self.expected = None;
                return true;
            }
            Close::Done { .. } => self.end(None, at, calls),
            Close::Failed(failure) => self.end(Some(failure), at, calls),
        }
        // Whether what was not seen answered these as well cannot be told.
        self.abandon_all(at, calls);
        true
    }
}
