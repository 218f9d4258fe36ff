//! Uprobes on files whoever runs them, kept as long as somebody does. They hold the file, and with it
//! its mount: of a container that ends, they must not stay.

use std::collections::{BTreeMap, BTreeSet};

use aya::programs::uprobe::UProbeLink;

/// A file: its device and its inode.
pub type InodeId = (u64, u64);

/// The files, each with its users: processes, or 0.
pub(super) struct Shared<L = UProbeLink>(BTreeMap<InodeId, File<L>>);

struct File<L> {
    users: BTreeSet<u32>,
    /// Detached when dropped.
    _links: Vec<L>,
}

impl<L> Default for Shared<L> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<L> Shared<L> {
    /// One more uses a file. Whether it is probed.
    pub(super) fn joins(&mut self, user: u32, file: InodeId) -> bool {
        let known = self.0.get_mut(&file);
        known.map(|known| known.users.insert(user)).is_some()
    }

    /// From now on a file is probed.
    pub(super) fn put(&mut self, user: u32, file: InodeId, links: Vec<L>) {
        self.0.insert(file, File { users: BTreeSet::from([user]), _links: links });
    }

    /// A process has ended. Probes that nobody needs any more are detached, one after the other, a
    /// tenth of a second each: the kernel lets nobody detach several at a time.
    pub(super) fn leaves(&mut self, user: u32) {
        self.0.retain(|_, file| !file.users.remove(&user) || !file.users.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::Shared;

    #[test]
    fn probes_stay_as_long_as_somebody_needs_them() {
        let mut shared = Shared::default();
        assert!(!shared.joins(7, (1, 2)));
        shared.put(7, (1, 2), vec!["link"]);
        assert!(shared.joins(8, (1, 2)) && !shared.joins(8, (1, 3)));
        shared.leaves(7);
        assert!(shared.joins(9, (1, 2)));
        shared.leaves(8);
        shared.leaves(9);
        assert!(!shared.joins(9, (1, 2)));
    }
}
