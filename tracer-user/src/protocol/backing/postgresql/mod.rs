//! PostgreSQL's protocol 3 (<https://www.postgresql.org/docs/current/protocol-flow.html>).
//!
//! ```text
//! Query                                  -> (RowDescription DataRow* CommandComplete)* ReadyForQuery
//! (Parse? Bind Describe? Execute)* Sync  -> (... CommandComplete)* ReadyForQuery
//! ```
//!
//! A query, simple or of several statements, is a call, and so is each `Execute`. Statements that are
//! prepared without being executed are, too. Nothing is told of how the client got in.

mod answers;
mod group;
mod message;
mod middle;
mod pending;
#[cfg(test)]
mod session;
#[cfg(test)]
mod tests;
mod unseen;

use std::sync::Arc;

use lru::LruCache;

use self::answers::Answers;
use self::group::Group;
use self::message::{HEADER, Startup};
use self::pending::{Says, Until};
use super::sql::{Described, Quotes, describe, readable};
use super::{Call, Calls, Dialect, Found, Message, Split, System, Text};
use crate::connection::Moment;
use crate::protocol::http1::Direction;

/// Most statements, and most portals, that are remembered.
const MAX_NAMES: usize = 1024;

/// Statements or portals by their names, of which one may be empty.
type Names = LruCache<Box<[u8]>, Arc<Described>>;

/// Remembers one. A cache that knew its limit would take up room for all from the beginning.
fn remember(names: &mut Names, name: &[u8], statement: Arc<Described>) {
    names.put(name.into(), statement);
    if names.len() > MAX_NAMES {
        names.pop_lru();
    }
}

/// A connection.
#[derive(Debug)]
pub(in crate::protocol) struct PostgreSql {
    text: Text,
    database: Option<String>,
    quotes: Quotes,
    statements: Names,
    portals: Names,
    group: Group,
    answers: Answers,
    /// So many requests for encryption are to be answered.
    encryption: u8,
    /// The connection is one of replication: what follows are no calls.
    deaf: bool,
    next: u64,
}

impl PostgreSql {
    /// A connection of which nothing was seen so far.
    pub(in crate::protocol) fn new(text: Text) -> Self {
        Self {
            text,
            database: None,
            quotes: Quotes::Identifiers,
            statements: LruCache::unbounded(),
            portals: LruCache::unbounded(),
            group: Group::default(),
            answers: Answers::default(),
            encryption: 0,
            deaf: false,
            next: 0,
        }
    }

    fn describe(&self, sql: &[u8]) -> Described {
        let (sql, _, whole) = message::string(sql);
        describe(&readable(sql), self.quotes, !whole, self.text)
    }

    fn asks(&self, statement: &Described) -> Call {
        statement.call(System::PostgreSql, self.database.as_deref())
    }

    /// A call begins, at the first message of those that make it up.
    fn start(&mut self, first: (Moment, u64), asks: Call, until: Until, calls: &mut Calls<'_>) {
        self.answers.begin(first.0, calls);
        if !self.answers.has_room() {
            self.answers.pass(matches!(until, Until::Ready | Until::Synced));
            return calls.tell(Found::Full);
        }
        let (call, (at, position)) = (self.next, first);
        self.next += 1;
        calls.tell(Found::Started { call, at, position });
        calls.tell(Found::Asked { call, asks: Box::new(asks) });
        self.answers.call(call, until);
    }

    /// The statement that the group prepares, if it does no more.
    fn prepare(&mut self, until: Until, calls: &mut Calls<'_>) -> bool {
        let Group { first: Some(first), parsed: Some(statement), executed: false, .. } =
            &self.group
        else {
            return false;
        };
        let asks = self.asks(&statement.prepared());
        self.start(*first, asks, until, calls);
        true
    }

    /// If a statement is all that was sent, the client waits for it to be prepared.
    fn flush(&mut self, calls: &mut Calls<'_>) {
        let until = Until::Prepared(self.group.described);
        if !self.group.bound && self.prepare(until, calls) {
            self.group = Group::default();
        }
    }

