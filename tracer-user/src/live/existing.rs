//! The incoming connections that are there already, from /proc: until each has been seen once, a
//! process may be answering a request that nobody knows of.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::mpsc;
use std::thread;

use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::{FDTarget, all_processes};

use crate::pipeline::Ends;

/// TCP sockets of the whole host.
struct Sockets {
    /// Inode -> a process that holds it.
    holders: HashMap<u64, u32>,
    /// Network namespace -> its sockets.
    namespaces: HashMap<u64, Vec<TcpNetEntry>>,
}

impl Sockets {
    /// What cannot be read (a process that has just ended) is left out.
    fn read() -> Self {
        let (mut holders, mut namespaces) = (HashMap::new(), HashMap::new());
        for process in all_processes().into_iter().flatten().flatten() {
            let Ok(fds) = process.fd() else { continue };
            let mut sockets = false;
            for fd in fds.flatten() {
                if let FDTarget::Socket(inode) = fd.target {
                    holders.entry(inode).or_insert(process.pid.unsigned_abs());
                    sockets = true;
                }
            }
            let net = std::ffi::OsStr::new("net");
            let namespaces_of = process.namespaces().ok();
            let namespace = namespaces_of.and_then(|all| Some(all.0.get(net)?.identifier));
            if let (true, Some(namespace)) = (sockets, namespace) {
                namespaces.entry(namespace).or_insert_with(|| {
                    let v4 = process.tcp().unwrap_or_default();
                    v4.into_iter().chain(process.tcp6().unwrap_or_default()).collect()
                });
            }
        }
        Self { holders, namespaces }
    }
}

/// Every established connection whose local port is listened on in its network namespace, with a
/// process that holds it.
pub(super) fn incoming() -> Vec<(Ends, u32)> {
    let Sockets { holders, namespaces } = Sockets::read();
    let mut found = vec![];
    for entries in namespaces.values() {
        let listening: HashSet<u16> = entries
            .iter()
            .filter(|entry| entry.state == TcpState::Listen)
            .map(|entry| entry.local_address.port())
            .collect();
        for entry in entries.iter().filter(|entry| entry.state == TcpState::Established) {
            let (local, remote) = (entry.local_address, entry.remote_address);
            if let (true, Some(&pid)) =
                (listening.contains(&local.port()), holders.get(&entry.inode))
            {
                let end =
                    |address: std::net::SocketAddr| (address.ip().to_canonical(), address.port());
                found.push(((end(local), end(remote)), pid));
            }
        }
    }
    found
}

/// Looks again and again, ever less often, for connections that are gone; on a thread of its own,
/// since going through all of /proc can take longer than the ring buffer can wait.
pub(super) struct Again {
    at: u64,
    pause: u64,
    running: Option<mpsc::Receiver<Vec<(Ends, u32)>>>,
}

const FIRST_PAUSE: u64 = 5_000_000_000;
const LONGEST_PAUSE: u64 = 300_000_000_000;

impl Default for Again {
    fn default() -> Self {
        Self { at: 0, pause: FIRST_PAUSE, running: None }
    }
}

impl Again {
    /// What was found, once after each look. `now` is in nanoseconds.
    pub(super) fn poll(&mut self, now: u64) -> Option<Vec<(Ends, u32)>> {
        if let Some(running) = &self.running {
            let found = running.try_recv();
            if !matches!(found, Err(mpsc::TryRecvError::Empty)) {
                self.running = None;
            }
            return found.ok();
        }
        if self.at == 0 {
            self.at = now + self.pause;
        }
        if now >= self.at {
            self.pause = (2 * self.pause).min(LONGEST_PAUSE);
            self.at = now + self.pause;
            let (send, receive) = mpsc::channel();
            // If no thread can be had, the next look tries again.
            let started = thread::Builder::new().name("tracer-look".into()).spawn(move || {
                // The receiver is gone when the tracer stops.
                let _ = send.send(incoming());
            });
            self.running = started.is_ok().then_some(receive);
        }
        None
    }
}

/// Every process that listens on TCP ports, with the ports, both in ascending order.
pub(super) fn listening() -> BTreeMap<u32, BTreeSet<u16>> {
    let mut found: BTreeMap<u32, BTreeSet<u16>> = Default::default();
    let Sockets { holders, namespaces } = Sockets::read();
    for entry in namespaces.values().flatten().filter(|entry| entry.state == TcpState::Listen) {
        if let Some(&pid) = holders.get(&entry.inode) {
            found.entry(pid).or_default().insert(entry.local_address.port());
        }
    }
    found
}
