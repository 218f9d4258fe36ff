//! Incoming connections that were there before the tracer, until each has been seen once.

use std::collections::HashMap;
use std::net::IpAddr;

/// A connection by its two addresses, this side's first.
pub type Ends = ((IpAddr, u16), (IpAddr, u16));

/// The connections, each with the process that holds it.
#[derive(Debug, Default)]
pub struct Unseen {
    holders: HashMap<Ends, u32>,
    counts: HashMap<u32, u32>,
}

impl Unseen {
    /// Takes a new list; but for the first one, only what was in the list before stays. Returns
    /// every process concerned, in ascending order, with how many it has now.
    pub fn replace(
        &mut self,
        connections: impl IntoIterator<Item = (Ends, u32)>,
        first: bool,
    ) -> Vec<(u32, u32)> {
        let mut now: HashMap<_, _> = connections.into_iter().collect();
        if !first {
            now.retain(|ends, _| self.holders.contains_key(ends));
        }
        self.holders = now;
        let mut pids: Vec<u32> = self.counts.keys().copied().collect();
        self.counts.clear();
        for &pid in self.holders.values() {
            *self.counts.entry(pid).or_default() += 1;
        }
        pids.extend(self.counts.keys());
        pids.sort_unstable();
        pids.dedup();
        pids.into_iter().map(|pid| (pid, self.count(pid))).collect()
    }

    /// A connection has been seen. If it was listed: its process, and how many that still has.
    pub fn seen(&mut self, ends: &Ends) -> Option<(u32, u32)> {
        let pid = self.holders.remove(ends)?;
        if let Some(count) = self.counts.get_mut(&pid) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&pid);
            }
        }
        Some((pid, self.count(pid)))
    }

    /// A process has ended.
    pub fn exited(&mut self, pid: u32) {
        if self.counts.remove(&pid).is_some() {
            self.holders.retain(|_, holder| *holder != pid);
        }
    }

    /// Whether all have been seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.holders.is_empty()
    }

    /// How many have not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.holders.len()
    }

    fn count(&self, pid: u32) -> u32 {
        self.counts.get(&pid).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Ends, Unseen};

    fn ends(port: u16) -> Ends {
        (([127, 0, 0, 1].into(), 80), ([127, 0, 0, 1].into(), port))
    }

    #[test]
    fn each_is_counted_until_it_is_seen() {
        let mut unseen = Unseen::default();
        let all = [(ends(1), 7), (ends(2), 7), (ends(3), 8)];
        assert_eq!(unseen.replace(all, true), [(7, 2), (8, 1)]);
        assert_eq!(unseen.seen(&ends(1)), Some((7, 1)));
        assert_eq!(unseen.seen(&ends(1)), None);
        // One that is gone, and one that is newer than the tracer.
        assert_eq!(unseen.replace([(ends(2), 7), (ends(4), 9)], false), [(7, 1), (8, 0)]);
        unseen.exited(7);
        assert!(unseen.is_empty());
    }
}
