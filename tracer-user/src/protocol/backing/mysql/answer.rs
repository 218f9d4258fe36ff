//! How far the answer to a command has come.
//!
//! ```text
//! First -> OK | ERR                                       (most commands)
//! First -> Columns -> EOF? -> Rows -> EOF or OK | ERR     (a result; with a flag, First follows)
//! First -> Definitions -> EOF? -> Definitions -> EOF?     (a prepared statement's)
//! First -> File, sent by the client -> OK | ERR           (LOAD DATA LOCAL)
//! ```
//!
//! Whether `EOF` comes behind the columns is seen from the packet that follows them: it is shorter than
//! the `OK` that replaces the other `EOF`, and a row does not begin with its first byte.

use super::super::Failure;
use super::command;
use super::packet::{Close, close, lenenc};

/// The most columns of a table, and parameters of a statement.
const MAX_COLUMNS: u64 = 65_535;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    First,
    Columns(u64),
    /// All columns have come.
    Behind,
    Rows,
    /// So many definitions of parameters, and of columns.
    Definitions(u16, u16),
    /// It is not known, because bytes were not seen.
    Lost,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    command: u8,
    state: State,
    /// Of all results, if there was one, and all of it was seen.
    rows: Option<u64>,
    inexact: bool,
    /// Whether `EOF` comes behind definitions, if that is known of the connection.
    eof: Option<bool>,
    /// Whether a backslash escapes no more, as the last packet says.
    unescaped: Option<bool>,
}

/// What a packet means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// More is to come.
    More,
    /// The statement has this number. More may come.
    Prepared(u32, bool),
    /// The client sends a file.
    File,
    /// More and more is to come, which is no answer.
    Endless,
    /// It was the last one.
    End(Option<Failure>),
}

impl Answer {
    /// To this command. `eof`: whether `EOF` comes behind definitions.
    pub(super) fn new(command: u8, eof: Option<bool>) -> Self {
        Self { command, state: State::First, rows: None, inexact: false, eof, unescaped: None }
    }

    /// `db.response.returned_rows`.
    pub(super) fn rows(&self) -> Option<u64> {
        self.rows.filter(|_| !self.inexact)
    }

    /// Whether `EOF` comes behind definitions, if it was found out.
    pub(super) fn eof(&self) -> Option<bool> {
        self.eof
    }

    /// Whether a backslash does not escape in the session's statements, if it was told.
    pub(super) fn unescaped(&self) -> Option<bool> {
        self.unescaped
    }

    /// It is to a change of users, and of more than a packet from each side.
    pub(super) fn is_login(&self) -> bool {
        self.command == command::CHANGE_USER
    }

    /// Bytes of it were not seen.
    pub(super) fn lose(&mut self) {
        (self.state, self.inexact) = (State::Lost, true);
    }

    pub(super) fn is_lost(&self) -> bool {
        self.state == State::Lost
    }

    /// All of it is seen, after all.
    pub(super) fn begin(&mut self) {
        (self.state, self.inexact) = (State::First, false);
    }

    /// Another result follows what was not seen.
    pub(super) fn again(&mut self) {
        self.state = State::First;
    }

    /// A packet of `length` bytes, of which these were seen.
    pub(super) fn packet(&mut self, content: &[u8], length: u32) -> Means {
        let Some(&first) = content.first() else { return self.unseen() };
        // MariaDB tells of progress by an error that is none.
        if let [0xff, 0xff, 0xff, ..] = content {
            return Means::More;
        }
        match (self.state, self.command) {
            (State::First, command::STATISTICS) => self.only(content, length),
            (State::First, command::PREPARE) => self.prepared(content, length),
            (State::First, command::FIELD_LIST) => match first {
                0xfe | 0xff => self.only(content, length),
                _ => Means::More,
            },
            (State::First, command::CHANGE_USER) => match first {
                0x00 | 0xff => self.only(content, length),
                _ => Means::More,
            },
            (State::First | State::Lost, command::BINLOG_DUMP | command::BINLOG_DUMP_GTID) => {
                match first {
                    0xfe | 0xff => self.only(content, length),
                    _ => Means::Endless,
                }
            }
            (State::First, command::FETCH) => {
                self.rows = Some(0);
                self.row(content, length)
            }
            (
                State::First,
                command::QUERY | command::EXECUTE | command::BULK_EXECUTE | command::PROCESS_INFO,
            ) => self.first(content, length),
            (State::First, _) => self.only(content, length),
            (State::Columns(left), _) => {
                self.state = if left > 1 { State::Columns(left - 1) } else { State::Behind };
                Means::More
            }
            (State::Behind, _) if first == 0xfe && length == 5 => {
                (self.state, self.eof) = (State::Rows, Some(true));
                match close(content, length) {
                    // Its rows will have to be asked for.
                    Some(Close::Done { cursor: true, .. }) => Means::End(None),
                    _ => Means::More,
                }
            }
            (State::Behind, _) => {
                (self.state, self.eof) = (State::Rows, Some(false));
                self.row(content, length)
            }
            (State::Rows, _) => self.row(content, length),
            (State::Definitions(parameters, columns), _) => {
                self.definition(parameters, columns, first == 0xfe && length == 5)
            }
            (State::Lost, _) if matches!(first, 0xfe | 0xff) && length < 1024 => {
                match close(content, length) {
                    Some(closing) => self.close(closing),
                    None => Means::More,
                }
            }
            (State::Lost, _) => Means::More,
        }
    }