    fn request(&mut self, message: &Message<'_>, calls: &mut Calls<'_>) {
        let Some((&kind, _)) = message.bytes.split_first() else { return };
        let content = message.bytes.get(HEADER..).unwrap_or_default();
        let this = (message.first, message.position);
        if matches!(kind, b'P' | b'B' | b'D' | b'E') {
            self.group.first.get_or_insert(this);
        }
        match kind {
            0 => self.startup(message.bytes),
            b'Q' => {
                self.group = Group::default();
                let asks = self.asks(&self.describe(content));
                self.start(this, asks, Until::Ready, calls);
            }
            b'F' => {
                self.group = Group::default();
                let asks = self.asks(&Described::unknown("FUNCTION_CALL"));
                self.start(this, asks, Until::Ready, calls);
            }
            b'P' => {
                let (name, sql) = message::name(content);
                let statement = Arc::new(self.describe(sql));
                self.group.parsed = Some(Arc::clone(&statement));
                remember(&mut self.statements, name, statement);
            }
            b'B' => {
                let (portal, rest) = message::name(content);
                let (statement, _) = message::name(rest);
                match self.statements.get(statement) {
                    Some(statement) => {
                        remember(&mut self.portals, portal, Arc::clone(statement));
                    }
                    None => _ = self.portals.pop(portal),
                }
                self.group.bound = true;
            }
            b'D' => self.group.described = true,
            b'E' => {
                let (portal, _) = message::name(content);
                let first = self.group.first.take().unwrap_or(this);
                let asks = match self.portals.get(portal).cloned() {
                    Some(statement) => self.asks(&statement),
                    None => self.asks(&Described::unknown("EXECUTE")),
                };
                self.group.executed = true;
                self.start(first, asks, Until::Complete, calls);
            }
            b'C' => match content.split_first() {
                Some((b'S', name)) => _ = self.statements.pop(message::name(name).0),
                Some((b'P', name)) => _ = self.portals.pop(message::name(name).0),
                _ => {}
            },
            b'H' => self.flush(calls),
            b'S' => {
                if !self.prepare(Until::Synced, calls) {
                    self.answers.sync();
                }
                self.group = Group::default();
            }
            b'c' | b'f' => self.answers.copied(),
            _ => {}
        }
    }

    fn startup(&mut self, bytes: &[u8]) {
        match message::startup(bytes) {
            Some(Startup::Session) => {
                self.database = message::database(bytes);
                self.answers.startup();
            }
            Some(Startup::Encryption) => self.encryption = self.encryption.saturating_add(1),
            Some(Startup::Cancel) | None => {}
        }
    }

    /// The server tells of a setting.
    fn told(&mut self, setting: &[u8]) {
        match message::escapes(setting) {
            Some(true) => self.quotes = Quotes::IdentifiersEscaped,
            Some(false) => self.quotes = Quotes::Identifiers,
            None => {}
        }
    }

    fn response(&mut self, message: &Message<'_>, calls: &mut Calls<'_>) {
        if message.length == 1 {
            self.encryption = self.encryption.saturating_sub(1);
            return;
        }
        let says = match message.bytes.first() {
            Some(b'D') => Says::DataRow,
            Some(b'1') => Says::Parsed,
            Some(b'T' | b'n') => Says::Described,
            Some(b'C') => Says::Complete(message::rows(message.bytes)),
            Some(b'I') => Says::Complete(None),
            Some(b's') => Says::Suspended,
            Some(b'E') if message::is_fatal(message.bytes) => {
                Says::Fatal(message::failure(message.bytes))
            }
            Some(b'E') => Says::Error(message::failure(message.bytes)),
            Some(b'G') => Says::CopyIn,
            Some(b'W') => Says::CopyBoth,
            Some(b'Z') => Says::Ready,
            // These come at any time.
            Some(b'S') => return self.told(message.bytes),
            Some(b'N' | b'A') | None => return,
            Some(_) => Says::More,
        };
        self.encryption = 0;
        self.deaf = matches!(says, Says::CopyBoth);
        self.answers.answer(says, message, calls);
    }
}

impl Dialect for PostgreSql {
    fn split(&self, of: Direction, bytes: &[u8]) -> Split {
        message::split(of, bytes, self.encryption > 0)
    }

    fn begins(&self, of: Direction, bytes: &[u8]) -> bool {
        middle::begins(of, bytes)
    }

    fn message(&mut self, of: Direction, message: &Message<'_>, calls: &mut Calls<'_>) {
        match of {
            _ if self.deaf => {}
            Direction::Request => self.request(message, calls),
            Direction::Response => self.response(message, calls),
        }
    }

    fn lost(&mut self, of: Direction, _: Moment, _: &mut Calls<'_>) {
        match of {
            // Clients mostly wait for the answers before they go on, so that those outstanding are next.
            Direction::Request => self.group = Group::default(),
            Direction::Response => self.answers.lost(),
        }
    }

    fn ends(&mut self, of: Direction, tail: &[u8], at: Moment, calls: &mut Calls<'_>) -> bool {
        let end = (of == Direction::Response).then(|| middle::end(tail)).flatten();
        end.map(|end| self.answers.end(end, at, calls)).is_some()
    }
}
