//! What a process has registered with its files in epoll (`epoll_data`, epoll_ctl(2)); tokio
//! registers the address of what it knows of the socket.

use std::fs;
use std::path::Path;

use super::super::memory::Memory;

/// Descriptors of a process among which those of epoll are sought: a runtime makes its own early.
const MAX_DESCRIPTORS: usize = 512;
/// Files that are looked at.
const MAX_SOCKETS: usize = 1024;

/// Addresses in the process's memory that stand for files; empty if it does not use epoll so.
pub(super) fn registered(pid: u32, memory: &Memory) -> Vec<u64> {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return vec![] };
    let is_epoll = |path: &Path| {
        fs::read_link(path).is_ok_and(|target| target.as_os_str() == "anon_inode:[eventpoll]")
    };
    let mut addresses: Vec<u64> = descriptors
        .flatten()
        .take(MAX_DESCRIPTORS)
        .filter(|entry| is_epoll(&entry.path()))
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            fs::read_to_string(format!("/proc/{pid}/fdinfo/{name}")).ok()
        })
        .flat_map(|info| info.lines().filter_map(data).collect::<Vec<_>>())
        .filter(|&address| memory.holds_data(address))
        .take(MAX_SOCKETS)
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// Of a line of an epoll descriptor's fdinfo (proc_pid_fdinfo(5)):
/// `tfd: 5 events: 1d data: ffffffff00000005  pos:0 ino:61af sdev:7`.
fn data(line: &str) -> Option<u64> {
    let mut words = line.strip_prefix("tfd:")?.split_whitespace();
    words.find(|&word| word == "data:")?;
    u64::from_str_radix(words.next()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::data;

    #[test]
    fn what_is_registered_is_read_from_the_kernels_words() {
        let line = "tfd:        5 events:       1d data:     561c2a40  pos:0 ino:61af sdev:7";
        assert_eq!(data(line), Some(0x561c_2a40));
        assert_eq!(data("pos:\t0"), None);
        assert_eq!(data("tfd: 5 events: 1d data:"), None);
    }
}
