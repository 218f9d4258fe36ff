//! What is told of a call to a backing service.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tracer_common::backing::{AMQP, DNS, KAFKA, MEMCACHED, MONGODB, MYSQL, POSTGRESQL, REDIS};

use super::{Log, TopicId};

/// Most bytes of a statement or a command that are kept.
pub(super) const MAX_TEXT: usize = 4096;

/// Which protocol it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// PostgreSQL's frontend/backend protocol 3.0.
    PostgreSql,
    /// The client/server protocol of MySQL and MariaDB.
    MySql,
    /// RESP, of Redis and Valkey.
    Redis,
    /// MongoDB's wire protocol.
    MongoDb,
    /// Memcached's text and binary protocols.
    Memcached,
    /// Kafka.
    Kafka,
    /// AMQP 0-9-1, of RabbitMQ.
    Amqp,
    /// DNS.
    Dns,
}

impl System {
    /// All of them.
    pub const ALL: [System; 8] = [
        System::PostgreSql,
        System::MySql,
        System::Redis,
        System::MongoDb,
        System::Memcached,
        System::Kafka,
        System::Amqp,
        System::Dns,
    ];

    /// `db.system.name` or `messaging.system`, as OpenTelemetry's conventions list them, or the protocol's
    /// name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            System::PostgreSql => "postgresql",
            System::MySql => "mysql",
            System::Redis => "redis",
            System::MongoDb => "mongodb",
            System::Memcached => "memcached",
            System::Kafka => "kafka",
            System::Amqp => "rabbitmq",
            System::Dns => "dns",
        }
    }

    /// Its bit in a set of protocols.
    #[must_use]
    pub fn bit(self) -> u32 {
        match self {
            System::PostgreSql => POSTGRESQL,
            System::MySql => MYSQL,
            System::Redis => REDIS,
            System::MongoDb => MONGODB,
            System::Memcached => MEMCACHED,
            System::Kafka => KAFKA,
            System::Amqp => AMQP,
            System::Dns => DNS,
        }
    }

    /// Of what [`tracer_common::backing::Beginning::recognise`] says.
    #[must_use]
    pub fn of(found: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|system| found & system.bit() != 0)
    }

    /// Its conventions.
    #[must_use]
    pub fn conventions(self) -> Conventions {
        match self {
            System::Kafka | System::Amqp => Conventions::Messaging,
            System::Dns => Conventions::Lookup,
            _ => Conventions::Database,
        }
    }
}

/// Which of OpenTelemetry's semantic conventions hold for a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conventions {
    /// `db.*`
    Database,
    /// `messaging.*`
    Messaging,
    /// `dns.*`
    Lookup,
}

/// How much of statements and commands is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Text {
    /// All of it but what stands for a value: literals, and what keys are set to.
    #[default]
    Redacted,
    /// All of it.
    Full,
    /// Nothing but the summary.
    Off,
}

/// What a call asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Of which protocol.
    pub system: System,
    /// `db.operation.name`, `messaging.operation.name` or the type of what is looked up: as the client
    /// wrote it, of few distinct ones.
    pub operation: Option<Cow<'static, str>>,
    /// The statement or command.
    pub text: CallText,
    /// `db.namespace`: the database.
    pub namespace: Option<String>,
    /// `db.collection.name`, `messaging.destination.name` or `dns.question.name`: the table, collection,
    /// topic, or exchange and routing key, where it is one, or the name that is looked up.
    pub collection: Option<String>,
    /// The topic's number, where requests do not tell its name.
    pub topic: Option<TopicId>,
    /// How many statements, commands or messages it stands for; 1 but for a batch.
    pub batch: u32,
    /// Which span the message that is sent or received belongs to, in the words of its own header:
    /// `traceparent` (<https://www.w3.org/TR/trace-context/>).
    pub traceparent: Option<String>,
    /// More attributes, by their names.
    pub attributes: Vec<(&'static str, String)>,
}

/// A statement or a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallText {
    /// `db.query.text`, as far as it is told: at most [`MAX_TEXT`] bytes and a mark that it was cut.
    pub text: Option<String>,
    /// `db.query.summary`: operations and what they are about, of low cardinality; a span's name.
    pub summary: Option<String>,
}

impl Call {
    /// One of which nothing is known.
    #[must_use]
    pub fn new(system: System) -> Self {
        Self {
            system,
            operation: None,
            text: CallText::default(),
            namespace: None,
            collection: None,
            topic: None,
            batch: 1,
            traceparent: None,
            attributes: vec![],
        }
    }
}

impl Call {
    /// Takes in another call of the same batch. What they do not have in common is not told; what only
    /// begins or ends a transaction, or sets something, is no call beside others.
    pub fn join(&mut self, other: Call) {
        if other.is_control() {
            return;
        }
        if self.is_control() {
            *self = other;
            return;
        }
        fn same<T: PartialEq>(this: &mut Option<T>, other: &Option<T>) {
            if this != other {
                *this = None;
            }
        }
        self.batch = self.batch.saturating_add(other.batch);
        same(&mut self.operation, &other.operation);
        same(&mut self.namespace, &other.namespace);
        same(&mut self.collection, &other.collection);
        same(&mut self.topic, &other.topic);
        same(&mut self.text.summary, &other.text.summary);
        same(&mut self.traceparent, &other.traceparent);
        self.attributes.retain(|attribute| other.attributes.contains(attribute));
        const MORE: &str = "; ...";
        if let (Some(text), Some(more)) = (&mut self.text.text, other.text.text)
            && !text.ends_with(MORE)
        {
            if text.len() + more.len() > MAX_TEXT {
                text.push_str(MORE);
            } else {
                text.push_str("; ");
                text.push_str(&more);
            }
        }
    }
}

impl Call {
    /// It is there for others.
    fn is_control(&self) -> bool {
        const SQL: [&str; 8] =
            ["BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET", "DISCARD"];
        const REDIS: [&str; 2] = ["MULTI", "EXEC"];
        let operation = self.operation.as_deref().unwrap_or_default();
        match self.system {
            System::PostgreSql | System::MySql => SQL.contains(&operation),
            System::Redis => REDIS.contains(&operation),
            System::MongoDb | System::Memcached | System::Kafka | System::Amqp | System::Dns => {
                false
            }
        }
    }
}

/// How a call came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What went wrong, as the service says.
    pub failure: Option<Failure>,
    /// `db.response.returned_rows`.
    pub rows: Option<u64>,
    /// Bytes of the answer, as far as it was followed.
    pub bytes: u64,
    /// `dns.answers`: addresses, at most 16.
    pub answers: Vec<String>,
    /// What it says of records.
    pub log: Option<Box<Log>>,
}

/// An error that the service told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `db.response.status_code`: SQLSTATE, MySQL's number, Redis's first word, DNS's name of it, ... What the service
    /// says beyond that may quote values and is not kept.
    pub code: String,
}
