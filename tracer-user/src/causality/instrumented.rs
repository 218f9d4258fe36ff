//! Whether a process traces itself, by what it does.

use crate::connection::Moment;

use super::sight::{DOUBT, Sight};

/// Of one process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Instrumented {
    /// It sent a context that it had not received.
    originates: bool,
    /// When (boot clock) it first seemed to, while requests from before the tracer may have been
    /// open that had brought it.
    seemed: Option<u64>,
    /// It sent spans to a backend.
    exports: bool,
    /// It was sent spans: it is a backend or a collector, and what it sends on is not its own.
    collects: bool,
}

impl Instrumented {
    /// It sent a context that nobody was seen to receive; `continues`: of a trace that a request
    /// has brought it with another span. Returns whether that proves it the maker, by how much of
    /// what it is asked for is seen.
    pub(super) fn originated(&mut self, at: &Moment, sight: &Sight, continues: bool) -> bool {
        if self.originates {
            return true;
        }
        if sight.is_clear(at) {
            let lasting = at.time > self.seemed.get_or_insert(at.time).saturating_add(DOUBT);
            self.originates = continues || lasting || sight.whole_since(at);
        }
        self.originates
    }

    /// What it seemed to have made stands for nothing; an SDK makes other contexts soon.
    pub(super) fn sent_constant(&mut self) {
        (self.originates, self.seemed) = (false, None);
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
