//! The memory of a process, read-only. What is there may be anything, and may change at any time.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use procfs::process::{MMPermissions, MMapPath, MemoryMap};

use crate::runtime::Candidate;

/// Most mappings that are looked at; a process can have as many as vm.max_map_count (65,530).
const MAX_MAPS: usize = 16_384;
/// Pieces that are read with one call (IOV_MAX).
const MAX_PIECES: usize = 1024;
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
        to_words(bytes.get(..done).unwrap_or_default())
    }

    /// As many of `count` words from each of these addresses on as can be read, in few calls and so almost
    /// at the same instant.
    pub(super) fn words_at(&self, addresses: &[u64], count: usize) -> Vec<Vec<u64>> {
        let len = 8 * count;
        let mut bytes = vec![0; len * addresses.len().min(MAX_PIECES)];
        let mut found = Vec::with_capacity(addresses.len());
        while let Some(rest) = addresses.get(found.len()..).filter(|rest| !rest.is_empty()) {
            let pieces = rest.iter().take(MAX_PIECES);
            let remote: Vec<_> = pieces.map(|&at| RemoteIoVec { base: at as usize, len }).collect();
            let room = bytes.get_mut(..len * remote.len()).unwrap_or_default();
            let pid = Pid::from_raw(self.pid as i32);
            let read = process_vm_readv(pid, &mut [IoSliceMut::new(room)], &remote).unwrap_or(0);
            let whole = bytes.get(..read).unwrap_or_default().chunks_exact(len);
            found.extend(whole.take(remote.len()).map(to_words));
            // It ends at the first piece that runs into where nothing is.
            if read < len * remote.len()
                && let Some(&at) = addresses.get(found.len())
            {
                found.push(self.words(at, count));
            }
        }
        found
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

/// Little-endian words; what is left over is no word.
fn to_words(bytes: &[u8]) -> Vec<u64> {
    let words = bytes.chunks_exact(8);
    words.map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default())).collect()
}

#[cfg(test)]
mod tests {
    use super::{Candidate, MAX_PIECES, Memory};

    #[test]
    fn many_places_are_read_at_once_and_what_is_missing_is_no_hindrance() {
        let memory = Memory::of(&Candidate::open(std::process::id()).unwrap()).unwrap();
        let words: Vec<u64> = (0..2 * MAX_PIECES as u64).collect();
        let pairs = || words.windows(2).map(|pair| (pair.as_ptr() as u64, pair.to_vec()));
        let mut wanted: Vec<(u64, Vec<u64>)> = pairs().collect();
        wanted.insert(7, (8, vec![]));
        wanted.insert(MAX_PIECES, (u64::MAX - 7, vec![]));
        let addresses: Vec<u64> = wanted.iter().map(|(at, _)| *at).collect();
        let found = memory.words_at(&addresses, 2);
        assert_eq!(found, wanted.into_iter().map(|(_, pair)| pair).collect::<Vec<_>>());
    }
}
