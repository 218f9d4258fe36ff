//! What clients send.

use std::sync::Arc;

use super::super::sql::{Described, Doubt, MAX_SUMMARY, describe, readable};
use super::super::{CallText, Calls, Found, Message, System, Text};
use super::answer::Answer;
use super::packet::{self, HEADER, MAX_LENGTH};
use super::pending::{Pending, Then};
use super::{LAST_PREPARED, MAX_ANSWERS, MAX_CALLS, MySql, Phase, command, login};

impl MySql {
    pub(super) fn request(&mut self, message: &Message<'_>, calls: &mut Calls<'_>) {
        let Some(header) = packet::header(message.bytes) else { return };
        let content = message.bytes.get(HEADER..).unwrap_or_default();
        if std::mem::replace(&mut self.continues[0], header.length == MAX_LENGTH) {
            return;
        }
        match (header.sequence, self.phase) {
            (0, _) if !self.file => {
                self.phase = Phase::Commands;
                self.command(message, content, calls);
            }
            // Behind TLS, the greeting was seen by others.
            (_, Phase::Fresh | Phase::Greeted | Phase::Tls) => self.login(content),
            _ => self.file &= header.length > 0,
        }
        // The server counts on from this, but from the command's for one that has to wait.
        let waits = |front: &Pending| front.replied && header.sequence == 0;
        if !self.pending.front().is_some_and(waits) {
            self.expected = Some(header.sequence.wrapping_add(1));
        }
    }

    fn login(&mut self, content: &[u8]) {
        self.phase = Phase::Login;
        match login::login(content) {
            Some(login) if login.tls => self.phase = Phase::Tls,
            Some(login) => {
                self.database = login.database;
                self.compressed = login.compressed;
            }
            None => {}
        }
    }

    fn command(&mut self, message: &Message<'_>, content: &[u8], calls: &mut Calls<'_>) {
        let Some((&command, content)) = content.split_first() else { return };
        let number = content.first_chunk().map_or(0, |number| u32::from_le_bytes(*number));
        if command == command::CLOSE {
            self.statements.pop(&number);
        }
        if !command::is_answered(command) {
            return;
        }
        // The client would not go on if what it waited for had not come.
        if self.pending.len() > 1 && self.pending.iter().all(|pending| pending.answer.is_lost()) {
            // But if that is much, it may.
            self.doubt = Doubt::Unsure;
        }
        while self.pending.front().is_some_and(|pending| pending.answer.is_lost()) {
            self.abandon(message.first, calls);
        }
        self.doubt.ask();
        let cut = message.length > message.bytes.len() as u64 || self.continues[0];
        let (asks, then) = self.asks(command, content, number, cut);
        if self.pending.len() >= MAX_ANSWERS {
            // Their order is lost.
            self.abandon_all(message.first, calls);
            self.doubt = Doubt::Unsure;
            self.doubt.ask();
        }
        let mut call = None;
        if self.remembered < MAX_CALLS {
            call = Some(self.next);
            self.remembered += 1;
            let asks = asks.call(System::MySql, self.database.as_deref());
            calls.start(self.next, message, asks);
            self.next += 1;
        } else {
            calls.tell(Found::Full);
        }
        let answer = Answer::new(command, self.eof);
        self.pending.push_back(Pending { call, answer, replied: false, bytes: 0, then });
    }

    /// What a command asks for, and what it changes.
    fn asks(&mut self, command: u8, content: &[u8], number: u32, cut: bool) -> (Described, Then) {
        let (text, quotes) = (self.text, self.quotes);
        let described = |sql| describe(&readable(sql), quotes, cut, text);
        match command {
            command::QUERY => {
                let Some(statement) = command::statement(content) else {
                    return (Described::unknown("QUERY"), Then::Nothing);
                };
                let query = described(statement);
                let database = database(&query);
                (query, database.map_or(Then::Nothing, Then::Database))
            }
            command::PREPARE => {
                let statement = Arc::new(described(content));
                self.prepared = Some(Arc::clone(&statement));
                (statement.prepared(), Then::Prepared(statement))
            }
            command::EXECUTE | command::BULK_EXECUTE => {
                let statement = match number {
                    LAST_PREPARED => self.prepared.as_deref(),
                    number => self.statements.get(&number).map(|statement| &**statement),
                };
                let statement = statement.cloned();
                (statement.unwrap_or_else(|| Described::unknown("EXECUTE")), Then::Nothing)
            }
            command::INIT_DB => {
                let name = readable(content).into_owned();
                let (operation, text) = (Some("USE".to_owned()), format!("USE {name}"));
                let summary =
                    if text.len() > MAX_SUMMARY { &operation } else { &Some(text.clone()) };
                let summary = summary.clone();
                let text =
                    CallText { text: Some(text).filter(|_| self.text != Text::Off), summary };
                (Described { text, operation, collection: None }, Then::Database(name))
            }
            command::CHANGE_USER => {
                (Described::unknown("CHANGE_USER"), Then::Reset(login::changed(content)))
            }
            command::RESET_CONNECTION => {
                (Described::unknown("RESET_CONNECTION"), Then::Reset(self.database.clone()))
            }
            command => {
                let name = command::name(command).unwrap_or("COMMAND");
                (Described::unknown(name), Then::Nothing)
            }
        }
    }
}

/// The database that a `USE` is about.
fn database(query: &Described) -> Option<String> {
    let summary = query.text.summary.as_ref().filter(|_| query.operation.as_deref() == Some("USE"));
    let (_, name) = summary?.split_once(' ')?;
    // Behind it, another statement may follow.
    let Some(quoted) = name.strip_prefix('`') else {
        return name.split(';').next().map(str::to_owned);
    };
    let (mut bare, mut rest) = (String::new(), quoted);
    loop {
        let (part, behind) = rest.split_once('`')?;
        bare.push_str(part);
        let Some(more) = behind.strip_prefix('`') else { return Some(bare) };
        bare.push('`');
        rest = more;
    }
}
