//! The store's directory: one file a segment, named by number, and a lock.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use super::error::OpenError;

/// Of the store, in the directory that the user names, which may be one that others read.
const NAME: &str = "spans";
const LOCK: &str = "lock";
const PREFIX: &str = "segment-";
const SUFFIX: &str = ".redb";
const ASIDE: &str = ".damaged";

/// A directory that no other tracer has.
pub(super) struct Directory {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl Directory {
    /// Makes it if need be. Nobody but its owner can look into it.
    pub(super) fn open(data: &Path) -> Result<Self, OpenError> {
        let path = data.join(NAME);
        let wrong = |path: &Path| {
            let path = path.to_owned();
            |source| OpenError::Directory { path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(wrong(&path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).map_err(wrong(&path))?;
        let lock = path.join(LOCK);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&lock).map_err(wrong(&lock))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, _lock: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(data.to_owned())),
            Err(TryLockError::Error(source)) => Err(OpenError::Directory { path: lock, source }),
        }
    }

    /// The path of a segment.
    pub(super) fn segment(&self, number: u64) -> PathBuf {
        self.path.join(format!("{PREFIX}{number:012}{SUFFIX}"))
    }

    /// Numbers of the segments that are there, in order.
    pub(super) fn segments(&self) -> Result<Vec<u64>, OpenError> {
        let wrong = |source| OpenError::Directory { path: self.path.clone(), source };
        let mut numbers = vec![];
        for entry in fs::read_dir(&self.path).map_err(wrong)? {
            let name = entry.map_err(wrong)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
            let number = number.and_then(|name| name.strip_suffix(SUFFIX));
            numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Renames a segment's file, so that it is out of the way and can be looked at.
    pub(super) fn set_aside(&self, number: u64) -> io::Result<PathBuf> {
        let path = self.segment(number);
        let mut aside = path.clone().into_os_string();
        aside.push(ASIDE);
        let mut aside = PathBuf::from(aside);
        for again in 1.. {
            if !aside.try_exists()? {
                break;
            }
            aside = path.with_extension(format!("redb{ASIDE}-{again}"));
        }
        fs::rename(&path, &aside)?;
        Ok(aside)
    }

    /// Removes those that were set aside first, but never the last one, until all together are no more
    /// than so many bytes. How many those were.
    pub(super) fn clear_aside(&self, most: u64) -> io::Result<usize> {
        let mut all = vec![];
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_aside = |name: &str| name.starts_with(PREFIX) && name.contains(ASIDE);
            if name.to_str().is_some_and(is_aside) {
                let about = entry.metadata()?;
                // When it was renamed, not when it was written.
                all.push(((about.ctime(), about.ctime_nsec()), about.len(), entry.path()));
            }
        }
        all.sort();
        let mut bytes: u64 = all.iter().map(|(_, len, _)| len).sum();
        all.pop();
        let mut gone = 0;
        for (_, len, path) in all {
            if bytes <= most {
                break;
            }
            fs::remove_file(path)?;
            (bytes, gone) = (bytes.saturating_sub(len), gone + 1);
        }
        Ok(gone)
    }
}
