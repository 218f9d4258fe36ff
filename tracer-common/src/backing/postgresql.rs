//! How PostgreSQL's messages begin.

use super::{Beginning, POSTGRESQL, Protocol};

impl Beginning {
    /// A startup packet (its length, and the protocol's version or a request code), or a message: its
    /// type, and its length without that
    /// (<https://www.postgresql.org/docs/current/protocol-message-formats.html>).
    #[inline(always)]
    pub(super) fn postgresql(self) -> Protocol {
        const PORT: u32 = 5432;
        const MAX_STARTUP: u32 = 10_000;
        let (length, code) = (self.big(0), self.big(4));
        // Versions 3.0 and 3.2; requests to cancel, for TLS, for GSSAPI.
        let version = code == 0x0003_0000 || code == 0x0003_0002;
        let request = (80_877_102..=80_877_104).contains(&code) && length <= 16;
        // The first parameter's name.
        let starts = request || (version && self.byte(8).is_ascii_alphabetic());
        if starts && length == self.len && (8..=MAX_STARTUP).contains(&length) {
            return Protocol(POSTGRESQL);
        }
        let (kind, length) = (self.byte(0), self.big(1));
        let is_whole = length.wrapping_add(1) == self.len;
        let is_first = length.wrapping_add(1) < self.len && length >= 4;
        let name =
            self.byte(5) == 0 || self.byte(5) == b'_' || self.byte(5).is_ascii_alphanumeric();
        let known = match kind {
            // Query
            b'Q' => is_whole && length > 5,
            // Parse, Bind: others follow.
            b'P' | b'B' => is_first && length < 0x1_0000 && name,
            _ => false,
        };
        let here = self.goes_to(PORT) && (4..0x0100_0000).contains(&length);
        let usual = kind == b'Q' || kind == b'P' || kind == b'B' || kind == b'E' || kind == b'S';
        Protocol(if known || (here && usual) { POSTGRESQL } else { 0 })
    }
}
