//! The text protocol: <https://github.com/memcached/memcached/blob/master/doc/protocol.txt>.

use super::{Answer, Failure, MAX_TEXT, Reply, Request, Split, Text, bounded};

/// Longest line that is looked at: a command may name many keys.
const MAX_LINE: usize = 1 << 16;

/// Largest value that a line may announce; memcached's own largest item is 1 GiB.
const MAX_VALUE: u64 = 1 << 31;

/// What a command's words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Keys.
    Keys,
    /// A time, and keys.
    TimeKeys,
    /// A key, flags, a time, a length; then, a value.
    Store,
    /// A key, and a value.
    KeyValue,
    /// A key, and flags.
    Meta,
    /// A key, a length and flags; then, a value.
    MetaStore,
    /// Something else, without a key.
    Other,
}

const COMMANDS: &[(&str, Form, Answer)] = &[
    ("get", Form::Keys, Answer::Many),
    ("gets", Form::Keys, Answer::Many),
    ("gat", Form::TimeKeys, Answer::Many),
    ("gats", Form::TimeKeys, Answer::Many),
    ("set", Form::Store, Answer::One),
    ("add", Form::Store, Answer::One),
    ("replace", Form::Store, Answer::One),
    ("append", Form::Store, Answer::One),
    ("prepend", Form::Store, Answer::One),
    ("cas", Form::Store, Answer::One),
    ("delete", Form::KeyValue, Answer::One),
    ("incr", Form::KeyValue, Answer::One),
    ("decr", Form::KeyValue, Answer::One),
    ("touch", Form::KeyValue, Answer::One),
    ("mg", Form::Meta, Answer::One),
    ("md", Form::Meta, Answer::One),
    ("ma", Form::Meta, Answer::One),
    ("me", Form::Meta, Answer::One),
    ("ms", Form::MetaStore, Answer::One),
    ("mn", Form::Other, Answer::One),
    ("stats", Form::Other, Answer::Many),
    ("flush_all", Form::Other, Answer::One),
    ("cache_memlimit", Form::Other, Answer::One),
    ("lru", Form::Other, Answer::One),
    ("lru_crawler", Form::Other, Answer::Many),
    ("slabs", Form::Other, Answer::One),
    ("shutdown", Form::Other, Answer::None),
    ("version", Form::Other, Answer::One),
    ("verbosity", Form::Other, Answer::One),
    ("watch", Form::Other, Answer::One),
    ("quit", Form::Other, Answer::None),
];

/// First words of answers.
const REPLIES: &[&str] = &[
    "STORED",
    "NOT_STORED",
    "EXISTS",
    "NOT_FOUND",
    "DELETED",
    "TOUCHED",
    "OK",
    "VERSION",
    "END",
    "RESET",
    "ERROR",
    "CLIENT_ERROR",
    "SERVER_ERROR",
    "BUSY",
    "BADCLASS",
    "NOSPARE",
    "NOTFULL",
    "UNSAFE",
    "SAME",
    "HD",
    "EN",
    "NF",
    "NS",
    "EX",
    "MN",
    "ME",
    "VALUE",
    "VA",
    "STAT",
    "ITEM",
    "PREFIX",
];

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b' ').filter(|word| !word.is_empty())
}

fn number(word: Option<&[u8]>) -> Option<u64> {
    std::str::from_utf8(word?).ok()?.parse().ok().filter(|length| *length <= MAX_VALUE)
}

/// The line that these bytes begin with, and how many bytes it is with its end.
fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = bytes.get(..end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

/// A line in full, or cut where `bytes` are.
fn shown(bytes: &[u8]) -> &[u8] {
    line(bytes).map_or(bytes, |(line, _)| line)
}

/// Where a line, with the value of the length that `value` finds in it, ends. It begins with one of
/// these words.
fn split<'a>(
    bytes: &'a [u8],
    known: impl Fn(&[u8], bool) -> bool,
    value: impl Fn(&'a [u8]) -> Result<Option<u64>, ()>,
) -> Split {
    let found = line(bytes);
    let shown = shown(bytes);
    let word = words(shown).next().unwrap_or_default();
    let whole = found.is_some() || word.len() < shown.len();
    let plain = shown.iter().all(|byte| *byte >= b' ');
    // The end of a line may be half there.
    let half = found.is_none()
        && shown.strip_suffix(b"\r").is_some_and(|line| line.iter().all(|b| *b >= b' '));
    if !(half || plain && known(word, whole)) || shown.len() > MAX_LINE {
        return Split::Invalid;
    }
    let Some((line, length)) = found else { return Split::More };
    match value(line) {
        Err(()) => Split::Invalid,
        Ok(value) => Split::Message {
            length: length as u64 + value.map_or(0, |value| value + 2),
            want: length.min(MAX_LINE),
        },
    }
}

fn command(word: &[u8]) -> Option<&'static (&'static str, Form, Answer)> {
    COMMANDS.iter().find(|(name, ..)| name.as_bytes() == word)
}

