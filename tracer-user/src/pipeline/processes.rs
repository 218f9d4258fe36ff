//! Which processes are known, and which of them are wanted.

use tracer_common::record;

use crate::connection::{Moment, text};

use super::{Directory, Pipeline, Verdict};

impl<D: Directory> Pipeline<D> {
    /// First sight of a process: who is it, and is it wanted?
    pub(super) fn meet(&mut self, at: Moment, comm: &str) {
        if !self.known.insert(at.pid) {
            return;
        }
        self.directory.meet(at.pid, comm, at.time);
        self.causality.leave_out(at, self.ports_left_out);
        self.judge(at);
    }

    fn judge(&mut self, at: Moment) {
        let Some(wanted) = self.directory.wanted(at.pid, at.time) else { return };
        if wanted {
            self.skipped.remove(&at.pid);
        } else {
            self.skipped.insert(at.pid);
        }
        self.verdicts.push((at.pid, Verdict::Known { wanted }));
    }

    /// The process is another program now, with the same open connections.
    pub(super) fn exec(&mut self, record: &record::Process, at: Moment) {
        self.directory.exec(at.pid, &text(&record.comm));
        self.judge(at);
    }

    /// It has ended.
    pub(super) fn exited(&mut self, at: Moment) {
        self.exchanges.exited(at.pid, at, &mut self.signals);
        self.flow();
        self.causality.exited(at.pid, at.time);
        self.unseen.exited(at.pid);
        self.directory.exit(at.pid, at.time);
        self.known.remove(&at.pid);
        self.skipped.remove(&at.pid);
        self.verdicts.push((at.pid, Verdict::Ended));
    }
}
