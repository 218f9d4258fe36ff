//! Secrets in a message head that comes in pieces: each piece is masked when it is there, since the
//! name of a field or parameter always comes before its value.
//!
//! Where a piece breaks off so that nothing tells whether what is there is secret, it is masked:
//! the authority of an absolute-form target (a user and a password may stand there, as the `@` would
//! show), and the first line of what may be a request of an unknown method.

use tracer_common::head::{Start, look_at};

use super::Pseudonym;
use super::targets::TargetMask;
use super::value::ValueMask;

/// Bytes of a field's name that are remembered; longer names are not those of values that stay.
const MAX_NAME: usize = 64;
/// How the version begins.
const VERSION: &[u8] = b"HTTP/1.";

/// Masks one head, at the same length and so that it still parses the same.
#[derive(Clone, Debug)]
pub struct HeadMask {
    place: Place,
    ids: Pseudonym,
    /// The first bytes, as they were: they tell requests from responses.
    start: Vec<u8>,
}

/// Where the next byte lies.
#[derive(Clone, Debug)]
enum Place {
    /// In a request's first line, in this word of it.
    Request { word: Word, target: TargetMask, version: usize },
    /// In a line that may be no first line at all.
    Unsure,
    /// In a status line, which holds no secret; `Some` with the position in it if that is not whole,
    /// so that it may be none.
    Status(Option<usize>),
    /// At the beginning of a line of fields; `folds`: what it goes on with if it is a folded one.
    Line { folds: Option<ValueMask> },
    /// In a field's name, or in a line without one; `folds` as before it.
    Name { name: Vec<u8>, folds: Option<ValueMask> },
    /// In a field's value; `blank`: only white space of it has come.
    Value { of: ValueMask, blank: bool },
    /// Behind the empty line.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Method,
    BeforeTarget,
    Target,
    Version,
}

impl HeadMask {
    /// Of a head. `ids`: how ids are told.
    #[must_use]
    pub fn new(ids: &Pseudonym) -> Self {
        let target = TargetMask::default();
        let place = Place::Request { word: Word::Method, target, version: 0 };
        Self { place, ids: ids.clone(), start: vec![] }
    }

    /// Of a trailer section: fields without a first line.
    #[must_use]
    pub fn fields(ids: &Pseudonym) -> Self {
        Self { place: Place::Line { folds: None }, ids: ids.clone(), start: vec![] }
    }

    /// Of a head whose first bytes were left as they are.
    #[must_use]
    pub fn after(start: &[u8], ids: &Pseudonym) -> Self {
        let mut mask = Self::new(ids);
        mask.feed(&mut start.to_vec());
        mask
    }

    /// The first bytes of the head, at most eight.
    #[must_use]
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// Masks the next bytes of the head. Bytes behind its end are masked, too.
    pub fn feed(&mut self, bytes: &mut [u8]) {
        let before = self.start.len();
        let missing = 8usize.saturating_sub(before);
        self.start.extend(bytes.iter().take(missing));
        for line in bytes.split_inclusive_mut(|byte| *byte == b'\n') {
            self.piece(line, before);
        }
    }

    /// Masks a part of a line.
    fn piece(&mut self, mut piece: &mut [u8], before: usize) {
        if matches!(self.place, Place::Request { word: Word::Method, .. }) {
            self.judge(piece.ends_with(b"\n"), before);
        }
        while !piece.is_empty() {
            let taken = self.step(piece).min(piece.len());
            piece = piece.split_at_mut(taken).1;
        }
    }

    /// What kind of first line is it? A whole one was found to be a request's or a response's by
    /// whoever says that this is a head.
    fn judge(&mut self, whole: bool, before: usize) {
        match look_at(&self.start) {
            Start::Response => self.place = Place::Status((!whole).then_some(before)),
            Start::Request | Start::ConnectRequest | Start::Partial => {}
            Start::ProxyPrefix | Start::Preface | Start::Other if whole => {}
            Start::ProxyPrefix | Start::Preface | Start::Other => self.place = Place::Unsure,
        }
    }

