//! Connections that carry TLS: what both sides say in the clear, and plaintext where that is had.

use tracer_common::record::{
    self, DATA_HELLO, DATA_SEND, DATA_TLS, KIND_TRAFFIC, STATE_DECODED, VERDICT_TLS,
};
use zerocopy::IntoBytes;

use super::{End, Script, Task, Wire};

impl Script {
    /// A TLS connection between the opener and the acceptor: what each says in the clear.
    pub(crate) fn hellos(&mut self, opener: Task, acceptor: Task, wire: Wire, said: [&[u8]; 2]) {
        for end in [End::Opener, End::Acceptor] {
            self.judge(wire, end, VERDICT_TLS);
        }
        self.data(opener, wire, End::Opener, DATA_HELLO | DATA_SEND, said[0]);
        self.data(acceptor, wire, End::Acceptor, DATA_HELLO, said[0]);
        self.data(acceptor, wire, End::Acceptor, DATA_HELLO | DATA_SEND, said[1]);
        self.data(opener, wire, End::Opener, DATA_HELLO, said[1]);
    }

    /// What one end of a TLS connection has sent and received by now.
    pub(crate) fn traffic(&mut self, by: Task, wire: Wire, end: End, bytes: (u64, u64)) {
        let cookie = self.half(wire, end).cookie;
        let header = self.header(KIND_TRAFFIC, by, cookie);
        let (sent, received) = bytes;
        self.push(by.pid, record::Traffic { header, sent, received }.as_bytes().to_vec());
    }

    /// The plaintext of one end's TLS session is had.
    pub(crate) fn decode(&mut self, by: Task, wire: Wire, end: End) {
        self.state(by, wire, end, STATE_DECODED);
    }

    /// One end of a TLS connection gives plaintext to its library (or gets it from there).
    pub(crate) fn plaintext(&mut self, by: Task, wire: Wire, end: End, sent: bool, bytes: &[u8]) {
        let plain = &mut self.half(wire, end).plain;
        let count = if sent { &mut plain.0 } else { &mut plain.1 };
        *count += bytes.len() as u32;
        let flags = if sent { DATA_SEND } else { 0 };
        self.data(by, wire, end, DATA_TLS | flags, bytes);
    }
}
