//! What is answered, and with what.

use super::MAX_SHOWN;
use super::statement::Statement;
use crate::connection::Moment;
use crate::protocol::backing::Failure;

/// What a command's answer changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing.
    Plain,
    /// The database.
    Select(u32),
    /// Everything is as in the beginning.
    Reset,
    /// Further lines are no answers.
    Monitor,
    /// It is one confirmation for each of so many channels.
    Subscribe(u32),
    /// What follows is a stream of writes.
    Sync,
}

impl Kind {
    /// A command's.
    pub(super) fn of(statement: &Statement) -> Self {
        match statement.name() {
            "SELECT" => statement.words()[0].parse().map_or(Kind::Plain, Kind::Select),
            "RESET" => Kind::Reset,
            "MONITOR" => Kind::Monitor,
            "SYNC" | "PSYNC" => Kind::Sync,
            "SUBSCRIBE" | "PSUBSCRIBE" | "SSUBSCRIBE" | "UNSUBSCRIBE" | "PUNSUBSCRIBE"
            | "SUNSUBSCRIBE" => Kind::Subscribe(statement.arguments().max(1)),
            _ => Kind::Plain,
        }
    }
}

/// A command whose answer is awaited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outstanding {
    pub(super) call: u64,
    pub(super) kind: Kind,
}

/// Whose the value under way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// The first outstanding command's.
    Command,
    /// Its next element will tell.
    Unknown,
    /// An answer to a command that is not remembered.
    Forgotten,
    /// Nobody's: it is pushed.
    Push,
}

/// The value under way.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) first: Moment,
    pub(super) bytes: u64,
    pub(super) of: Of,
    /// It begins with this.
    pub(super) opens: u8,
    /// It confirms a subscription.
    pub(super) confirms: bool,
    /// An integer in it: how many subscriptions there are then.
    pub(super) subscriptions: Option<u64>,
    /// It is `+OK` or the like, and what was asked for is done.
    pub(super) accepts: bool,
    pub(super) failure: Option<Failure>,
}

impl Value {
    /// One that begins.
    pub(super) fn new(of: Of, opens: u8, first: Moment) -> Self {
        let (confirms, accepts) = (false, false);
        Self { first, bytes: 0, of, opens, confirms, subscriptions: None, accepts, failure: None }
    }
}

/// What an error says first.
pub(super) fn failure(text: &[u8]) -> Failure {
    let word = text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let word = word.get(..MAX_SHOWN).unwrap_or(word);
    Failure { code: String::from_utf8_lossy(word).into_owned() }
}
