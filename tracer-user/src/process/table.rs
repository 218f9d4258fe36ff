//! Identities of all processes that were asked for, bounded.

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;

use super::facts::Facts;
use super::host::Host;
use super::identity::Identity;
use super::rules::Rules;

/// How long the name of a process that ended is kept, longer than a span is held back.
const LINGER: u64 = 60_000_000_000;
/// How long it is believed that a number still means the same process; covers a lost exit event.
const RECHECK: u64 = 10_000_000_000;
/// The same after its end, when the number may be given away.
const RECHECK_ENDED: u64 = 1_000_000_000;
/// Most thread names kept for processes that nobody has asked for yet.
const MAX_HINTS: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// What the table did, counted from its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableStats {
    /// Processes read from /proc.
    pub read: u64,
    /// Processes that were gone before they could be read: their spans have a thread's name or none.
    pub gone: u64,
    /// Identities dropped because the table was full; a live process is read again when needed.
    pub evicted: u64,
}

struct Entry {
    identity: Arc<Identity>,
    checked: u64,
    ended: Option<u64>,
}

/// Who is who. Times are nanoseconds of `CLOCK_BOOTTIME`, those of the events that are handled.
///
/// A process must be asked for while it runs: call [`get`](Self::get) at the first sight of a
/// connection of it, not only when its first span is finished.
pub struct ProcessTable {
    host: Host,
    rules: Rules,
    extra: Vec<(String, String)>,
    entries: LruCache<u32, Entry>,
    hints: LruCache<u32, Box<str>>,
    parents: LruCache<u32, u32>,
    stats: TableStats,
}

impl ProcessTable {
    /// Keeps up to `capacity` processes. `extra` are attributes that every resource gets.
    #[must_use]
    pub fn new(
        host: Host,
        rules: Rules,
        extra: Vec<(String, String)>,
        capacity: NonZeroUsize,
    ) -> Self {
        let entries = LruCache::new(capacity);
        let (hints, parents) = (LruCache::new(MAX_HINTS), LruCache::new(MAX_HINTS));
        let stats = TableStats::default();
        Self { host, rules, extra, entries, hints, parents, stats }
    }

    /// Who `pid` is, or was when it did what happened at `now`. Reads /proc at the first call for
    /// a process, after its [`exec`](Self::exec), and a few fields of it from time to time.
    pub fn get(&mut self, pid: u32, now: u64) -> Arc<Identity> {
        if let Some(entry) = self.entries.get_mut(&pid) {
            let since = now.saturating_sub(entry.ended.unwrap_or(0).max(entry.checked));
            let wait = if entry.ended.is_some() { RECHECK_ENDED } else { RECHECK };
            if since < wait {
                return entry.identity.clone();
            }
            entry.checked = now;
            match Facts::start_time(&self.host, pid) {
                Some(start) if start == entry.identity.start_time => {
                    entry.ended = None;
                    return entry.identity.clone();
                }
                None => {
                    let ended = *entry.ended.get_or_insert(now);
                    if now.saturating_sub(ended) < LINGER {
                        return entry.identity.clone();
                    }
                }
                Some(_) => {}
            }
        }
        self.read(pid, now)
    }

    /// The process runs another program from now on.
    pub fn exec(&mut self, pid: u32) {
        self.entries.pop(&pid);
        self.hints.pop(&pid);
        self.parents.pop(&pid);
    }

    /// The process ended at `now`; its name is kept for a while.
    pub fn exit(&mut self, pid: u32, now: u64) {
        if let Some(entry) = self.entries.peek_mut(&pid) {
            entry.ended.get_or_insert(now);
        }
    }

    /// The kernel saw a thread of `pid` with this name: better than nothing if the process is gone
    /// before it can be read.
    pub fn hint(&mut self, pid: u32, comm: &str) {
        if !self.entries.contains(&pid) && !comm.is_empty() {
            self.hints.put(pid, comm.chars().take(16).collect());
        }
    }

    /// `pid` uses a connection that `parent` had: should it be gone before it can be read, it was
    /// most likely a child of it, and the same service. The bias: another program that was given
    /// the connection and ended at once goes under the giver's name.
    pub fn inherits(&mut self, pid: u32, parent: u32) {
        if !self.entries.contains(&pid) {
            self.parents.put(pid, parent);
        }
    }

    /// The process was seen to be the server on a connection with this local port. `true` if its
    /// name changed by a rule of the configuration file; then [`get`](Self::get) tells the new one.
    pub fn serves(&mut self, pid: u32, port: u16) -> bool {
        let Some(entry) = self.entries.peek_mut(&pid) else { return false };
        if !entry.identity.rules.by_port.iter().any(|(want, _)| *want == port) {
            return false;
        }
        let mut rules = entry.identity.rules.clone();
        let Some(name) = rules.serve(port) else { return false };
        entry.identity = Arc::new(entry.identity.renamed(name, rules));
        true
    }

    /// Every process of the host now, in ascending order of id.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.host.pids()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> TableStats {
        self.stats
    }

    fn read(&mut self, pid: u32, now: u64) -> Arc<Identity> {
        let hint = self.hints.pop(&pid);
        let parent = self.parents.pop(&pid).and_then(|parent| self.entries.peek(&parent));
        let parent = parent.map(|entry| entry.identity.clone());
        let found = Identity::read(&self.host, &self.rules, &self.extra, pid);
        // Of one that has ended and is not reaped, nearly nothing can be read.
        let found = found.filter(|found| found.exe.is_some() || parent.is_none());
        let ended = found.is_none().then_some(now);
        let identity = Arc::new(found.unwrap_or_else(|| match parent {
            Some(parent) => parent.child(pid),
            None => Identity::gone(&self.host, &self.rules, &self.extra, pid, hint.as_deref()),
        }));
        match ended {
            None => self.stats.read += 1,
            Some(_) => self.stats.gone += 1,
        }
        self.forget(now);
        let entry = Entry { identity: identity.clone(), checked: now, ended };
        // `push` also returns the entry that it replaces, which is no eviction.
        if self.entries.push(pid, entry).is_some_and(|(dropped, _)| dropped != pid) {
            self.stats.evicted += 1;
        }
        identity
    }

    /// Drops what ended long ago, from the least used on; each call does a bounded part of it.
    fn forget(&mut self, now: u64) {
        for _ in 0..4 {
            match self.entries.peek_lru() {
                Some((_, entry))
                    if entry.ended.is_some_and(|at| now.saturating_sub(at) > LINGER) =>
                {
                    self.entries.pop_lru();
                }
                _ => break,
            }
        }
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