    /// A packet of which nothing was copied: it is long, and not the last one.
    fn unseen(&mut self) -> Means {
        match self.state {
            State::Columns(left) if left > 1 => self.state = State::Columns(left - 1),
            State::Columns(_) => self.state = State::Behind,
            State::Rows => self.rows = self.rows.map(|rows| rows.saturating_add(1)),
            _ => self.lose(),
        }
        Means::More
    }

    fn first(&mut self, content: &[u8], length: u32) -> Means {
        match (content.first(), close(content, length)) {
            (Some(0xfb), _) => Means::File,
            (_, Some(closing)) => self.close(closing),
            _ => match lenenc(content) {
                Some((columns @ 1..=MAX_COLUMNS, rest)) => {
                    // MariaDB may say that the client knows the columns already.
                    let known = rest.first() == Some(&0) && length < 8;
                    self.state = if known { State::Behind } else { State::Columns(columns) };
                    self.rows.get_or_insert(0);
                    Means::More
                }
                _ => {
                    self.lose();
                    Means::More
                }
            },
        }
    }

    fn row(&mut self, content: &[u8], length: u32) -> Means {
        self.state = State::Rows;
        let last = matches!(content.first(), Some(0xfe | 0xff));
        if let (true, Some(closing)) = (last, close(content, length)) {
            return self.close(closing);
        }
        self.rows = self.rows.map(|rows| rows.saturating_add(1));
        Means::More
    }

    /// A packet that is the whole answer.
    fn only(&mut self, content: &[u8], length: u32) -> Means {
        match close(content, length) {
            Some(closing) => self.close(closing),
            None => Means::End(None),
        }
    }

    fn close(&mut self, closing: Close) -> Means {
        if let Close::Done { unescaped, .. } = closing {
            self.unescaped = Some(unescaped);
        }
        match closing {
            Close::Done { more: true, .. } => {
                self.state = State::First;
                Means::More
            }
            Close::Done { .. } => Means::End(None),
            Close::Failed(failure) => Means::End(Some(failure)),
        }
    }

    fn prepared(&mut self, content: &[u8], length: u32) -> Means {
        let numbers = content.get(1..9).and_then(|numbers| numbers.first_chunk::<8>());
        let (Some(0), Some(&[a, b, c, d, e, f, g, h])) = (content.first(), numbers) else {
            return self.only(content, length);
        };
        let (columns, parameters) = (u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]));
        self.state = State::Definitions(parameters, columns);
        Means::Prepared(u32::from_le_bytes([a, b, c, d]), parameters > 0 || columns > 0)
    }

    /// A definition or, if `eof`, what ends those of the parameters or the columns.
    fn definition(&mut self, parameters: u16, columns: u16, eof: bool) -> Means {
        let (parameters, columns) = match (parameters, columns) {
            (parameters, columns) if eof => {
                self.eof = Some(true);
                (parameters, columns)
            }
            (0, columns) => (0, columns.saturating_sub(1)),
            (parameters, columns) => (parameters - 1, columns),
        };
        self.state = State::Definitions(parameters, columns);
        // If it is not known whether there is an `EOF`, it will be passed over if there is.
        let over = (parameters, columns) == (0, 0) && (eof || self.eof != Some(true));
        if over { Means::End(None) } else { Means::More }
    }
}
