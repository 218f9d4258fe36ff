//! SQL statements: what of their text may be told, and what they are about in a few words.
//!
//! Both are read off the same tokens. There is no grammar behind it: statements of all dialects are to
//! come out sensibly, also those that are wrong or of which the end is missing. The summaries follow
//! <https://opentelemetry.io/docs/specs/semconv/database/database-spans/#generating-a-summary-of-the-query>,
//! and in what that leaves open, the tests of OpenTelemetry's instrumentation of Java.

mod doubt;
mod lexer;
mod place;
mod redact;
mod scope;
mod summary;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;

pub(in crate::protocol) use self::doubt::Doubt;
use super::call::MAX_TEXT;
use super::{Call, CallText, System, Text};

/// Most bytes of a summary.
pub(super) const MAX_SUMMARY: usize = 255;

/// What stands behind the text of a statement that was cut.
const MARK: &str = " ...";

/// Whose rules the quotes follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::protocol) enum Quotes {
    /// Standard SQL's and PostgreSQL's: double quotes are around identifiers, and a backslash is a
    /// character as any other, but in `E'...'`.
    Identifiers,
    /// The same, without `standard_conforming_strings`: a backslash escapes.
    IdentifiersEscaped,
    /// MySQL's: double quotes are around strings, a backslash escapes, and `#` begins a comment.
    Strings,
    /// The same, with `NO_BACKSLASH_ESCAPES`.
    StringsUnescaped,
}

impl Quotes {
    /// They are MySQL's.
    fn mysql(self) -> bool {
        matches!(self, Quotes::Strings | Quotes::StringsUnescaped)
    }

    /// A backslash escapes.
    fn escape(self) -> bool {
        matches!(self, Quotes::Strings | Quotes::IdentifiersEscaped)
    }
}

/// A statement, or some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::protocol) struct Described {
    /// Its text and summary.
    pub(in crate::protocol) text: CallText,
    /// `db.operation.name`: what the first statement does, in upper case.
    pub(in crate::protocol) operation: Option<String>,
    /// `db.collection.name`: the table, if it is about exactly one.
    pub(in crate::protocol) collection: Option<String>,
}

impl Described {
    /// Of a request that prepares this.
    pub(in crate::protocol) fn prepared(&self) -> Described {
        let mut summary = "PREPARE".to_owned();
        for word in self.text.summary.iter().flat_map(|summary| summary.split(' ')) {
            if summary.len() + 1 + word.len() > MAX_SUMMARY {
                break;
            }
            summary.push(' ');
            summary.push_str(word);
        }
        Described {
            text: CallText { summary: Some(summary), ..self.text.clone() },
            operation: Some("PREPARE".to_owned()),
            collection: self.collection.clone(),
        }
    }

    /// Of a request whose statement is not known.
    pub(in crate::protocol) fn unknown(operation: &str) -> Described {
        let operation = operation.to_owned();
        Described {
            text: CallText { text: None, summary: Some(operation.clone()) },
            operation: Some(operation),
            collection: None,
        }
    }

    /// The call that it is.
    pub(in crate::protocol) fn call(&self, system: System, namespace: Option<&str>) -> Call {
        Call {
            operation: self.operation.clone().map(Into::into),
            text: self.text.clone(),
            collection: self.collection.clone(),
            namespace: namespace.map(str::to_owned),
            ..Call::new(system)
        }
    }
}

/// Describes statements. `cut`: this is only the beginning of them.
pub(in crate::protocol) fn describe(
    sql: &str,
    dialect_of_quotes: Quotes,
    cut: bool,
    text: Text,
) -> Described {
    let summary = summary::summarize(sql, dialect_of_quotes, cut);
    let text = match text {
        Text::Redacted => Some(redact::redact(sql, dialect_of_quotes, cut)),
        Text::Full if !redact::is_secret(sql, dialect_of_quotes) => Some(sql.to_owned()),
        Text::Full => Some(redact::redact(sql, dialect_of_quotes, cut)),
        Text::Off => None,
    };
    Described {
        text: CallText { text: text.map(|text| bound(text, cut)), summary: summary.text },
        operation: summary.operation,
        collection: summary.collection,
    }
}

/// What these bytes say, but for a character at their end of which not all was copied.
///
/// In GBK, Big5 and Shift JIS, a character's last byte may be a backslash or a backtick, which are then
/// neither. Where that may be so, it cannot be told where strings end, and nothing is told behind the
/// first one's quote.
pub(in crate::protocol) fn readable(bytes: &[u8]) -> Cow<'_, str> {
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => bytes.get(..error.valid_up_to()),
        Err(_) if bytes.windows(2).any(|pair| matches!(pair, [0x80..=0xff, b'\\' | b'`'])) => {
            let quote = |byte: &u8| matches!(byte, b'\'' | b'"' | b'`' | b'$');
            bytes.split_inclusive(quote).next()
        }
        _ => Some(bytes),
    };
    String::from_utf8_lossy(whole.unwrap_or_default())
}

/// At most [`MAX_TEXT`] bytes of it, and a mark where something is missing.
fn bound(mut text: String, cut: bool) -> String {
    let end =
        (0..=MAX_TEXT.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    if cut || end < text.len() {
        text.truncate(end);
        text.push_str(MARK);
    }
    text
}
