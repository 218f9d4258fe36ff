//! Statements in tokens, which are the whole of the text without a gap.

use super::Quotes;

/// Most bytes of a `[name]`; beyond, the bracket is taken for one of an array.
const MAX_BRACKETED: usize = 128;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// White space.
    Space,
    /// A comment with its marks.
    Comment,
    /// A keyword or a name.
    Word,
    /// A name in quotes or brackets.
    Quoted,
    /// A string.
    Text {
        /// In double quotes: a name in some settings.
        double: bool,
    },
    /// A number, with its sign.
    Number,
    /// Where a value will be filled in: `?`, `$1`, `:1`.
    Placeholder,
    /// Any other character.
    Symbol(u8),
}

/// A token: `sql[start..end]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Goes through a statement once.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    sql: &'a str,
    at: usize,
    quotes: Quotes,
    /// The last token but spaces and comments is a value: a sign behind it is an operator.
    operand: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(sql: &'a str, quotes: Quotes) -> Self {
        Self { sql, at: 0, quotes, operand: false }
    }

    /// The text of a token.
    pub(super) fn text(&self, token: Token) -> &'a str {
        self.sql.get(token.start..token.end).unwrap_or_default()
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&self) -> Option<u8> {
        let rest = self.sql.as_bytes().get(self.at..).unwrap_or_default();
        rest.iter().copied().find(|byte| !byte.is_ascii_whitespace())
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.sql.as_bytes().get(at).copied()
    }

    /// Behind the bytes from `at` on that are such.
    fn skip(&self, at: usize, such: impl Fn(u8) -> bool) -> usize {
        let rest = self.sql.as_bytes().get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| such(**byte)).count()
    }

    /// Behind the next `pattern` from `at` on, or the end of all.
    fn behind(&self, at: usize, pattern: &str) -> usize {
        let found = self.sql.get(at..).and_then(|rest| rest.find(pattern));
        found.map_or(self.sql.len(), |found| at + found + pattern.len())
    }

    /// Behind the quote that ends what begins at `at`, behind the first one. A doubled one does not.
    fn unquote(&self, mut at: usize, quote: u8, escapes: bool) -> Option<usize> {
        loop {
            at = self.skip(at, |byte| byte != quote && !(escapes && byte == b'\\'));
            match (self.byte(at)?, self.byte(at + 1)) {
                (b'\\', _) if escapes => at += 2,
                (_, Some(next)) if next == quote => at += 2,
                _ => return Some(at + 1),
            }
        }
    }

    fn string(&self, at: usize, escapes: bool) -> usize {
        let end = self.unquote(at, b'\'', escapes || self.quotes.escape());
        end.unwrap_or(self.sql.len())
    }

    /// Behind PostgreSQL's `E'...'`: where a line further on it is continued, a backslash still escapes.
    fn escaped(&self, mut at: usize) -> usize {
        loop {
            let end = self.string(at, true);
            match self.continued(end) {
                Some(behind) if !self.quotes.mysql() => at = behind,
                _ => return end,
            }
        }
    }

    /// Behind the quote that continues a string which has ended here.
    fn continued(&self, end: usize) -> Option<usize> {
        let (mut at, mut lines) = (end, false);
        loop {
            let next = self.skip(at, |byte| byte.is_ascii_whitespace());
            let between = self.sql.as_bytes().get(at..next)?;
            lines |= between.iter().any(|byte| matches!(byte, b'\n' | b'\r'));
            match (self.byte(next)?, self.byte(next + 1)) {
                (b'\'', _) if lines => return Some(next + 1),
                (b'-', Some(b'-')) if lines => at = self.line(next),
                _ => return None,
            }
        }
    }

    /// Behind the rest of a line.
    fn line(&self, at: usize) -> usize {
        let returns = !self.quotes.mysql();
        self.skip(at, |byte| byte != b'\n' && !(returns && byte == b'\r'))
    }

    /// Whether what follows `--` makes it a comment: to MySQL, `5--3` is 8.
    fn is_comment(&self, behind: usize) -> bool {
        let space = |byte: u8| byte.is_ascii_whitespace() || byte.is_ascii_control();
        !self.quotes.mysql() || self.byte(behind).is_none_or(space)
    }

    /// Behind a comment that begins with `/*`, which PostgreSQL's may have others in them.
    fn comment(&self, at: usize) -> usize {
        if self.quotes.mysql() {
            return self.behind(at + 2, "*/");
        }
        let (mut at, mut depth) = (at + 2, 1_usize);
        loop {
            at = self.skip(at, |byte| !matches!(byte, b'*' | b'/'));
            match (self.byte(at), self.byte(at + 1)) {
                (Some(b'*'), Some(b'/')) if depth == 1 => return at + 2,
                (Some(b'*'), Some(b'/')) => (at, depth) = (at + 2, depth - 1),
                (Some(b'/'), Some(b'*')) => (at, depth) = (at + 2, depth + 1),
                (Some(_), _) => at += 1,
                (None, _) => return self.sql.len(),
            }
        }
    }

    /// Behind a number; also `123-45-6789` counts as one.
    fn number(&self, at: usize) -> usize {
        let mut end = self.skip(at, |byte| matches!(byte, b'+' | b'-'));
        loop {
            let hex = self.byte(end) == Some(b'0')
                && self.byte(end + 1).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'x'));
            end = self.skip(end, |byte| is_word(byte) || byte == b'.');
            let signed = matches!(self.byte(end), Some(b'+' | b'-'));
            if hex || !signed || !self.byte(end + 1).is_some_and(|byte| byte.is_ascii_digit()) {
                return end;
            }
            end += 1;
        }
    }

    fn is_number(&self, at: usize) -> bool {
        let next = if self.byte(at) == Some(b'.') { at + 1 } else { at };
        self.byte(next).is_some_and(|byte| byte.is_ascii_digit())
    }

    /// `$1`, `$$...$$`, `$tag$...$tag$`.
    fn dollar(&self, at: usize) -> (Kind, usize) {
        let end = self.skip(at + 1, |byte| is_word(byte) && byte != b'$');
        let digits = self.skip(at + 1, |byte| byte.is_ascii_digit());
        match self.sql.get(at..=end) {
            _ if digits > at + 1 => (Kind::Placeholder, digits),
            Some(tag) if tag.ends_with('$') => {
                (Kind::Text { double: false }, self.behind(end + 1, tag))
            }
            _ => (Kind::Symbol(b'$'), at + 1),
        }
    }

    /// `[a name]`, not a subscript or an array's values.
    fn bracketed(&self, at: usize) -> Option<usize> {
        let name = |byte: u8| is_word(byte) || byte == b' ';
        let within = self.sql.as_bytes().get(at + 1..)?;
        let length = within.iter().take(MAX_BRACKETED).take_while(|byte| name(**byte)).count();
        let begins = within.first().is_some_and(|byte| is_word(*byte) && !byte.is_ascii_digit());
        (begins && within.get(length) == Some(&b']')).then_some(at + length + 2)
    }

    fn double(&self, at: usize) -> (Kind, usize) {
        let strings = self.quotes.mysql();
        let Some(end) = self.unquote(at + 1, b'"', strings && self.quotes.escape()) else {
            return (Kind::Text { double: false }, self.sql.len());
        };
        let dotted = self.byte(end) == Some(b'.')
            || at.checked_sub(1).and_then(|before| self.byte(before)) == Some(b'.');
        (if strings && !dotted { Kind::Text { double: true } } else { Kind::Quoted }, end)
    }

    fn word(&self, at: usize) -> (Kind, usize) {
        let end = self.skip(at, is_word);
        let text = self.sql.get(at..end).unwrap_or_default();
        let text_follows = self.byte(end) == Some(b'\'');
        match text.as_bytes() {
            [b'e' | b'E'] if text_follows => (Kind::Text { double: false }, self.escaped(end + 1)),
            [b'x' | b'X' | b'b' | b'B' | b'n' | b'N'] if text_follows => {
                (Kind::Text { double: false }, self.string(end + 1, false))
            }
            _ => (Kind::Word, end),
        }
    }

    /// Behind the mark of a comment that MySQL, or MariaDB, executes.
    fn executed(&self, at: usize) -> Option<usize> {
        match (self.byte(at), self.byte(at + 1)) {
            _ if !self.quotes.mysql() => None,
            (Some(b'!'), _) => Some(at + 1),
            (Some(b'M'), Some(b'!')) => Some(at + 2),
            _ => None,
        }
    }

    fn token(&self, at: usize, first: u8) -> (Kind, usize) {
        let text = Kind::Text { double: false };
        match (first, self.byte(at + 1)) {
            (byte, _) if byte.is_ascii_whitespace() => {
                (Kind::Space, self.skip(at, |byte| byte.is_ascii_whitespace()))
            }
            (b'-', Some(b'-')) if self.is_comment(at + 2) => (Kind::Comment, self.line(at)),
            (b'#', _) if self.quotes.mysql() => (Kind::Comment, self.line(at)),
            (b'/', Some(b'*')) => match self.executed(at + 2) {
                Some(behind) => {
                    (Kind::Symbol(b'!'), self.skip(behind, |byte| byte.is_ascii_digit()))
                }
                None => (Kind::Comment, self.comment(at)),
            },
            (b'\'', _) => (text, self.string(at + 1, false)),
            (b'"', _) => self.double(at),
            (b'`', _) => match self.unquote(at + 1, b'`', false) {
                Some(end) => (Kind::Quoted, end),
                None => (text, self.sql.len()),
            },
            (b'$', _) => self.dollar(at),
            (b'?', _) => (Kind::Placeholder, self.skip(at + 1, |byte| byte.is_ascii_digit())),
            (b':', Some(byte)) if byte.is_ascii_digit() && !self.operand => {
                (Kind::Placeholder, self.skip(at + 1, |byte| byte.is_ascii_digit()))
            }
            (b'+' | b'-', _) if !self.operand && self.is_number(at + 1) => {
                (Kind::Number, self.number(at))
            }
            (b'.', _) if !self.operand && self.is_number(at) => (Kind::Number, self.number(at)),
            (byte, _) if byte.is_ascii_digit() => (Kind::Number, self.number(at)),
            (b'[', _) if !self.operand => match self.bracketed(at) {
                Some(end) => (Kind::Quoted, end),
                None => (Kind::Symbol(first), at + 1),
            },
            (byte, _) if is_word(byte) => self.word(at),
            (byte, _) => (Kind::Symbol(byte), at + 1),
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = self.at;
        let (kind, end) = self.token(start, self.byte(start)?);
        let end = end.min(self.sql.len());
        self.at = end;
        let token = Token { kind, start, end };
        self.operand = match kind {
            Kind::Space | Kind::Comment => self.operand,
            Kind::Word => !precedes_value(self.text(token)),
            Kind::Symbol(symbol) => matches!(symbol, b')' | b']'),
            Kind::Quoted | Kind::Text { .. } | Kind::Number | Kind::Placeholder => true,
        };
        Some(token)
    }
}

/// Whether a word may contain it. What is not ASCII may be a letter.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

/// Whether a sign behind this word belongs to a number.
fn precedes_value(word: &str) -> bool {
    const KEYWORDS: [&str; 27] = [
        "SELECT", "WHERE", "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "THEN", "ELSE", "WHEN",
        "LIMIT", "OFFSET", "VALUES", "BY", "IS", "SET", "CASE", "FROM", "ALL", "DISTINCT", "FETCH",
        "RETURN", "HAVING", "ON", "AS", "TO",
    ];
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}
