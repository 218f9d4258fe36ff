//! A request of the window.

use super::input::Request;
use super::lesson::Lesson;
use super::memo::mark;

/// A request.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) id: u64,
    pub(super) route: usize,
    pub(super) started: u64,
    pub(super) replied: Option<u64>,
    pub(super) ended: Option<u64>,
    /// All of its calls are in the window.
    pub(super) whole: bool,
    /// The calls that it is thought to have made, by their places, in order of their beginnings.
    pub(super) calls: Vec<u32>,
    /// Stands for these: the sum of their marks.
    pub(super) mark: u64,
    /// Its score with these.
    pub(super) score: f64,
    /// What it has taught so far.
    pub(super) lesson: Option<Lesson>,
}

impl Open {
    /// One that has made no calls yet.
    pub(super) fn new(request: &Request, route: usize) -> Self {
        let &Request { id, started, replied, ended, .. } = request;
        Self {
            id,
            route,
            started,
            replied,
            ended,
            whole: false,
            calls: vec![],
            mark: 0,
            score: 0.0,
            lesson: None,
        }
    }

    /// Has made no calls, as far as is known.
    pub(super) fn clear(&mut self) {
        self.calls.clear();
        self.mark = 0;
    }

    /// Has made this call, too, the latest of all.
    pub(super) fn push(&mut self, call: u32) {
        self.calls.push(call);
        self.mark = self.mark.wrapping_add(mark(call));
    }

    /// When it was over, if that was not after `now`.
    pub(super) fn over(&self, now: u64) -> Option<u64> {
        self.ended.filter(|&ended| ended <= now)
    }

    /// When it was answered, if by then all of its calls were in the window.
    pub(super) fn answered(&self) -> Option<u64> {
        self.replied.filter(|_| self.whole)
    }
}
