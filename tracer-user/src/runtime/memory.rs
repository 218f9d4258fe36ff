//! The memory of a process, read-only. What is there may be anything, and may change at any time.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use procfs::process::{MMPermissions, MMapPath, MemoryMap};

use crate::runtime::Candidate;

/// Most mappings that are looked at; a process can have as many as vm.max_map_count (65,530).
const MAX_MAPS: usize = 16_384;
/// Size of a page.
const PAGE: u64 = 4096;

/// One process's.
pub(super) struct Memory {
    pid: u32,
    file: File,
    maps: Vec<MemoryMap>,
}

impl Memory {
    /// # Errors
    /// The process is gone, or may not be looked at.
    pub(super) fn of(process: &Candidate) -> io::Result<Self> {
        let pid = process.pid;
        let file = File::open(format!("/proc/{pid}/mem"))?;
        let mut maps = process.maps().ok_or(io::ErrorKind::NotFound)?.0;
        maps.truncate(MAX_MAPS);
        Ok(Self { pid, file, maps })
    }

    /// The path of its program, as the process sees it.
    pub(super) fn program(&self) -> Option<PathBuf> {
        std::fs::read_link(format!("/proc/{}/exe", self.pid)).ok()
    }

    /// The files that it has mapped from their beginning, with where that is.
    pub(super) fn files(&self) -> impl Iterator<Item = (&MemoryMap, &Path)> {
        self.maps.iter().filter(|map| map.offset == 0).filter_map(|map| match &map.pathname {
            MMapPath::Path(path) => Some((map, path.as_path())),
            _ => None,
        })
    }

    /// The mapping that holds this instruction.
    pub(super) fn code(&self, address: u64) -> Option<&MemoryMap> {
        self.at(address).filter(|map| map.perms.contains(MMPermissions::EXECUTE))
    }

    /// Whether a file is mapped there, and no instructions of it.
    pub(super) fn is_constant(&self, address: u64) -> bool {
        self.at(address).is_some_and(|map| {
            matches!(map.pathname, MMapPath::Path(_)) && !map.perms.contains(MMPermissions::EXECUTE)
        })
    }

    fn at(&self, address: u64) -> Option<&MemoryMap> {
        let at = self.maps.partition_point(|map| map.address.1 <= address);
        self.maps.get(at).filter(|map| map.address.0 <= address)
    }

    /// Every mapping of the same file.
    pub(super) fn maps_of(&self, file: &MemoryMap) -> impl Iterator<Item = &MemoryMap> {
        let (dev, inode) = (file.dev, file.inode);
        self.maps.iter().filter(move |map| map.dev == dev && map.inode == inode)
    }

    /// A path of a mapping's file that holds in every mount namespace, also when it is deleted; to
    /// follow it needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. Else one that is right unless
    /// another file has taken the name.
    pub(super) fn path_of(&self, map: &MemoryMap) -> PathBuf {
        let (start, end) = map.address;
        let direct = PathBuf::from(format!("/proc/{}/map_files/{start:x}-{end:x}", self.pid));
        match (&map.pathname, direct.metadata()) {
            (MMapPath::Path(path), Err(_)) => self.rooted(path),
            _ => direct,
        }
    }

    fn rooted(&self, path: &Path) -> PathBuf {
        format!("/proc/{}/root{}", self.pid, path.display()).into()
    }

    /// The file of a mapping.
    ///
    /// # Errors
    /// It is gone, or another one has its name.
    pub(super) fn open(&self, map: &MemoryMap) -> io::Result<File> {
        let file = File::open(self.path_of(map))?;
        match file.metadata()?.ino() == map.inode {
            true => Ok(file),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Whether a word of data that changes can be there.
    pub(super) fn holds_data(&self, address: u64) -> bool {
        let map = self.at(address).filter(|_| address.is_multiple_of(8));
        map.is_some_and(|map| map.perms.contains(MMPermissions::WRITE))
    }

    /// Where each of the small pieces of memory that belong to no file begins, and its length.
    pub(super) fn pieces(&self, longest: u64) -> impl Iterator<Item = (u64, u64)> {
        let small = move |map: &&MemoryMap| {
            matches!(map.pathname, MMapPath::Anonymous)
                && map.perms.contains(MMPermissions::WRITE)
                && map.address.1 - map.address.0 <= longest
        };
        self.maps.iter().filter(small).map(|map| (map.address.0, map.address.1 - map.address.0))
    }

    /// Little-endian 64 bits.
    pub(super) fn word(&self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, address).ok()?;
        Some(u64::from_le_bytes(bytes))
    }

    /// As many of `count` words from `address` on as can be read.
    pub(super) fn words(&self, address: u64, count: usize) -> Vec<u64> {
        let mut bytes = vec![0; 8 * count];
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            // A read that begins where nothing is fails; one that runs into that is short.
            match self.file.read_at(rest, address.wrapping_add(done as u64)) {
                Ok(read) if read > 0 => done += read,
                _ => break,
            }
        }
        let words = bytes.get(..done).unwrap_or_default().chunks_exact(8);
        words.map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default())).collect()
    }

    /// Up to `N` bytes, as far as they are in one page.
    pub(super) fn bytes<const N: usize>(&self, address: u64) -> Vec<u8> {
        let mut bytes = vec![0; N.min((PAGE - address % PAGE) as usize)];
        match self.file.read_exact_at(&mut bytes, address) {
            Ok(()) => bytes,
            Err(_) => vec![],
        }
    }
}
