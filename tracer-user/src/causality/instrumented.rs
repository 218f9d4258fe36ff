//! Whether a process traces itself, by what it does.

/// Of one process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Instrumented {
    /// It sent a context that it had not received.
    originates: bool,
    /// It sent spans to a backend.
    exports: bool,
    /// It was sent spans: it is a backend or a collector, and what it sends on is not its own.
    collects: bool,
}

impl Instrumented {
    pub(super) fn originated(&mut self) {
        self.originates = true;
    }

    pub(super) fn exported(&mut self) {
        self.exports = true;
    }

    pub(super) fn collected(&mut self) {
        self.collects = true;
    }

    /// Headers that it makes show it, or spans that it exports.
    pub(super) fn traces_itself(self) -> bool {
        self.originates || (self.exports && !self.collects)
    }
}
