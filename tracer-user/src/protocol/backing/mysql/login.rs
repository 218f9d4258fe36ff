//! What a client says of itself when it connects
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html>).
//! Its passwords are passed over.

use super::packet::{Header, behind_string, string};

const CONNECT_WITH_DB: u32 = 1 << 3;
const COMPRESS: u32 = 1 << 5;
const PROTOCOL_41: u32 = 1 << 9;
const SSL: u32 = 1 << 11;
const SECURE_CONNECTION: u32 = 1 << 15;
const LENENC_PASSWORD: u32 = 1 << 21;
const ZSTD: u32 = 1 << 26;

/// Bytes of capabilities, limits and nothing, before the user's name.
const FIXED: usize = 32;

/// What is to be known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    /// Nothing but that TLS is to begin.
    pub(super) tls: bool,
    /// Once it is in, all is compressed.
    pub(super) compressed: bool,
    pub(super) database: Option<String>,
}

/// Longest packet of this kind: most of it are attributes that drivers tell of themselves.
const MAX_LENGTH: u32 = 1 << 16;

/// Whether such a packet begins like this, where no greeting was seen; `None` if that cannot be told yet.
pub(super) fn begins(header: Header, content: &[u8]) -> Option<bool> {
    if !matches!(header.sequence, 1 | 2) || !(FIXED as u32..MAX_LENGTH).contains(&header.length) {
        return Some(false);
    }
    let fixed = content.get(..FIXED)?;
    // MariaDB's clients, which are no `CLIENT_MYSQL`, have more capabilities behind the zeros.
    let mariadb = fixed.first().is_some_and(|byte| byte & 1 == 0);
    let zeros = fixed.iter().skip(28).all(|byte| *byte == 0);
    Some(login(fixed).is_some() && (zeros || mariadb))
}

/// Reads a handshake's response, or `None` if it is none of this century.
pub(super) fn login(content: &[u8]) -> Option<Login> {
    let capabilities = u32::from_le_bytes(*content.first_chunk()?);
    let has = |capability| capabilities & capability != 0;
    let (fixed, rest) = content.split_at_checked(FIXED)?;
    if !has(PROTOCOL_41) || fixed.iter().skip(9).take(19).any(|byte| *byte != 0) {
        return None;
    }
    let behind = |bytes| {
        let (_, rest) = string(bytes);
        match () {
            () if has(LENENC_PASSWORD) => behind_string(rest),
            () if has(SECURE_CONNECTION) => behind_short(rest),
            () => Some(string(rest).1),
        }
    };
    let database = has(CONNECT_WITH_DB).then(|| behind(rest)).flatten();
    Some(Login {
        tls: has(SSL) && rest.is_empty(),
        compressed: has(COMPRESS) || has(ZSTD),
        database: database.and_then(named),
    })
}

/// The database of a `COM_CHANGE_USER`, behind its first byte.
pub(super) fn changed(content: &[u8]) -> Option<String> {
    named(behind_short(string(content).1)?)
}

/// What follows a string whose length is a byte.
fn behind_short(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first()?;
    rest.get(usize::from(*length)..)
}

fn named(bytes: &[u8]) -> Option<String> {
    let (name, _) = string(bytes);
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}
