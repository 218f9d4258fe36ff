//! What was found out about files, by their identity.

use std::fs::Metadata;
use std::num::NonZeroUsize;
use std::os::unix::fs::MetadataExt as _;

use lru::LruCache;

/// Files of which something is remembered.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// Names a file's contents, wherever it is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    device: u64,
    inode: u64,
    length: u64,
    /// Seconds and nanoseconds of the last change.
    changed: (i64, i64),
}

impl FileId {
    /// Its name in text, by the number of its build, if it has one: then it is the same wherever it is,
    /// as long as it is the same file or a copy that says so (length and time).
    #[must_use]
    pub fn name(&self, build: Option<&[u8]>) -> String {
        let place = || format!("{:x}:{}", self.device, self.inode);
        let hexadecimal = |build: &[u8]| build.iter().map(|byte| format!("{byte:02x}")).collect();
        let which = build.map_or_else(place, hexadecimal);
        let (seconds, nanoseconds) = self.changed;
        format!("{which} {} {seconds}.{nanoseconds:09}", self.length)
    }
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            changed: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// Remembers one thing about each file, of a bounded number of files.
#[derive(Debug)]
pub struct ByFile<T>(LruCache<FileId, T>);

impl<T> Default for ByFile<T> {
    fn default() -> Self {
        Self(LruCache::new(CAPACITY))
    }
}

impl<T: Clone> ByFile<T> {
    /// What is known of the file so far.
    pub fn known(&mut self, file: FileId) -> Option<T> {
        self.0.get(&file).cloned()
    }

    /// From now on this is known of the file.
    pub fn put(&mut self, file: FileId, known: T) {
        self.0.put(file, known);
    }

    /// What is known of the file, else what `find` says, from then on.
    pub fn get(&mut self, file: FileId, find: impl FnOnce() -> T) -> T {
        self.0.get_or_insert(file, find).clone()
    }
}
