//! DNS (RFC 1035): over UDP a message a datagram, over TCP each behind its length. An answer has its
//! query's number and question.

mod message;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use self::message::{Header, Question, answers, code};
use super::{Call, Calls, Dialect, Failure, Found, Message, Outcome, Split, System};
use crate::connection::Moment;
use crate::protocol::http1::Direction;

/// So much of a message is looked at.
const MAX_SHOWN: usize = 4096;
/// Bytes before a message that goes over TCP: its length.
const PREFIX: usize = 2;
/// Bytes that tell whether it is one: its header, and the first label's length.
const BEGINNING: usize = message::HEADER + 1;
/// Most lookups whose answers are awaited at a time.
const MAX_OUTSTANDING: usize = 256;

/// A query whose answer is awaited.
#[derive(Debug)]
struct Outstanding {
    call: u64,
    number: u16,
    question: Question,
}

/// A connection to a server of names, or a socket of UDP.
#[derive(Debug)]
pub(in crate::protocol) struct Dns {
    /// Bytes before each message.
    prefix: usize,
    next: u64,
    outstanding: VecDeque<Outstanding>,
}

impl Dns {
    /// Over TCP.
    pub(in crate::protocol) fn stream() -> Self {
        Self { prefix: PREFIX, next: 0, outstanding: VecDeque::new() }
    }

    /// Over UDP: what is split are datagrams.
    pub(in crate::protocol) fn datagrams() -> Self {
        Self { prefix: 0, ..Self::stream() }
    }

    fn query(
        &mut self,
        header: Header,
        question: Question,
        message: &Message<'_>,
        to: &mut Calls<'_>,
    ) {
        let same = |it: &Outstanding| it.number == header.number && it.question == question;
        // Asked once more, because no answer came.
        if self.outstanding.iter().any(same) {
            return;
        }
        if self.outstanding.len() >= MAX_OUTSTANDING
            && let Some(oldest) = self.outstanding.pop_front()
        {
            to.tell(Found::Full);
            to.abandon(oldest.call, message.first);
        }
        let call = self.next;
        self.next += 1;
        let kind = question.kind();
        to.start(
            call,
            message,
            Call {
                operation: Some(kind),
                // What is looked up, as a collection is.
                collection: Some(question.name()),
                ..Call::new(System::Dns)
            },
        );
        self.outstanding.push_back(Outstanding { call, number: header.number, question });
    }

    fn answer(
        &mut self,
        header: Header,
        question: &Question,
        message: &Message<'_>,
        to: &mut Calls<'_>,
    ) {
        let same = |it: &Outstanding| it.number == header.number && it.question == *question;
        let Some(index) = self.outstanding.iter().position(same) else { return };
        let Some(Outstanding { call, .. }) = self.outstanding.remove(index) else { return };
        let bytes = message.bytes.get(self.prefix..).unwrap_or_default();
        let failure = code(header.code()).map(|code| Failure { code: code.into_owned() });
        let found = answers(bytes, header, question);
        to.reply(call, message.first);
        let outcome =
            Outcome { failure, bytes: message.length, answers: found, ..Outcome::default() };
        to.end(call, message.last, outcome);
    }
}

impl Dialect for Dns {
    fn split(&self, of: Direction, bytes: &[u8]) -> Split {
        let Some(message) = bytes.get(self.prefix..) else { return Split::More };
        if self.prefix == 0 {
            return Split::Message { length: bytes.len() as u64, want: bytes.len().min(MAX_SHOWN) };
        }
        let length = match bytes {
            &[high, low, ..] => usize::from(u16::from_be_bytes([high, low])),
            _ => return Split::More,
        };
        match message.get(..BEGINNING) {
            _ if length < BEGINNING => Split::Invalid,
            None => Split::More,
            Some(beginning) if !is_message(of, beginning) => Split::Invalid,
            Some(_) => Split::Message {
                length: (PREFIX + length) as u64,
                want: (PREFIX + length).min(MAX_SHOWN),
            },
        }
    }

    fn begins(&self, of: Direction, bytes: &[u8]) -> bool {
        bytes.get(self.prefix..).is_some_and(|message| is_message(of, message))
            && matches!(self.split(of, bytes), Split::Message { .. })
    }

    fn message(&mut self, of: Direction, message: &Message<'_>, calls: &mut Calls<'_>) {
        let bytes = message.bytes.get(self.prefix..).unwrap_or_default();
        let read = Header::read(bytes).zip(Question::read(bytes));
        match read.filter(|_| is_message(of, bytes)) {
            Some((header, question)) if of == Direction::Request => {
                self.query(header, question, message, calls);
            }
            Some((header, question)) => self.answer(header, &question, message, calls),
            None => calls.tell(Found::Malformed),
        }
    }

    fn lost(&mut self, of: Direction, at: Moment, calls: &mut Calls<'_>) {
        // Each answer says what it answers; one that was not seen leaves its query open.
        if of == Direction::Response {
            self.outstanding.drain(..).for_each(|each| calls.abandon(each.call, at));
        }
    }

    fn ends(&mut self, _: Direction, _: &[u8], _: Moment, _: &mut Calls<'_>) -> bool {
        false
    }
}

/// Whether a message of this direction begins so.
fn is_message(of: Direction, bytes: &[u8]) -> bool {
    Header::read(bytes).is_some_and(|header| {
        header.is_usual() && header.is_answer() == (of == Direction::Response)
    })
}
