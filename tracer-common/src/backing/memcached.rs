//! How Memcached's commands begin.

use super::{Beginning, MEMCACHED, Protocol};

impl Beginning {
    /// The text protocol's commands
    /// (<https://github.com/memcached/memcached/blob/master/doc/protocol.txt>); on its port, the binary
    /// one as well.
    #[inline(always)]
    pub(super) fn memcached(self) -> Protocol {
        const PORT: u32 = 11_211;
        // What no other protocol of lines has.
        const COMMANDS: [(u64, u64); 5] =
            [word(b"get "), word(b"gets "), word(b"set "), word(b"mg "), word(b"ms ")];
        let mut known = false;
        for (want, mask) in COMMANDS {
            known |= self.low & mask == want;
        }
        let here = self.goes_to(PORT)
            && (self.byte(0) == 0x80 || (self.byte(0).is_ascii_lowercase() && self.is_text()));
        Protocol(if known || here { MEMCACHED } else { 0 })
    }
}

/// A word's bytes as a little-endian number, and which of the eight they are.
const fn word(text: &[u8]) -> (u64, u64) {
    let (mut want, mut mask, mut at) = (0, 0, 0);
    while at < text.len() {
        want |= (text[at] as u64) << (8 * at);
        mask |= 0xff << (8 * at);
        at += 1;
    }
    (want, mask)
}
