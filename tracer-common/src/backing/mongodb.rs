//! How MongoDB's messages begin.

use super::{ANSWERS, Beginning, MONGODB, Protocol};

impl Beginning {
    /// The wire protocol's header: length, request, what it answers, opcode
    /// (<https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/>).
    #[inline(always)]
    pub(super) fn mongodb(self) -> Protocol {
        const REPLY: u32 = 1;
        const QUERY: u32 = 2004;
        const COMPRESSED: u32 = 2012;
        const MESSAGE: u32 = 2013;
        const MAX_LENGTH: u32 = 48_000_000;
        let (length, opcode) = (self.low as u32, (self.high >> 32) as u32);
        let answers = self.high as u32 != 0;
        let known = opcode == MESSAGE
            || opcode == QUERY
            || opcode == COMPRESSED
            || (opcode == REPLY && answers && length == self.len);
        if self.len < 16 || !known || !(16..=MAX_LENGTH).contains(&length) {
            return Protocol(0);
        }
        Protocol(MONGODB | if answers { ANSWERS } else { 0 })
    }
}
