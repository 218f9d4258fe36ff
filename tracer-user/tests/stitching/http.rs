//! HTTP said in a script.

use crate::script::{End, Script, Task, Wire};

/// A GET with these header lines, each ended by CRLF.
pub(crate) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: there\r\n{headers}\r\n").into_bytes()
}

pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

impl Script {
    /// The client sends a request.
    pub(crate) fn ask(&mut self, by: Task, wire: Wire, path: &str) {
        self.ask_with(by, wire, path, "");
    }

    pub(crate) fn ask_with(&mut self, by: Task, wire: Wire, path: &str, headers: &str) {
        self.send(by, wire, End::Opener, &get(path, headers));
    }

    /// The server reads it.
    pub(crate) fn hear(&mut self, by: Task, wire: Wire) {
        self.receive(by, wire, End::Acceptor);
    }

    /// The server answers.
    pub(crate) fn answer(&mut self, by: Task, wire: Wire) {
        self.send(by, wire, End::Acceptor, OK);
    }

    /// The client reads the answer.
    pub(crate) fn learn(&mut self, by: Task, wire: Wire) {
        self.receive(by, wire, End::Opener);
    }

    /// A whole call from one task to another, that calls nothing itself.
    pub(crate) fn call(&mut self, from: Task, to: Task, wire: Wire, path: &str, headers: &str) {
        self.ask_with(from, wire, path, headers);
        self.hear(to, wire);
        self.answer(to, wire);
        self.learn(from, wire);
    }

    /// A call over a new connection that is answered after the callee has done this.
    pub(crate) fn request(
        &mut self,
        (from, to): (Task, Task),
        path: &str,
        act: impl FnOnce(&mut Script),
    ) {
        let wire = self.connect(from, 80);
        self.ask(from, wire, path);
        self.hear(to, wire);
        act(self);
        self.answer(to, wire);
        self.learn(from, wire);
    }
}

/// Lower-case digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A sampled `traceparent`, whose ids are made of these bytes.
pub(crate) fn w3c(trace: u8, span: u8) -> String {
    format!("traceparent: 00-{}-{}-01\r\n", hex(&[trace; 16]), hex(&[span; 8]))
}

/// The same in B3's several headers, without a parent.
pub(crate) fn b3(trace: u8, span: u8) -> String {
    let (trace, span) = (hex(&[trace; 16]), hex(&[span; 8]));
    format!("X-B3-TraceId: {trace}\r\nX-B3-SpanId: {span}\r\nX-B3-Sampled: 1\r\n")
}
