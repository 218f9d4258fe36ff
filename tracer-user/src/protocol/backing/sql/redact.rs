//! Statements without the values in them.

use super::Quotes;
use super::lexer::{Kind, Lexer, Token};

/// Statements about accounts, in which a word may be a password.
const OF_ACCOUNTS: [&str; 7] =
    ["CONNECT", "VALIDATE", "CHECK", "EXPORT", "IMPORT", "RECOVER", "GRANT"];

/// What is created or altered by such.
const ACCOUNTS: [&str; 7] = ["USER", "ROLE", "GROUP", "LOGIN", "DATABASE", "SYSTEM", "SERVER"];

/// What is told of a comment that may have values in it.
const HIDDEN: &str = "/* ? */";

/// What may stand between `CREATE` and that.
const BETWEEN: [&str; 5] = ["OR", "REPLACE", "IF", "NOT", "EXISTS"];

/// Where a password may be in a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secret {
    /// It has not begun.
    Unknown,
    /// So far it is `CREATE` or `ALTER`.
    Object,
    /// So far it is `SET`.
    Setting,
    /// There is none.
    None,
    /// Perhaps somewhere behind this.
    Possible,
    /// `IDENTIFIED` was read.
    Identified,
    /// It is next.
    Next,
    /// It was read. What follows may be one, too.
    Over,
}

impl Secret {
    fn word(self, word: &str) -> Self {
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        match self {
            Secret::Unknown if is("CREATE") || is("ALTER") => Secret::Object,
            Secret::Unknown if is("SET") => Secret::Setting,
            Secret::Setting if is("PASSWORD") => Secret::Possible,
            Secret::Setting => Secret::None,
            Secret::Unknown if OF_ACCOUNTS.iter().any(|first| is(first)) => Secret::Possible,
            Secret::Unknown => Secret::None,
            Secret::Object if ACCOUNTS.iter().any(|object| is(object)) => Secret::Possible,
            Secret::Object if BETWEEN.iter().any(|word| is(word)) => Secret::Object,
            Secret::Object => Secret::None,
            Secret::Possible | Secret::Identified if is("PASSWORD") => Secret::Next,
            Secret::Possible if is("IDENTIFIED") => Secret::Identified,
            Secret::Identified if is("BY") || is("AS") => Secret::Next,
            as_before => as_before,
        }
    }
}

/// The list behind an `IN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    None,
    /// `IN` was read.
    Opens,
    /// It begins at this byte of what is written, and so far is of values.
    Values(usize),
}

struct Redacted {
    out: String,
    secret: Secret,
    list: List,
}

/// Whether there is a password in it, or it is of a kind that may have some.
pub(super) fn is_secret(sql: &str, quotes: Quotes) -> bool {
    const WORD: &[u8] = b"PASSWORD";
    let (mut secret, mut named) = (Secret::Unknown, false);
    let mut tokens = Lexer::new(sql, quotes);
    while let Some(token) = tokens.next() {
        match token.kind {
            Kind::Word | Kind::Quoted => {
                let text = tokens.text(token);
                if token.kind == Kind::Word {
                    secret = secret.word(text);
                    if text.eq_ignore_ascii_case("IDENTIFIED") {
                        return true;
                    }
                }
                // `password = '...'`, `MASTER_PASSWORD='...'`.
                let word = text.trim_matches(['`', '"', '[', ']']).as_bytes();
                let end = word.len().checked_sub(WORD.len()).and_then(|start| word.get(start..));
                named = end.is_some_and(|end| end.eq_ignore_ascii_case(WORD));
            }
            Kind::Text { .. } | Kind::Number if named => return true,
            Kind::Space | Kind::Comment | Kind::Symbol(b'=' | b'(' | b':') => {}
            Kind::Symbol(b';') => (secret, named) = (Secret::Unknown, false),
            _ => named = false,
        }
        if !matches!(secret, Secret::Unknown | Secret::Object | Secret::Setting | Secret::None) {
            return true;
        }
    }
    false
}

/// Whether a comment may have values in it beside numbers.
fn has_values(comment: &str) -> bool {
    comment.bytes().any(|byte| matches!(byte, b'\'' | b'"' | b'`' | b'='))
}

/// A comment without the numbers in it. Digits within names are none.
fn without_numbers(comment: &str, out: &mut String) {
    let mut rest = comment;
    let mut named = false;
    while let Some(next) = rest.chars().next() {
        if next.is_ascii_digit() && !named {
            let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
            let whole = digits(rest);
            let part = rest.get(whole..).and_then(|rest| rest.strip_prefix('.')).map_or(0, digits);
            let end = if part > 0 { whole + 1 + part } else { whole };
            out.push('?');
            rest = rest.get(end..).unwrap_or_default();
            continue;
        }
        named = next.is_alphanumeric() || next == '_';
        out.push(next);
        rest = rest.get(next.len_utf8()..).unwrap_or_default();
    }
}

/// Every value is replaced by `?`, lists of them behind `IN` by a single one, white space by a space.
pub(super) fn redact(sql: &str, quotes: Quotes, cut: bool) -> String {
    let out = String::with_capacity(sql.len());
    let mut redacted = Redacted { out, secret: Secret::Unknown, list: List::None };
    let mut tokens = Lexer::new(sql, quotes);
    while let Some(token) = tokens.next() {
        redacted.token(token, tokens.text(token));
    }
    if let (List::Values(start), true) = (redacted.list, cut)
        && start < redacted.out.len()
    {
        redacted.out.truncate(start);
        redacted.out.push('?');
    }
    redacted.out
}

impl Redacted {
    fn token(&mut self, token: Token, text: &str) {
        if self.keep_secret(token.kind) {
            return;
        }
        if token.kind == Kind::Word {
            self.secret = self.secret.word(text);
        }
        let is_in = token.kind == Kind::Word && text.eq_ignore_ascii_case("IN");
        self.list = match (self.list, token.kind) {
            (List::Opens, Kind::Symbol(b'(')) => List::Values(self.out.len() + 1),
            (List::Values(start), Kind::Symbol(b')')) if start < self.out.len() => {
                self.out.truncate(start);
                self.out.push('?');
                List::None
            }
            (as_before, Kind::Space) => as_before,
            (values @ List::Values(_), Kind::Number | Kind::Text { .. } | Kind::Symbol(b',')) => {
                values
            }
            (values @ List::Values(_), Kind::Placeholder) if text == "?" => values,
            _ if is_in => List::Opens,
            _ => List::None,
        };
        match token.kind {
            Kind::Space => self.out.push(' '),
            Kind::Text { .. } | Kind::Number => self.out.push('?'),
            // Nothing becomes longer than it was.
            Kind::Comment if has_values(text) => {
                self.out.push_str(if text.len() < HIDDEN.len() { "?" } else { HIDDEN });
            }
            Kind::Comment => without_numbers(text, &mut self.out),
            _ => self.out.push_str(text),
        }
    }

    /// Whether this is a password, or may be one.
    fn keep_secret(&mut self, kind: Kind) -> bool {
        match (self.secret, kind) {
            (_, Kind::Symbol(b';')) => self.secret = Secret::Unknown,
            (Secret::Over, _) => return true,
            (Secret::Next, Kind::Space | Kind::Comment | Kind::Symbol(b'=')) => {}
            (Secret::Next, Kind::Symbol(_)) => self.secret = Secret::Possible,
            (Secret::Next, _) => {
                self.out.push('?');
                self.secret = Secret::Over;
                return true;
            }
            _ => {}
        }
        false
    }
}
