//! What servers send.

use std::sync::Arc;

use super::super::{Calls, Failure, Message, Outcome};
use super::answer::Means;
use super::compressed::Layer;
use super::packet::{self, Close, HEADER, Header, MAX_LENGTH};
use super::pending::Then;
use super::{MySql, Phase, middle};
use crate::connection::Moment;

impl MySql {
    pub(super) fn response(&mut self, message: &Message<'_>, calls: &mut Calls<'_>) {
        let Some(header) = packet::header(message.bytes) else { return };
        let content = message.bytes.get(HEADER..).unwrap_or_default();
        let continued = std::mem::replace(&mut self.continues[1], header.length == MAX_LENGTH);
        let resumes = self.resume(message.last, calls);
        self.expected = Some(header.sequence.wrapping_add(1));
        let Some(pending) = self.pending.front_mut() else {
            if !continued {
                self.unasked(header, content);
            }
            return;
        };
        if resumes && !pending.replied && middle::is_first(header, content) {
            // What was not seen answered what came before.
            pending.answer.begin();
        }
        pending.bytes = pending.bytes.saturating_add(message.length);
        if let (Some(call), false, false) = (pending.call, pending.replied, self.doubt.is_some()) {
            calls.reply(call, message.first);
        }
        pending.replied = true;
        if continued {
            return;
        }
        let means = pending.answer.packet(content, header.length);
        self.eof = pending.answer.eof().or(self.eof);
        match means {
            Means::More => {}
            Means::File => self.file = true,
            Means::Prepared(number, more) => {
                let statement = match &pending.then {
                    Then::Prepared(statement) if !self.doubt.is_some() => {
                        Some(Arc::clone(statement))
                    }
                    _ => None,
                };
                if let Some(statement) = statement {
                    self.remember(number, statement);
                }
                if !more {
                    self.end(None, message.last, calls);
                }
            }
            Means::End(failure) => self.end(failure, message.last, calls),
            Means::Endless => {
                self.end(None, message.last, calls);
                self.abandon_all(message.last, calls);
                self.deaf = true;
            }
        }
    }

    /// A packet of the server's own accord, or before there are any commands.
    fn unasked(&mut self, header: Header, content: &[u8]) {
        match (self.phase, content.first()) {
            _ if packet::is_greeting(header, content) => self.phase = Phase::Greeted,
            (Phase::Login | Phase::Tls, Some(0)) => {
                self.phase = Phase::Commands;
                if let Some(Close::Done { unescaped, .. }) = packet::close(content, header.length) {
                    self.told_quotes(unescaped);
                }
                self.layer = self.compressed.then(|| Box::new(Layer::new()));
            }
            // The end of definitions behind which it was not known whether one would come.
            (Phase::Commands, Some(0xfe)) if header.length == 5 => self.eof = Some(true),
            (Phase::Fresh, _) if header.sequence > 0 => self.phase = Phase::Commands,
            (Phase::Commands, Some(_)) => self.doubt.unasked(),
            _ => {}
        }
        self.expected = None;
    }

    /// The first answer has come.
    pub(super) fn end(&mut self, failure: Option<Failure>, at: Moment, calls: &mut Calls<'_>) {
        if self.doubt.is_some() {
            self.abandon(at, calls);
            if self.pending.is_empty() {
                self.doubt.answer();
            }
            return;
        }
        let Some(pending) = self.pending.pop_front() else { return };
        self.file = false;
        self.expected = self.pending.front().map(|_| 1);
        if let Some(unescaped) = pending.answer.unescaped() {
            self.told_quotes(unescaped);
        }
        if failure.is_none() {
            match pending.then {
                Then::Nothing | Then::Prepared(_) => {}
                Then::Database(database) => self.database = Some(database),
                Then::Reset(database) => {
                    self.database = database;
                    self.statements.clear();
                }
            }
        }
        if let Some(call) = pending.call {
            self.remembered = self.remembered.saturating_sub(1);
            let rows = pending.answer.rows();
            calls.end(
                call,
                at,
                Outcome { failure, rows, bytes: pending.bytes, ..Outcome::default() },
            );
        }
    }

    /// No answer will be known.
    pub(super) fn abandon_all(&mut self, at: Moment, calls: &mut Calls<'_>) {
        while !self.pending.is_empty() {
            self.abandon(at, calls);
        }
    }

    /// The first answer will not be known.
    pub(super) fn abandon(&mut self, at: Moment, calls: &mut Calls<'_>) {
        let Some(pending) = self.pending.pop_front() else { return };
        (self.file, self.expected) = (false, None);
        if let Some(call) = pending.call {
            self.remembered = self.remembered.saturating_sub(1);
            calls.abandon(call, at);
        }
    }
}