    /// Masks some bytes of a line; how many. None only where a name or a folded value begins.
    fn step(&mut self, piece: &mut [u8]) -> usize {
        let Some(&first) = piece.first() else { return 0 };
        let ended = first == b'\n';
        match &mut self.place {
            Place::Request { .. } | Place::Unsure | Place::Status(_) if ended => {
                self.place = Place::Line { folds: None };
                1
            }
            Place::Request { word, target, version } => request(word, target, version, piece),
            Place::Unsure => {
                blank(piece, b'x');
                line_length(piece)
            }
            Place::Status(at) => {
                let length = line_length(piece);
                if let Some(at) = at {
                    status(at, piece.split_at_mut(length).0);
                }
                length
            }
            Place::Line { folds } => {
                self.place = match (first, folds.take()) {
                    (b'\n', _) => Place::Over,
                    (b'\r', kept) => {
                        *folds = kept;
                        return 1;
                    }
                    (b' ' | b'\t', Some(of)) => value(of),
                    (_, folds) => Place::Name { name: vec![], folds },
                };
                usize::from(ended)
            }
            Place::Name { name, folds } => {
                match first {
                    b'\n' => self.place = Place::Line { folds: folds.take() },
                    b':' => self.place = value(ValueMask::of(name, &self.ids)),
                    byte if name.len() <= MAX_NAME && !blank_or_control(byte) => name.push(byte),
                    _ => {}
                }
                1
            }
            Place::Value { of, .. } if ended => {
                let of = std::mem::replace(of, ValueMask::Private);
                self.place = Place::Line { folds: Some(of) };
                1
            }
            Place::Value { blank, .. } if *blank && matches!(first, b' ' | b'\t') => 1,
            Place::Value { of, blank: leading } => {
                *leading = false;
                let length = line_length(piece);
                of.feed(piece.split_at_mut(length).0);
                length
            }
            Place::Over => {
                blank(piece, b'x');
                piece.len()
            }
        }
    }
}

fn value(of: ValueMask) -> Place {
    Place::Value { of, blank: true }
}

/// Masks the next bytes of a request line; how many.
fn request(
    word: &mut Word,
    target: &mut TargetMask,
    version: &mut usize,
    piece: &mut [u8],
) -> usize {
    let in_line = line_length(piece);
    let space = piece.iter().take(in_line).position(|byte| *byte == b' ');
    if space == Some(0) {
        *word = match *word {
            Word::Method => Word::BeforeTarget,
            Word::Target => Word::Version,
            same => same,
        };
        return 1;
    }
    let end = space.unwrap_or(in_line);
    let ended = end < piece.len();
    let (text, _) = piece.split_at_mut(end);
    match word {
        Word::Method => {}
        Word::BeforeTarget | Word::Target => {
            *word = Word::Target;
            target.feed(text, ended);
        }
        Word::Version => {
            for byte in text.iter_mut().filter(|byte| !byte.is_ascii_control()) {
                let known = match VERSION.get(*version) {
                    Some(want) => want == byte,
                    None => *version == VERSION.len() && matches!(*byte, b'0' | b'1'),
                };
                if !known {
                    *byte = b'x';
                }
                *version = if known { *version + 1 } else { VERSION.len() + 1 };
            }
        }
    }
    end
}

/// Masks what does not belong to a version and a status code, from position `at` of the line on.
fn status(at: &mut usize, text: &mut [u8]) {
    /// Where the reason phrase begins.
    const REASON: usize = 13;
    for byte in text.iter_mut().filter(|byte| !byte.is_ascii_control()) {
        let known = match *at {
            ..7 => VERSION.get(*at) == Some(byte),
            7 => matches!(*byte, b'0' | b'1'),
            8 | 12 => *byte == b' ',
            9..12 => byte.is_ascii_digit(),
            _ => false,
        };
        if !known {
            *byte = b'x';
        }
        *at = if known { *at + 1 } else { REASON };
    }
}

/// Bytes before the line feed.
fn line_length(piece: &[u8]) -> usize {
    piece.iter().position(|byte| *byte == b'\n').unwrap_or(piece.len())
}

/// Control characters stay: they may make the head malformed, which it is to be afterwards, too.
fn blank(text: &mut [u8], with: u8) {
    text.iter_mut().filter(|byte| !byte.is_ascii_control()).for_each(|byte| *byte = with);
}

fn blank_or_control(byte: u8) -> bool {
    byte == b' ' || byte.is_ascii_control()
}
