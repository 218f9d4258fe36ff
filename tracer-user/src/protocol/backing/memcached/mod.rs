//! Memcached's text and binary protocols. A message is a line with the value that follows it, or a
//! header with its body; its first byte tells which.

mod binary;
#[cfg(test)]
mod tests;
mod text;

use super::call::MAX_TEXT;
use super::doubt::Doubt;
use super::{
    Call, CallText, Calls, Dialect, Failure, Found, Message, Outcome, Split, System, Text,
};
use crate::connection::Moment;
use crate::protocol::http1::Direction;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::VecDeque;

/// Most commands whose answers are awaited at a time.
const MAX_OUTSTANDING: usize = 1024;
/// So many are looked at for an answer where the one before it was none of theirs.
const MAX_LOOKED_AT: usize = 64;
/// So many are given back where none is awaited: a burst is not paid for as long as the connection lasts.
const KEPT: usize = 4096 / size_of::<Outstanding>();

/// What a command is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Nothing at all.
    None,
    /// Nothing, or one message, depending on how it comes out: it is quiet.
    Perhaps,
    One,
    /// Messages until one says that it is the last.
    Many,
}

/// A command.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    operation: &'static str,
    /// Its name and keys, or all of its line.
    text: Option<String>,
    answer: Answer,
    /// What its answer repeats.
    token: Option<u64>,
}

/// What may be an answer, or a part of one.
#[derive(Debug, PartialEq, Eq)]
struct Reply {
    token: Option<u64>,
    /// Others follow, if the command is one that they may follow to.
    more: bool,
    /// It answers none of those commands that may have no answer.
    bars: bool,
    /// It answers one of those.
    quiet: bool,
    failure: Option<Failure>,
}

/// A command whose answer is awaited.
#[derive(Debug)]
struct Outstanding {
    call: u64,
    answer: Answer,
    token: Option<u64>,
    asked: Moment,
    replied: bool,
    bytes: u64,
}

/// A connection to memcached.
#[derive(Debug)]
pub(in crate::protocol) struct Memcached {
    text: Text,
    next: u64,
    outstanding: VecDeque<Outstanding>,
    /// Behind those, so many that there was no room for.
    forgotten: u64,
    /// Bytes of the only outstanding command's answer were not seen.
    unseen: bool,
    /// The last answer was none of theirs.
    strange: bool,
    /// Whose the answers without a token are.
    doubt: Doubt,
    /// Behind the request that was split last, its operation goes on. Nothing else tells that a quiet
    /// command is the last one, behind which no answer would show that it has none.
    follows: Cell<bool>,
}

/// Whether an answer with this token is told from others by it. Some clients have all tokens be 0.
fn names(token: Option<u64>) -> bool {
    token.is_some_and(|token| token > u64::from(u8::MAX))
}

impl Memcached {
    /// One of which nothing was seen.
    pub(in crate::protocol) fn new(text: Text) -> Self {
        Self {
            text,
            next: 0,
            outstanding: VecDeque::new(),
            forgotten: 0,
            unseen: false,
            strange: false,
            doubt: Doubt::default(),
            follows: Cell::new(false),
        }
    }

    fn request(&mut self, request: Request, message: &Message<'_>, calls: &mut Calls<'_>) {
        if std::mem::take(&mut self.unseen) {
            self.abandon(message.first, calls);
        }
        if self.outstanding.len() >= MAX_OUTSTANDING
            && self.outstanding.front().is_some_and(|first| first.answer == Answer::Perhaps)
            && let Some(first) = self.outstanding.pop_front()
        {
            // Of very many quiet commands, most have no answer.
            calls.end(first.call, first.asked, Outcome::default());
        }
        if self.forgotten > 0 || self.outstanding.len() >= MAX_OUTSTANDING {
            self.forgotten += u64::from(matches!(request.answer, Answer::One | Answer::Many));
            return calls.tell(Found::Full);
        }
        let call = self.next;
        self.next += 1;
        let summary = Some(request.operation.to_owned());
        let text = CallText { text: request.text.filter(|_| self.text != Text::Off), summary };
        let operation = Some(Cow::Borrowed(request.operation));
        calls.start(call, message, Call { operation, text, ..Call::new(System::Memcached) });
        let (answer, token, asked) = (request.answer, request.token, message.last);
        let known = match answer {
            Answer::None => return calls.end(call, asked, Outcome::default()),
            _ if names(token) => true,
            Answer::Perhaps => !self.doubt.doubts(),
            Answer::One | Answer::Many => {
                let sure = |each: &Outstanding| each.answer != Answer::Perhaps;
                self.doubt.request(self.outstanding.iter().any(sure), asked)
            }
        };
        if known {
            let outstanding = Outstanding { call, answer, token, asked, replied: false, bytes: 0 };
            self.outstanding.push_back(outstanding);
        } else {
            // Whether the next answer is its or that of one before it cannot be told.
            calls.abandon(call, asked);
        }
        if !self.follows.get() {
            self.settle(calls);
        }
    }

    /// How many answers are sure to come.
    fn awaited(&self) -> u64 {
        let sure = |each: &&Outstanding| each.answer != Answer::Perhaps;
        self.outstanding.iter().filter(sure).count() as u64 + self.forgotten
    }

    /// Ends the last quiet commands with the operation that sent them: no answer behind them would.
    fn settle(&mut self, calls: &mut Calls<'_>) {
        let last = self.outstanding.iter().rposition(|each| each.answer != Answer::Perhaps);
        for each in self.outstanding.drain(last.map_or(0, |last| last + 1)..) {
            calls.end(each.call, each.asked, Outcome { bytes: each.bytes, ..Outcome::default() });
        }
        self.shrink();
    }

