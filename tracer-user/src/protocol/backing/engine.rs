//! One connection to a backing service: both directions, and the calls between them.

use super::amqp::Amqp;
use super::batches::Batches;
use super::dns::Dns;
use super::kafka::Kafka;
use super::memcached::Memcached;
use super::mongodb::MongoDb;
use super::mysql::MySql;
use super::postgresql::PostgreSql;
use super::reader::Reader;
use super::redis::Redis;
use super::{Call, Calls, Dialect, Found, Outcome, System, Text};
use crate::connection::{Chunk, Moment};
use crate::protocol::http_api::Api;
use crate::protocol::http1::Direction;

/// Findings of one operation for which room is kept.
const KEPT: usize = 256;

/// What is told of backing services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Protocols that are followed: a set of [`tracer_common::backing`]'s bits, and of those of
    /// [`Api`].
    pub protocols: u32,
    /// The calls that a service answers are told by itself, too, not by its clients alone.
    pub servers: bool,
    /// How much of statements.
    pub text: Text,
    /// What a client sends in one operation is one call.
    pub join: bool,
    /// Lookups of names are told also where no request waits for them.
    pub lookups: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let protocols = System::ALL.iter().fold(Api::BITS, |all, system| all | system.bit());
        Self { protocols, servers: false, text: Text::default(), join: true, lookups: false }
    }
}

/// What the engine finds out, of calls by numbers that are used once in a connection.
#[derive(Debug)]
pub enum Event {
    /// A request begins with the byte at this position.
    Started {
        /// Its number.
        call: u64,
        /// Who wrote or read it.
        at: Moment,
        /// In the request's direction.
        position: u64,
    },
    /// What it asks for; of a batch, once for each part.
    Asked {
        /// Which call.
        call: u64,
        /// One call, or a part of a batch.
        asks: Box<Call>,
    },
    /// The answer's first byte.
    Replied {
        /// Which call.
        call: u64,
        /// Who wrote or read it.
        at: Moment,
    },
    /// The answer's last byte.
    Ended {
        /// Which call.
        call: u64,
        /// Who wrote or read it.
        at: Moment,
        /// How it came out.
        outcome: Outcome,
        /// Not all of the answer was seen.
        abandoned: bool,
    },
    /// The service has sent a message unasked, and all of it has come.
    Delivered {
        /// Of its first byte, in the direction of answers.
        position: u64,
        /// Who wrote or read that.
        first: Moment,
        /// The same of its last byte.
        last: Moment,
        /// What it is, in the words of a call.
        asks: Box<Call>,
    },
    /// What was seen is no message of the protocol.
    Malformed,
    /// A table is full.
    Full,
}

/// Something that went wrong, for the caller to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// What had to be a message of the protocol is none.
    Malformed,
    /// A connection has more unanswered calls or prepared statements than are remembered.
    Full,
}

impl Fault {
    /// The name under which it is counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fault::Malformed => "backing_message_malformed",
            Fault::Full => "backing_calls_full",
        }
    }
}

/// Follows one connection as one side saw it.
#[derive(Debug)]
pub struct Engine {
    dialect: Box<dyn Dialect>,
    requests: Reader,
    responses: Reader,
    batches: Batches,
    found: Vec<Found>,
}

impl Engine {
    /// `fresh`: the connection is seen from its first byte on. `join`: what a client sends in one
    /// operation is one call.
    #[must_use]
    pub fn new(system: System, text: Text, fresh: bool, join: bool) -> Self {
        Self::with(dialect(system, text), fresh, join)
    }

    /// The same of a socket of UDP, each operation on which is a message: DNS is what such carry.
    #[must_use]
    pub fn datagrams(fresh: bool) -> Self {
        Self::with(Box::new(Dns::datagrams()), fresh, false)
    }

    fn with(mut dialect: Box<dyn Dialect>, fresh: bool, join: bool) -> Self {
        let mut found = vec![];
        if !fresh {
            let mut calls = Calls::new(&mut found);
            for of in [Direction::Request, Direction::Response] {
                dialect.lost(of, Moment::default(), &mut calls);
            }
            found.clear();
        }
        Self {
            dialect,
            requests: Reader::new(Direction::Request, fresh),
            responses: Reader::new(Direction::Response, fresh),
            batches: Batches::new(join),
            found,
        }
    }

    /// Nothing has moved on the connection since then (boot time).
    #[must_use]
    pub fn silent_since(mut self, time: Option<u64>) -> Self {
        if let Some(time) = time {
            self.dialect.silent_since(time);
        }
        self
    }

    /// Takes one operation; a response must not come before its request.
    pub fn operation(&mut self, of: Direction, chunk: &Chunk<'_>, events: &mut Vec<Event>) {
        let Self { dialect, requests, responses, batches, found } = self;
        let reader = match of {
            Direction::Request => requests,
            Direction::Response => responses,
        };
        reader.operation(chunk, &mut **dialect, found);
        for found in found.drain(..) {
            batches.take(found, events);
        }
        batches.pause(events);
        found.shrink_to(KEPT);
    }

    /// How many bytes of the message under way are known to come.
    #[must_use]
    pub fn left(&self, of: Direction) -> u64 {
        match of {
            Direction::Request => self.requests.left(),
            Direction::Response => self.responses.left(),
        }
    }
}

/// What knows the protocol.
fn dialect(system: System, text: Text) -> Box<dyn Dialect> {
    match system {
        System::PostgreSql => Box::new(PostgreSql::new(text)),
        System::MySql => Box::new(MySql::new(text)),
        System::Redis => Box::new(Redis::new(text)),
        System::MongoDb => Box::new(MongoDb::new(text)),
        System::Memcached => Box::new(Memcached::new(text)),
        System::Kafka => Box::new(Kafka::new()),
        System::Amqp => Box::new(Amqp::new()),
        System::Dns => Box::new(Dns::stream()),
    }
}
