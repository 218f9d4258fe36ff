//! What a client sends.

use super::answers::Answers;
use super::element::{Parsed, Size, parse};
use super::statement::{Statement, is_name};
use super::value::Kind;
use super::{Calls, Found, MAX_TEXT, Message, Outcome, Split, Text, begins_name, shown};
use crate::connection::Moment;
use crate::protocol::backing::{Call, System};

/// Most arguments of a command; Redis's own limit.
const MAX_ARGUMENTS: u64 = 1 << 31;

/// A command under way.
#[derive(Debug)]
struct Command {
    first: Moment,
    position: u64,
    /// Arguments to come, with its name.
    left: u64,
    told: Option<Told>,
}

/// What is known since its name.
#[derive(Debug)]
struct Told {
    call: u64,
    /// `None` where the name was not seen.
    statement: Option<Statement>,
    /// There is no room to remember it.
    full: bool,
}

/// Whether commands are answered (`CLIENT REPLY`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replies {
    On,
    /// But for the next one.
    Skip,
    Off,
}

/// The direction of requests.
#[derive(Debug)]
pub(super) struct Requests {
    text: Text,
    command: Option<Command>,
    replies: Replies,
    /// The next call's number.
    next: u64,
}

impl Requests {
    pub(super) fn new(text: Text) -> Self {
        Self { text, command: None, replies: Replies::On, next: 0 }
    }

    pub(super) fn split(&self, bytes: &[u8]) -> Split {
        if self.command.is_none() && bytes.first() != Some(&b'*') {
            return split_inline(bytes);
        }
        let element = match parse(bytes) {
            Parsed::More => return Split::More,
            Parsed::Whole(element) => element,
            Parsed::Invalid => return Split::Invalid,
        };
        let fits = match (&self.command, element.size) {
            (None, Size::Items(items)) => items <= MAX_ARGUMENTS,
            (None, Size::Line) => true,
            (Some(Command { told: None, .. }), _) => begins_name(bytes),
            (Some(_), Size::Bytes(_)) => element.kind == b'$',
            (_, Size::Bytes(_) | Size::Items(_) | Size::Line | Size::Open) => false,
        };
        if fits { shown(&element, MAX_TEXT) } else { Split::Invalid }
    }

    pub(super) fn message(
        &mut self,
        message: &Message<'_>,
        answers: &mut Answers,
        calls: &mut Calls<'_>,
    ) {
        let Some(command) = &mut self.command else {
            if message.bytes.first() != Some(&b'*') {
                return self.inline(message, answers, calls);
            }
            if let Parsed::Whole(element) = parse(message.bytes)
                && let Size::Items(left @ 1..) = element.size
            {
                let (first, position) = (message.first, message.position);
                self.command = Some(Command { first, position, left, told: None });
            }
            return;
        };
        let Parsed::Whole(element) = parse(message.bytes) else {
            return calls.tell(Found::Malformed);
        };
        let value = element.value(message.bytes);
        let whole = Size::Bytes(value.len() as u64) == element.size;
        match &mut command.told {
            None => {
                let statement = Statement::new(value, self.text).filter(|_| whole);
                let told = Told { call: self.next, statement, full: answers.is_full() };
                self.next += 1;
                let (call, at, position) = (told.call, command.first, command.position);
                calls.tell(if told.full {
                    Found::Full
                } else {
                    Found::Started { call, at, position }
                });
                command.told = Some(told);
            }
            Some(Told { statement: Some(statement), .. }) => statement.argument(value, whole),
            Some(Told { statement: None, .. }) => {}
        }
        command.left -= 1;
        if command.left == 0
            && let Some(told) = self.command.take().and_then(|command| command.told)
        {
            self.complete(told, message.last, answers, calls);
        }
    }

    /// A command that is a line.
    fn inline(&mut self, message: &Message<'_>, answers: &mut Answers, calls: &mut Calls<'_>) {
        let mut words =
            message.bytes.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let Some(name) = words.next() else { return };
        let mut statement = Statement::new(name, self.text);
        if let Some(statement) = &mut statement {
            words.for_each(|word| statement.argument(word, true));
        }
        let told = Told { call: self.next, statement, full: answers.is_full() };
        self.next += 1;
        let (call, at, position) = (told.call, message.first, message.position);
        calls.tell(if told.full { Found::Full } else { Found::Started { call, at, position } });
        self.complete(told, message.last, answers, calls);
    }

    /// All of a command has passed.
    fn complete(&mut self, told: Told, at: Moment, answers: &mut Answers, calls: &mut Calls<'_>) {
        let (mut kind, mut answered) = (Kind::Plain, self.replies == Replies::On);
        if self.replies == Replies::Skip {
            self.replies = Replies::On;
        }
        if let Some(statement) = &told.statement {
            kind = Kind::of(statement);
            if let ("CLIENT", ["REPLY", which]) = (statement.name(), statement.words()) {
                (self.replies, answered) = match which {
                    "OFF" => (Replies::Off, false),
                    "SKIP" if self.replies == Replies::On => (Replies::Skip, false),
                    "ON" => (Replies::On, true),
                    _ => (self.replies, answered),
                };
            }
        }
        if !told.full {
            let asks = match told.statement {
                Some(statement) => statement.call(answers.namespace()),
                None => Call::new(System::Redis),
            };
            calls.tell(Found::Asked { call: told.call, asks: Box::new(asks) });
        }
        match (answered, told.full) {
            (true, true) => answers.skip(),
            (true, false) => answers.expect(told.call, kind, at, calls),
            (false, true) => {}
            (false, false) => calls.end(told.call, at, Outcome::default()),
        }
    }

    /// Bytes were not seen. Of a command that they cut (most often a large one, of which no more was
    /// copied), what has passed is told, and perhaps its answer.
    pub(super) fn lose(&mut self, at: Moment, answers: &mut Answers, calls: &mut Calls<'_>) {
        if let Some(Told { call, statement, full: false }) =
            self.command.take().and_then(|command| command.told)
        {
            let kind = statement.as_ref().map_or(Kind::Plain, Kind::of);
            let asks = statement.map_or(Call::new(System::Redis), |mut statement| {
                statement.cut();
                statement.call(answers.namespace())
            });
            calls.tell(Found::Asked { call, asks: Box::new(asks) });
            match self.replies {
                Replies::On => answers.expect_cut(call, kind, at, calls),
                Replies::Skip | Replies::Off => calls.abandon(call, at),
            }
        }
        answers.requests_lost();
    }
}

/// Where a line ends that is a command.
fn split_inline(bytes: &[u8]) -> Split {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let line = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    match end {
        _ if !is_inline(line, end.is_some()) => Split::Invalid,
        None => Split::More,
        Some(end) => Split::Message { length: end as u64 + 1, want: (end + 1).min(MAX_TEXT) },
    }
}

/// Whether a line may be a command, or if it is not `whole`, the beginning of one.
fn is_inline(line: &[u8], whole: bool) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let name = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    let text = line.iter().all(|byte| *byte >= b' ' || *byte == b'\t');
    let http =
        line.rsplit(|byte| *byte == b' ').next().is_some_and(|last| last.starts_with(b"HTTP/"));
    text && (is_name(name) || name.is_empty() && line.is_empty()) && !(whole && http)
}