    fn reply(&mut self, reply: Reply, message: &Message<'_>, calls: &mut Calls<'_>) {
        let answers = |each: &Outstanding| match (each.token, reply.token) {
            (Some(asked), Some(told)) => asked == told,
            (None, Some(_)) => false,
            (_, None) => each.answer != Answer::Perhaps || !reply.bars,
        };
        let most = if self.strange { MAX_LOOKED_AT } else { MAX_OUTSTANDING };
        let index = self.outstanding.iter().take(most).position(answers);
        self.strange = index.is_none();
        let Some(index) = index else {
            if self.forgotten > 0 {
                self.forgotten -= u64::from(!reply.more && !reply.quiet);
            } else if !reply.more && !reply.quiet {
                self.doubt.answer(message.last);
            }
            return;
        };
        for each in self.outstanding.drain(..index) {
            match each.answer {
                Answer::Perhaps => calls.end(each.call, each.asked, Outcome::default()),
                Answer::None | Answer::One | Answer::Many => {
                    calls.abandon(each.call, message.first)
                }
            }
        }
        let Some(first) = self.outstanding.front_mut() else { return };
        if !std::mem::replace(&mut first.replied, true) {
            calls.reply(first.call, message.first);
        }
        first.bytes = first.bytes.saturating_add(message.length);
        if !(reply.more && first.answer == Answer::Many)
            && let Some(Outstanding { call, token, answer, bytes, .. }) =
                self.outstanding.pop_front()
        {
            calls.end(
                call,
                message.last,
                Outcome { failure: reply.failure, bytes, ..Outcome::default() },
            );
            if !names(token) && answer != Answer::Perhaps {
                self.doubt.matched(message.last);
            }
            self.shrink();
        }
    }

    fn abandon(&mut self, at: Moment, calls: &mut Calls<'_>) {
        self.outstanding.drain(..).for_each(|each| calls.abandon(each.call, at));
        self.shrink();
    }

    fn shrink(&mut self) {
        if self.outstanding.is_empty() && self.outstanding.capacity() > KEPT {
            self.outstanding.shrink_to(KEPT);
        }
    }
}

impl Dialect for Memcached {
    fn split(&self, of: Direction, bytes: &[u8]) -> Split {
        let split = match (bytes.first(), of) {
            (Some(&(binary::REQUEST | binary::RESPONSE)), of) => binary::split(of, bytes),
            (_, Direction::Request) => text::split_request(bytes),
            (_, Direction::Response) => text::split_reply(bytes),
        };
        if let (Split::Message { length, .. }, Direction::Request) = (split, of) {
            self.follows.set(bytes.len() as u64 > length);
        }
        split
    }

    fn begins(&self, of: Direction, bytes: &[u8]) -> bool {
        match (bytes.first(), of) {
            (Some(&(binary::REQUEST | binary::RESPONSE)), of) => binary::begins(of, bytes),
            (_, Direction::Response) if self.unseen => false,
            _ => matches!(self.split(of, bytes), Split::Message { .. }),
        }
    }

    fn message(&mut self, of: Direction, message: &Message<'_>, calls: &mut Calls<'_>) {
        let binary = matches!(message.bytes.first(), Some(&(binary::REQUEST | binary::RESPONSE)));
        match of {
            Direction::Request => {
                let request = match binary {
                    true => binary::request(message.bytes),
                    false => text::request(message.bytes, self.text),
                };
                match request {
                    Some(request) => self.request(request, message, calls),
                    None => calls.tell(Found::Malformed),
                }
            }
            Direction::Response => {
                let reply = if binary { binary::reply } else { text::reply }(message.bytes);
                match reply {
                    Some(reply) => self.reply(reply, message, calls),
                    None => calls.tell(Found::Malformed),
                }
            }
        }
    }

    fn lost(&mut self, of: Direction, at: Moment, calls: &mut Calls<'_>) {
        let awaited = self.awaited();
        match of {
            Direction::Request => {
                self.settle(calls);
                self.doubt.begin(None, awaited <= 1);
            }
            Direction::Response => {
                self.forgotten = 0;
                self.unseen = awaited == 1 && self.outstanding.len() == 1;
                self.doubt.begin(Some(awaited), awaited <= 1);
                if !self.unseen {
                    self.abandon(at, calls);
                }
            }
        }
    }

    fn silent_since(&mut self, time: u64) {
        self.doubt.silent_since(time);
    }

    fn ends(&mut self, of: Direction, tail: &[u8], at: Moment, calls: &mut Calls<'_>) -> bool {
        if of == Direction::Request {
            return false;
        }
        if self.outstanding.is_empty() {
            self.doubt.passed(at);
            return false;
        }
        let many = self.outstanding.front().is_some_and(|first| first.answer == Answer::Many);
        let end = if many { &b"END\r\n"[..] } else { b"\r\n" };
        if self.outstanding.len() > 1 || !tail.ends_with(end) {
            self.lost(of, at, calls);
            return false;
        }
        self.unseen = false;
        for Outstanding { call, replied, bytes, .. } in self.outstanding.drain(..) {
            if !replied {
                calls.reply(call, at);
            }
            calls.end(call, at, Outcome { bytes, ..Outcome::default() });
        }
        self.doubt.matched(at);
        true
    }
}

/// As much of a text as is kept.
fn bounded(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).replace(|c: char| c.is_control(), "?");
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.push_str("...");
    }
    text
}
