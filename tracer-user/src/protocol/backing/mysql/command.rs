//! Commands (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html>).

use super::packet::{behind_string, lenenc};

pub(super) const QUIT: u8 = 0x01;
pub(super) const INIT_DB: u8 = 0x02;
pub(super) const QUERY: u8 = 0x03;
pub(super) const FIELD_LIST: u8 = 0x04;
pub(super) const STATISTICS: u8 = 0x09;
pub(super) const PROCESS_INFO: u8 = 0x0a;
pub(super) const CHANGE_USER: u8 = 0x11;
pub(super) const BINLOG_DUMP: u8 = 0x12;
pub(super) const PREPARE: u8 = 0x16;
pub(super) const EXECUTE: u8 = 0x17;
pub(super) const SEND_LONG_DATA: u8 = 0x18;
pub(super) const CLOSE: u8 = 0x19;
pub(super) const FETCH: u8 = 0x1c;
pub(super) const BINLOG_DUMP_GTID: u8 = 0x1e;
pub(super) const RESET_CONNECTION: u8 = 0x1f;
/// MariaDB's execution of a statement with many rows of values.
pub(super) const BULK_EXECUTE: u8 = 0xfa;

/// Most attributes of a query.
const MAX_ATTRIBUTES: u64 = 64;

/// A command as its documentation calls it, but for what SQL has a word for; `None` if clients send no
/// such.
pub(super) fn name(command: u8) -> Option<&'static str> {
    Some(match command {
        QUIT => "QUIT",
        INIT_DB => "USE",
        QUERY => "QUERY",
        FIELD_LIST => "FIELD_LIST",
        0x05 => "CREATE_DB",
        0x06 => "DROP_DB",
        0x07 => "REFRESH",
        0x08 => "SHUTDOWN",
        STATISTICS => "STATISTICS",
        PROCESS_INFO => "PROCESS_INFO",
        0x0c => "PROCESS_KILL",
        0x0d => "DEBUG",
        0x0e => "PING",
        CHANGE_USER => "CHANGE_USER",
        BINLOG_DUMP => "BINLOG_DUMP",
        0x13 => "TABLE_DUMP",
        0x15 => "REGISTER_SLAVE",
        PREPARE => "PREPARE",
        EXECUTE | BULK_EXECUTE => "EXECUTE",
        SEND_LONG_DATA => "STMT_SEND_LONG_DATA",
        CLOSE => "STMT_CLOSE",
        0x1a => "STMT_RESET",
        0x1b => "SET_OPTION",
        FETCH => "STMT_FETCH",
        BINLOG_DUMP_GTID => "BINLOG_DUMP_GTID",
        RESET_CONNECTION => "RESET_CONNECTION",
        _ => return None,
    })
}

/// Whether there is an answer to it.
pub(super) fn is_answered(command: u8) -> bool {
    !matches!(command, QUIT | SEND_LONG_DATA | CLOSE)
}

/// The fewest and most bytes of it.
pub(super) fn lengths(command: u8) -> (u32, u32) {
    match command {
        QUIT | STATISTICS | PROCESS_INFO | 0x0d | 0x0e | RESET_CONNECTION => (1, 1),
        0x07 => (2, 2),
        0x08 => (1, 2),
        0x1b => (3, 3),
        0x0c | CLOSE | 0x1a => (5, 5),
        FETCH => (9, 9),
        SEND_LONG_DATA | BULK_EXECUTE => (7, u32::MAX),
        EXECUTE => (10, u32::MAX),
        INIT_DB | FIELD_LIST | 0x05 | 0x06 => (2, 1024),
        CHANGE_USER => (4, 4096),
        _ => (2, u32::MAX),
    }
}

/// The statement of a `COM_QUERY`, behind its first byte and the attributes, if there are any: these
/// begin with their number, and 1 (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html>).
/// That the client may send such is not asked for, since no statement begins like them. `None`: it begins
/// like them, and they cannot be read.
pub(super) fn statement(content: &[u8]) -> Option<&[u8]> {
    let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    let begins = lenenc(content).is_some_and(|(_, rest)| rest.first() == Some(&1))
        || content.first().is_some_and(is_control);
    if begins { behind_attributes(content) } else { Some(content) }
}

fn behind_attributes(content: &[u8]) -> Option<&[u8]> {
    let (count, rest) = lenenc(content).filter(|(count, _)| *count <= MAX_ATTRIBUTES)?;
    let (&1, rest) = rest.split_first()? else { return None };
    let count = usize::try_from(count).ok()?;
    if count == 0 {
        return Some(rest);
    }
    let (nulls, rest) = rest.split_at_checked(count.div_ceil(8))?;
    let (&1, mut rest) = rest.split_first()? else { return None };
    let mut kinds = vec![];
    for _ in 0..count {
        let (kind, name) = rest.split_at_checked(2)?;
        kinds.push(*kind.first()?);
        rest = behind_string(name)?;
    }
    for (index, kind) in kinds.into_iter().enumerate() {
        let null = nulls.get(index / 8).is_some_and(|nulls| nulls >> (index % 8) & 1 == 1);
        rest = if null { rest } else { behind_value(kind, rest)? };
    }
    Some(rest)
}

/// What follows a value of this kind
/// (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>).
fn behind_value(kind: u8, bytes: &[u8]) -> Option<&[u8]> {
    let size = match kind {
        0x06 => 0,
        0x01 => 1,
        0x02 | 0x0d => 2,
        0x03 | 0x04 | 0x09 => 4,
        0x05 | 0x08 => 8,
        // Times, with their lengths.
        0x07 | 0x0a | 0x0b | 0x0c => 1 + usize::from(*bytes.first()?),
        _ => return behind_string(bytes),
    };
    bytes.get(size..)
}