pub(super) fn split_request(bytes: &[u8]) -> Split {
    let known = |word: &[u8], whole: bool| match whole {
        true => command(word).is_some(),
        false => COMMANDS.iter().any(|(name, ..)| name.as_bytes().starts_with(word)),
    };
    let value = |line| {
        let mut words = words(line);
        let (_, form, _) = words.next().and_then(command).ok_or(())?;
        match form {
            Form::Store => Ok(Some(number(words.nth(3)).ok_or(())?)),
            Form::MetaStore => Ok(Some(number(words.nth(1)).ok_or(())?)),
            Form::Keys | Form::Meta | Form::KeyValue => words.next().map(|_| None).ok_or(()),
            Form::TimeKeys => words.nth(1).map(|_| None).ok_or(()),
            Form::Other => Ok(None),
        }
    };
    split(bytes, known, value)
}

pub(super) fn split_reply(bytes: &[u8]) -> Split {
    let known = |word: &[u8], whole: bool| {
        let digits = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
        digits
            || REPLIES.iter().any(|reply| match whole {
                true => reply.as_bytes() == word,
                false => reply.as_bytes().starts_with(word),
            })
    };
    let value = |line| {
        let mut words = words(line);
        match words.next() {
            Some(b"VALUE") => Ok(Some(number(words.nth(2)).ok_or(())?)),
            Some(b"VA") => Ok(Some(number(words.next()).ok_or(())?)),
            _ => Ok(None),
        }
    };
    split(bytes, known, value)
}

/// What the answer to a command of the meta protocol repeats.
fn opaque<'a>(mut flags: impl Iterator<Item = &'a [u8]>) -> Option<u64> {
    let token = flags.find_map(|flag| flag.strip_prefix(b"O"))?;
    Some(token.iter().fold(0, |sum: u64, byte| sum.rotate_left(8) ^ u64::from(*byte)))
}

/// A command.
pub(super) fn request(bytes: &[u8], how: Text) -> Option<Request> {
    let line = shown(bytes);
    let mut rest = words(line);
    let (operation, form, answer) = command(rest.next()?)?;
    let rest: Vec<&[u8]> = rest.take(MAX_TEXT).collect();
    let (mut answer, mut token) = (*answer, None);
    let keeps: &[&[u8]] = match form {
        Form::Keys => &rest,
        Form::TimeKeys => rest.get(1..)?,
        Form::Store | Form::KeyValue | Form::Meta | Form::MetaStore => rest.get(..1)?,
        Form::Other => &[],
    };
    let hidden = match form {
        Form::Store | Form::MetaStore => true,
        Form::KeyValue => rest.get(1).is_some_and(|word| *word != b"noreply"),
        Form::Keys | Form::TimeKeys | Form::Meta | Form::Other => false,
    };
    if rest.last() == Some(&&b"noreply"[..]) && !matches!(form, Form::Keys | Form::TimeKeys) {
        answer = Answer::None;
    }
    if matches!(form, Form::Meta | Form::MetaStore) {
        let flags = || rest.iter().skip(if *form == Form::Meta { 1 } else { 2 }).copied();
        token = opaque(flags());
        if flags().any(|flag| flag == b"q") {
            answer = Answer::Perhaps;
        }
    }
    let text = match how {
        Text::Full => line.to_vec(),
        Text::Redacted | Text::Off => {
            let name = operation.as_bytes();
            let mark: &[&[u8]] = if hidden { &[b"?"] } else { &[] };
            [&[name], keeps, mark].concat().join(&b' ')
        }
    };
    Some(Request { operation, text: Some(bounded(&text)), answer, token })
}

/// An answer, or a part of one.
pub(super) fn reply(bytes: &[u8]) -> Option<Reply> {
    let mut words = words(shown(bytes));
    let word = words.next()?;
    let more = matches!(word, b"VALUE" | b"STAT" | b"ITEM" | b"PREFIX");
    let failed = matches!(word, b"ERROR" | b"CLIENT_ERROR" | b"SERVER_ERROR");
    let code = failed.then(|| String::from_utf8_lossy(word).into_owned());
    let token =
        matches!(word, b"HD" | b"VA" | b"EN" | b"NF" | b"NS" | b"EX").then(|| opaque(words));
    let bars = !failed && token.is_none();
    let failure = code.map(|code| Failure { code });
    Some(Reply { token: token.flatten(), more, bars, quiet: false, failure })
}
