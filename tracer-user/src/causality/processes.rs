//! The processes that are remembered. A pid is used again after a while, by another process.

use std::collections::{HashMap, VecDeque};

use crate::connection::Moment;

use super::process::Process;
use super::sight::Sight;

/// How long a process is remembered after its end, for what it did shortly before.
const MOURN: u64 = 60_000_000_000;

/// By pid.
#[derive(Debug, Default)]
pub(super) struct Processes {
    living: HashMap<u32, Process>,
    dead: HashMap<u32, Process>,
    graves: VecDeque<(u64, u32)>,
    /// Until when (boot clock) a request may be open whose beginning was lost, to a process that is
    /// not known yet.
    doubt: u64,
}

impl Processes {
    /// The process that acts, made if it is new.
    pub(super) fn acting(&mut self, at: &Moment) -> &mut Process {
        self.get(at.pid, at.order)
    }

    /// The process, made if it is new, and then with event number `order`.
    pub(super) fn get(&mut self, pid: u32, order: u64) -> &mut Process {
        let doubt = self.doubt;
        self.living.entry(pid).or_insert_with(|| Process::new(order, Sight::with_doubt(doubt)))
    }

    /// The process that acted then, if it is known.
    pub(super) fn at(&self, at: &Moment) -> Option<&Process> {
        let living = self.living.get(&at.pid).filter(|process| process.born <= at.order);
        living.or_else(|| self.dead.get(&at.pid))
    }

    /// The same, to be changed.
    pub(super) fn at_mut(&mut self, at: &Moment) -> Option<&mut Process> {
        let living = self.living.get_mut(&at.pid).filter(|process| process.born <= at.order);
        living.or_else(|| self.dead.get_mut(&at.pid))
    }

    /// Something was lost, of whatever process.
    pub(super) fn lose(&mut self, now: u64) {
        self.doubt = self.doubt.max(Sight::doubt(now));
        self.living.values_mut().for_each(|process| process.sight.lose(now));
    }

    /// A process has ended.
    pub(super) fn exited(&mut self, pid: u32, now: u64) {
        if let Some(process) = self.living.remove(&pid) {
            self.dead.insert(pid, process);
            self.graves.push_back((now.saturating_add(MOURN), pid));
        }
    }

    /// Forgets those that ended long ago.
    pub(super) fn poll(&mut self, now: u64) {
        while let Some(&(time, pid)) = self.graves.front()
            && time <= now
        {
            self.graves.pop_front();
            self.dead.remove(&pid);
        }
    }

    /// How many things are remembered.
    pub(super) fn remembered(&self) -> usize {
        let all = self.living.values().chain(self.dead.values());
        all.map(Process::remembered).sum::<usize>() + self.graves.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{MOURN, Moment, Processes};

    #[test]
    fn a_pid_that_is_used_again_is_another_process() {
        let at = |order| Moment { order, pid: 7, ..Moment::default() };
        let mut processes = Processes::default();
        processes.acting(&at(1)).thread(1);
        processes.exited(7, 10);
        assert_eq!(processes.at(&at(2)).map(|process| process.remembered()), Some(2));
        processes.acting(&at(5));
        assert_eq!(processes.at(&at(2)).map(|process| process.remembered()), Some(2));
        assert_eq!(processes.at(&at(5)).map(|process| process.remembered()), Some(1));
        processes.poll(10 + MOURN);
        assert!(processes.at(&at(2)).is_none() && processes.at(&at(5)).is_some());
    }
}
