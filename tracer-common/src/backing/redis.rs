//! How Redis' and Valkey's commands begin.

use super::{Beginning, Protocol, REDIS};

impl Beginning {
    /// A command is an array of bulk strings: `*1\r\n$`
    /// (<https://redis.io/docs/latest/develop/reference/protocol-spec/>); on its port, one line as
    /// well.
    #[inline(always)]
    pub(super) fn redis(self) -> Protocol {
        const PORT: u32 = 6379;
        const BEHIND: u32 = u32::from_le_bytes(*b"\r\n$\0");
        let behind = |digits: u32| (self.low >> (8 + 8 * digits)) as u32 & 0xff_ffff;
        let digits = behind(1) == BEHIND || behind(2) == BEHIND || behind(3) == BEHIND;
        let array = self.byte(0) == b'*' && self.byte(1).is_ascii_digit() && digits;
        let line = self.goes_to(PORT) && self.byte(0).is_ascii_alphabetic() && self.is_text();
        Protocol(if array || line { REDIS } else { 0 })
    }
}
