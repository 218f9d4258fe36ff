//! Flags that concern databases, caches and brokers.

use clap::{Args as ClapArgs, ValueEnum};
use serde::Deserialize;

use super::file::File;
use crate::protocol::backing::{Settings, System, Text};
use crate::protocol::http_api::Api;

/// What is told of databases, caches and brokers.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Databases, caches and brokers")]
pub struct BackingArgs {
    /// Protocols to decode beside HTTP/1, HTTP/2, gRPC and WebSocket [default: all of these]
    ///
    /// The calls of this host's programs to such services become CLIENT spans; lookups of names (dns) do
    /// where a request waits for them, and if dns is named here, all of them. `--protocols http` decodes
    /// none of these; then their connections cost one look each.
    #[arg(long, value_enum, value_name = "LIST", value_delimiter = ',')]
    pub protocols: Vec<Protocol>,
    /// How much of statements and commands spans tell [default: redacted]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub sql_text: Option<SqlText>,
    /// Spans of the databases, too, where they run on this host [default: false]
    ///
    /// Their clients' spans name them and have the same times, but for the way between.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub database_servers: Option<bool>,
}

/// A protocol's name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP in all its versions, which is always decoded
    Http,
    /// PostgreSQL, and what speaks its protocol
    #[value(name = "postgresql", alias = "postgres")]
    PostgreSql,
    /// MySQL and MariaDB
    #[value(name = "mysql", alias = "mariadb")]
    MySql,
    /// Redis and Valkey
    #[value(alias = "valkey")]
    Redis,
    /// MongoDB
    #[value(name = "mongodb", alias = "mongo")]
    MongoDb,
    /// Memcached, text and binary
    Memcached,
    /// Kafka
    Kafka,
    /// AMQP 0-9-1: RabbitMQ
    #[value(alias = "rabbitmq")]
    Amqp,
    /// DNS over UDP and TCP: all lookups, not only those that requests wait for
    Dns,
    /// Elasticsearch and OpenSearch: without it, calls of theirs are told as the HTTP that they are
    #[value(alias = "opensearch")]
    Elasticsearch,
    /// S3: likewise
    S3,
}

/// How much of statements and commands is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SqlText {
    /// Values are replaced by ?
    Redacted,
    /// As they are, with whatever they hold; but for passwords
    Full,
    /// Only a summary: SELECT orders
    Off,
}

impl Protocol {
    fn bit(self) -> u32 {
        match self {
            Protocol::Http => 0,
            Protocol::PostgreSql => System::PostgreSql.bit(),
            Protocol::MySql => System::MySql.bit(),
            Protocol::Redis => System::Redis.bit(),
            Protocol::MongoDb => System::MongoDb.bit(),
            Protocol::Memcached => System::Memcached.bit(),
            Protocol::Kafka => System::Kafka.bit(),
            Protocol::Amqp => System::Amqp.bit(),
            Protocol::Dns => System::Dns.bit(),
            Protocol::Elasticsearch => Api::Elasticsearch.bit(),
            Protocol::S3 => Api::S3 { copies: false }.bit(),
        }
    }
}

/// What a flag, or else the file, says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Given {
    protocols: Option<u32>,
    lookups: bool,
    text: Option<Text>,
    servers: Option<bool>,
}

impl Given {
    pub(super) fn new(args: &BackingArgs, file: &File) -> Self {
        let named = if args.protocols.is_empty() { &file.protocols } else { &args.protocols };
        let all = named.iter().fold(0, |all, protocol| all | protocol.bit());
        let text = args.sql_text.or(file.sql_text).map(|text| match text {
            SqlText::Redacted => Text::Redacted,
            SqlText::Full => Text::Full,
            SqlText::Off => Text::Off,
        });
        let servers = args.database_servers.or(file.database_servers);
        let lookups = named.contains(&Protocol::Dns);
        Self { protocols: (!named.is_empty()).then_some(all), lookups, text, servers }
    }

    /// `settings` with all that was asked for.
    pub(super) fn over(self, settings: Settings) -> Settings {
        Settings {
            protocols: self.protocols.unwrap_or(settings.protocols),
            text: self.text.unwrap_or(settings.text),
            servers: self.servers.unwrap_or(settings.servers),
            lookups: self.lookups || settings.lookups,
            ..settings
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BackingArgs, Given, Protocol, SqlText};
    use crate::config::File;
    use crate::protocol::backing::{Settings, System, Text};
    use crate::protocol::http_api::Api;

    #[test]
    fn flags_go_before_the_file() {
        let file = File {
            protocols: vec![Protocol::Redis],
            sql_text: Some(SqlText::Full),
            ..File::default()
        };
        let given = |args| Given::new(&args, &file).over(Settings::default());
        let settings = given(BackingArgs::default());
        assert_eq!((settings.protocols, settings.text), (System::Redis.bit(), Text::Full));
        assert!(!settings.lookups);
        let named = BackingArgs { protocols: vec![Protocol::Dns], ..BackingArgs::default() };
        assert!(given(named).lookups);
        let args = BackingArgs {
            protocols: vec![Protocol::Http],
            sql_text: Some(SqlText::Off),
            database_servers: Some(true),
        };
        let settings = given(args);
        assert_eq!((settings.protocols, settings.text, settings.servers), (0, Text::Off, true));
        let args = BackingArgs {
            protocols: vec![Protocol::S3, Protocol::Kafka],
            ..BackingArgs::default()
        };
        let s3 = Api::S3 { copies: false };
        assert_eq!(given(args).protocols, s3.bit() | System::Kafka.bit());
        let nothing = Given::new(&BackingArgs::default(), &File::default());
        assert_eq!(nothing.over(Settings::default()), Settings::default());
    }
}
