//! How Kafka's requests begin.

use super::{Beginning, KAFKA, Protocol};

impl Beginning {
    /// A request: its length without these four bytes, which request, its version, a number for the
    /// answer, and the length of the client's name, in the order of the network. Others count like this, too
    /// (ZooKeeper); on other ports than its own the client must have a name.
    /// (<https://kafka.apache.org/protocol.html>).
    #[inline(always)]
    pub(super) fn kafka(self) -> Protocol {
        const PORT: u32 = 9092;
        const MAX_KEY: u32 = 92;
        const MAX_VERSION: u32 = 20;
        let length = self.big(0);
        let whole = length.wrapping_add(4) == self.len;
        let begins = self.goes_to(PORT) && length.wrapping_add(4) > self.len && length < 1 << 27;
        let (key, version) = (self.big(4) >> 16, self.big(4) & 0xffff);
        let number = (self.high as u32).swap_bytes();
        let name = ((self.high >> 32) as u16).swap_bytes();
        let fits = name > 0 && name < 256 && u32::from(name) + 14 <= self.len;
        let printable = self.byte(14) > b' ' && self.byte(14) < 0x7f;
        let named = (fits && printable) || (self.goes_to(PORT) && (name == 0 || name == u16::MAX));
        let known = key <= MAX_KEY && version <= MAX_VERSION && number < 1 << 31 && named;
        Protocol(if self.len > 14 && (whole || begins) && known { KAFKA } else { 0 })
    }
}
