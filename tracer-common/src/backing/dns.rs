//! How DNS' messages begin.

use super::{ANSWERS, Beginning, DNS, Protocol};

impl Beginning {
    /// Over TCP, each message's length goes before it (RFC 1035 section 4.2.2).
    #[inline(always)]
    pub(super) fn dns_stream(self) -> Protocol {
        const PORT: u32 = 53;
        let length = u32::from(self.word(0));
        let whole = length + 2 == self.len;
        let begins = length + 2 < self.len && (self.goes_to(PORT) || self.comes_from(PORT));
        Protocol(if whole || begins { self.dns(2, length) } else { 0 })
    }

    /// A message of `length` bytes whose header begins at this byte (RFC 1035 section 4.1.1): one question
    /// of the usual kind (QUERY), and its first label's length.
    #[inline(always)]
    pub(super) fn dns(self, at: u32, length: u32) -> u32 {
        const RESPONSE: u16 = 1 << 15;
        // Recursion desired; RFC 4035 sections 3.1.6 and 3.2.2: authentic data, checking disabled.
        const OF_QUERIES: u16 = 0x0130;
        const OPCODE: u16 = 0x7800;
        const RESERVED: u16 = 0x0040;
        // Header, the root's name, type and class.
        const SHORTEST: u32 = 17;
        const LONGEST_LABEL: u8 = 63;
        let (flags, questions, answers) = (self.word(at + 2), self.word(at + 4), self.word(at + 6));
        let (authorities, more) = (self.word(at + 8), self.word(at + 10));
        if length < SHORTEST || questions != 1 || self.byte(at + 12) > LONGEST_LABEL {
            return 0;
        }
        if flags & RESPONSE == 0 {
            let asks = flags & !OF_QUERIES == 0 && answers == 0 && authorities == 0 && more <= 2;
            return if asks { DNS } else { 0 };
        }
        let few = answers < 1024 && authorities < 1024 && more < 1024;
        if flags & (OPCODE | RESERVED) == 0 && few { DNS | ANSWERS } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{between, of};
    use super::{ANSWERS, Beginning, DNS};

    #[test]
    fn lookups_of_names() {
        let query = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x01\0\x01";
        let datagram = |bytes: &[u8], sender, receiver| {
            Beginning::of(bytes, bytes.len() as u64, sender, receiver).recognise_datagram()
        };
        assert_eq!(datagram(query, 50_000, 53), DNS);
        assert_eq!(datagram(query, 5353, 5353), 0, "mDNS");
        assert_eq!(of(query), 0, "no length goes before it");
        let mut answer = query.to_vec();
        (answer[2], answer[3], answer[7]) = (0x81, 0x80, 1);
        assert_eq!(datagram(&answer, 53, 50_000), DNS | ANSWERS);
        answer[3] |= 0x40;
        assert_eq!(datagram(&answer, 53, 50_000), 0, "a bit that is always zero");
        let stream = [&[0, query.len() as u8][..], query].concat();
        assert_eq!(of(&stream), DNS);
        let two = [&stream[..], &stream].concat();
        assert_eq!((of(&two), between(&two, 50_000, 53)), (0, DNS));
        let others: [&[u8]; 4] = [
            &query[..12],
            &[0; 32],
            b"\x12\x34\x29\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01",
            b"\xc3\0\0\0\x01\x08quic-hello",
        ];
        for other in others {
            assert_eq!(datagram(other, 50_000, 53), 0, "{other:?}");
        }
    }
}
