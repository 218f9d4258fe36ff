//! A pipeline with a recorder beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;

use super::recorder::{Recorder, Totals};
use super::witness::Witness;
use crate::kernel::Event;
use crate::pipeline::{Directory, Ends, LATEST, Pipeline, Settings, Verdict};
use crate::replay::Input;
use crate::trace::{Clock, LeftOut, Span};

/// Does what a [`Pipeline`] does, and tells the recorder, if there is one, what it was given, in
/// the order in which it was.
pub struct Tap<D> {
    pipeline: Pipeline<Witness<D>>,
    recorder: Option<Recorder>,
    /// Time that passed without anything coming of it, and that the recorder has not heard of.
    idle: Option<u64>,
}

impl<D: Directory> Tap<D> {
    /// An empty pipeline.
    pub fn new(settings: Settings, directory: D, clock: Clock, recorder: Option<Recorder>) -> Self {
        let directory = Witness::new(directory, recorder.is_some());
        Self { pipeline: Pipeline::new(settings, directory, clock), recorder, idle: None }
    }

    /// As [`Pipeline::record`].
    pub fn record(&mut self, bytes: &[u8]) {
        let Some(recorder) = &mut self.recorder else { return self.pipeline.record(bytes) };
        let time = Event::parse(bytes).map(|event| event.header().time.min(LATEST));
        if self.idle.is_some_and(|idle| time.is_some_and(|time| time < idle)) {
            recorder.extend(self.idle.take().map(Input::Advance));
        }
        // In two steps: spans that leave because of the time may ask who a process was before the
        // record makes it another one.
        let mut turned = vec![];
        if let Some(time) = time {
            self.pipeline.advance(time);
            recorder.extend(self.pipeline.directory().take());
            self.pipeline.record(bytes);
            turned = self.pipeline.directory().take();
            if !turned.is_empty() {
                recorder.push(Input::Advance(time));
            }
            self.idle = None;
        } else {
            self.pipeline.record(bytes);
        }
        recorder.extend(turned);
        recorder.push(Input::Record(bytes.to_vec()));
    }

    /// As [`Pipeline::advance`].
    pub fn advance(&mut self, now: u64) {
        let before = self.recorder.as_ref().map(|_| self.pipeline.remembered());
        let moved = self.pipeline.advance(now);
        let Some(recorder) = &mut self.recorder else { return };
        let answers = self.pipeline.directory().take();
        if moved || !answers.is_empty() || before != Some(self.pipeline.remembered()) {
            recorder.extend(answers);
            recorder.push(Input::Advance(now));
            self.idle = None;
        } else {
            self.idle = Some(now.max(self.idle.unwrap_or(0)));
        }
    }

    /// As [`Pipeline::existing`].
    pub fn existing(&mut self, connections: Vec<(Ends, u32)>, first: bool) {
        if let Some(recorder) = &mut self.recorder {
            recorder.extend(self.idle.take().map(Input::Advance));
            recorder.push(Input::Existing { connections: connections.clone(), first });
        }
        self.pipeline.existing(connections, first);
    }

    /// As [`Pipeline::lost_records`].
    pub fn lost_records(&mut self, since: u64, until: u64) {
        if let Some(recorder) = &mut self.recorder {
            recorder.extend(self.idle.take().map(Input::Advance));
            recorder.push(Input::Lost { since, until });
        }
        self.pipeline.lost_records(since, until);
    }

    /// As [`Pipeline::clock`].
    pub fn clock(&mut self, since: u64, boot: u64, unix: u64) {
        let stepped = self.pipeline.clock(since, boot, unix);
        if let Some(recorder) = self.recorder.as_mut().filter(|_| stepped) {
            recorder.push(Input::Clock { since, boot, unix });
        }
    }

    /// As [`Pipeline::stop`].
    pub fn stop(&mut self, now: u64) {
        self.pipeline.stop(now);
        if let Some(recorder) = &mut self.recorder {
            recorder.extend(self.idle.take().map(Input::Advance));
            recorder.extend(self.pipeline.directory().take());
            recorder.push(Input::Stop(now));
        }
    }

    /// As [`Pipeline::take_spans`]; what was recorded since the last call goes to the file.
    pub fn take_spans(&mut self) -> Vec<Arc<Span>> {
        if let Some(recorder) = &mut self.recorder {
            recorder.hand_on();
        }
        self.pipeline.take_spans()
    }

    /// As [`Pipeline::take_verdicts`].
    pub fn take_verdicts(&mut self) -> Vec<(u32, Verdict)> {
        self.pipeline.take_verdicts()
    }

    /// As [`Pipeline::waits_for_existing`].
    #[must_use]
    pub fn waits_for_existing(&self) -> bool {
        self.pipeline.waits_for_existing()
    }

    /// As [`Pipeline::losses`].
    #[must_use]
    pub fn losses(&self) -> BTreeMap<&'static str, u64> {
        self.pipeline.losses()
    }

    /// As [`Pipeline::remembered`].
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.pipeline.remembered()
    }

    /// What a process was called; `None` if it is left out.
    pub fn service(&mut self, pid: u32, now: u64) -> Option<Arc<str>> {
        let directory = self.pipeline.directory();
        let traced = directory.wanted(pid, now) != Some(false);
        traced.then(|| directory.resource(pid, now).service.clone())
    }

    /// As [`Pipeline::left_out`].
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        self.pipeline.left_out()
    }

    /// The recording has come to its end before the run: it is as large as it may be, or could not
    /// be written.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.recorder.as_ref().is_some_and(Recorder::is_over)
    }

    /// Ends the recording, if there is one.
    ///
    /// # Errors
    /// What went wrong while it was written.
    pub fn finish(self) -> Result<Option<Totals>> {
        self.recorder.map(Recorder::finish).transpose()
    }
}
