//! Processes that are looked at when they make calls that the probes cannot follow: for what is to be
//! found can only be seen while a call is open.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use tracer_common::runtime::Runtime;

use crate::runtime::{Again, Insight};

/// Between the first looks.
const FIRST: Duration = Duration::from_millis(10);
/// So many of them since something was found; from then on each pause is twice the one before.
const EAGER: u32 = 30;
/// The pause is doubled so often: to 2.7 minutes.
const MAX_DOUBLED: u32 = 14;
/// How often it is asked which processes have made such calls.
const PAUSE: Duration = Duration::from_millis(10);
/// Processes that are remembered.
const MAX_PROCESSES: usize = 4096;

/// Of one process.
#[derive(Debug)]
struct Known {
    looks: u32,
    not_before: Instant,
    /// What is known of it.
    runtime: Option<Runtime>,
}

/// Which ones.
#[derive(Debug, Default)]
pub(super) struct Unfollowed {
    known: HashMap<u32, Known>,
    due: VecDeque<u32>,
}

impl Unfollowed {
    /// A process was looked at, and this is what was found.
    pub(super) fn put(&mut self, process: u32, insight: &Insight) {
        self.put_at(process, insight, Instant::now());
    }

    fn put_at(&mut self, process: u32, insight: &Insight, now: Instant) {
        if insight.again != Again::Unfollowed {
            return self.forget(process);
        }
        if self.known.len() >= MAX_PROCESSES && !self.known.contains_key(&process) {
            return;
        }
        let begin = || Known { looks: 0, not_before: now, runtime: insight.runtime };
        let known = self.known.entry(process).or_insert_with(begin);
        if std::mem::replace(&mut known.runtime, insight.runtime) != insight.runtime {
            // Where something new was found, there may be more: what it does changes.
            known.looks = 0;
        }
        let doubled = known.looks.saturating_sub(EAGER).min(MAX_DOUBLED);
        known.not_before = now + FIRST * 2_u32.pow(doubled);
        known.looks = known.looks.saturating_add(1);
    }

    /// These have made such calls.
    pub(super) fn called(&mut self, processes: Vec<u32>) {
        self.called_at(processes, Instant::now());
    }

    fn called_at(&mut self, processes: Vec<u32>, now: Instant) {
        for process in processes {
            let ripe = self.known.get(&process).is_some_and(|known| known.not_before <= now);
            if ripe && !self.due.contains(&process) {
                self.due.push_back(process);
            }
        }
    }

    /// Until when to wait before the next question, if there is anything to ask.
    pub(super) fn pause(&self) -> Option<Duration> {
        (!self.is_empty()).then_some(PAUSE)
    }

    /// Whether there are any.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The next one that is to be looked at.
    pub(super) fn next(&mut self) -> Option<u32> {
        self.due.pop_front()
    }

    /// It has ended, or is looked at as if for the first time.
    pub(super) fn forget(&mut self, process: u32) {
        self.known.remove(&process);
        self.due.retain(|&other| other != process);
    }
}

#[cfg(test)]
mod tests {
    use tracer_common::record::FLOW_TASK;

    use super::{
        Again, EAGER, FIRST, Insight, Instant, MAX_DOUBLED, MAX_PROCESSES, Runtime, Unfollowed,
    };

    /// A look at process 7, of which all is known to this number.
    fn put(unfollowed: &mut Unfollowed, found: u32, now: Instant) {
        let mut runtime = Runtime { kind: FLOW_TASK, ..Runtime::default() };
        runtime.tokio.reader = found;
        let again = Again::Unfollowed;
        let insight = Insight { runtime: Some(runtime), again, ..Insight::default() };
        unfollowed.put_at(7, &insight, now);
    }

    #[test]
    fn a_process_is_looked_at_when_it_calls() {
        let (mut unfollowed, now) = (Unfollowed::default(), Instant::now());
        unfollowed.called_at(vec![7], now);
        assert_eq!(unfollowed.next(), None, "nothing is sought in it");
        put(&mut unfollowed, 1, now);
        unfollowed.called_at(vec![7], now + FIRST / 2);
        assert_eq!(unfollowed.next(), None);
        unfollowed.called_at(vec![7, 7], now + FIRST);
        assert_eq!((unfollowed.next(), unfollowed.next()), (Some(7), None));
        unfollowed.put_at(7, &Insight::default(), now + 3 * FIRST);
        assert!(unfollowed.is_empty());
    }

    #[test]
    fn where_nothing_is_found_it_is_sought_ever_less_often() {
        let (mut unfollowed, now) = (Unfollowed::default(), Instant::now());
        (0..=EAGER + 3).for_each(|_| put(&mut unfollowed, 1, now));
        unfollowed.called_at(vec![7], now + 8 * FIRST - FIRST / 2);
        assert_eq!(unfollowed.next(), None);
        unfollowed.called_at(vec![7], now + 8 * FIRST);
        assert_eq!(unfollowed.next(), Some(7));
        (0..1000).for_each(|_| put(&mut unfollowed, 1, now));
        unfollowed.called_at(vec![7], now + FIRST * 2_u32.pow(MAX_DOUBLED));
        assert_eq!(unfollowed.next(), Some(7));
        put(&mut unfollowed, 2, now);
        unfollowed.called_at(vec![7], now + FIRST);
        assert_eq!(unfollowed.next(), Some(7), "something was found");
    }

    #[test]
    fn those_that_are_remembered_are_bounded() {
        let (mut unfollowed, now) = (Unfollowed::default(), Instant::now());
        let insight = Insight { again: Again::Unfollowed, ..Insight::default() };
        (0..2 * MAX_PROCESSES as u32).for_each(|process| unfollowed.put_at(process, &insight, now));
        assert_eq!(unfollowed.known.len(), MAX_PROCESSES);
    }
}
