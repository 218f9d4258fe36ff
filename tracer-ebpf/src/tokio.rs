//! For whom a tokio task acts, in the runtime's own terms: its wakers say who waits for what.
//!
//! A socket's task is the one whose waker stands with what the socket is registered with in epoll
//! (`ScheduledIo`, tokio/src/runtime/io/scheduled_io.rs): a server that awaits its handler waits for the
//! end of the connection at the same time, and a client's connection always does. Whoever asks the
//! latter for something waits at the channel through which it will answer. The bits of states are those of
//! tokio/src/sync/oneshot.rs.

use aya_ebpf::{macros::map, maps::LruHashMap};
use tracer_common::runtime::{MAX_UNFOLLOWED, MAX_WAITS, NO_POINTER, Tokio, Wait};

use crate::kernel::{epoll_data, peek_user};

/// Processes that have written a request by what nobody is known to wait for; user space looks at
/// them then, and empties it.
#[map]
static UNFOLLOWED: LruHashMap<u32, u32> = LruHashMap::with_max_entries(MAX_UNFOLLOWED, 0);

/// `Header.vtable` (tokio/src/runtime/task/core.rs).
const TASK_TABLE: u64 = 16;
/// `RX_TASK_SET`, `VALUE_SENT` and `CLOSED` of a channel's state.
const STATE: u64 = 0b111;
/// Somebody waits, and has not been answered.
const AWAITED: u64 = 0b001;
/// Who waits for whom is followed so far.
const MAX_LINKS: usize = 6;

/// What can be woken.
#[derive(Clone, Copy)]
struct Sleeper {
    /// Functions of a task, or of another library's waker.
    table: u64,
    at: u64,
    is_task: bool,
}

/// The task that waits for the connection of this `struct file`: it answers what comes on it, or writes
/// what others ask. When something has just come, nobody waits any more.
#[inline(always)]
pub(crate) fn owner(tokio: &Tokio, file: u64) -> Option<u64> {
    let registered = epoll_data(file)?;
    let [table, task]: [u64; 2] = peek_user(registered.wrapping_add(u64::from(tokio.reader)))?;
    if table == tokio.waker && task != 0 { Some(task) } else { None }
}

/// The task for which another one has written a request, or reads the response: the last of those
/// that wait for one another; `None` if it may be any.
#[inline(always)]
pub(crate) fn asking(pid: u32, tokio: &Tokio, writer: u64) -> Option<u64> {
    let mut last = Sleeper { table: table_of(writer)?, at: writer, is_task: true };
    for link in 0..MAX_LINKS {
        let wait = known(tokio, last.table);
        let waker = match wait {
            Some(wait) => awaited(wait, last.at),
            None => joined(tokio, last),
        };
        if link == 0 && (wait.is_none() || waker.is_none()) {
            note(pid);
        }
        let waker = waker?;
        let Some([table, at]) = peek_user::<[u64; 2]>(waker) else { break };
        if table == tokio.waker {
            last = Sleeper { table: table_of(at)?, at, is_task: true };
        } else if known(tokio, table).is_some() {
            last = Sleeper { table, at, is_task: false };
        } else {
            if table != 0 {
                note(pid);
            }
            if wait.is_some() {
                return None;
            }
            // Nobody is known to wait for the task.
            break;
        }
    }
    if last.is_task { Some(last.at) } else { None }
}

#[inline(always)]
fn known(tokio: &Tokio, table: u64) -> Option<&Wait> {
    for index in 0..MAX_WAITS {
        let wait = &tokio.waits[index];
        if wait.table == table && table != 0 {
            return Some(wait);
        }
    }
    None
}

/// Where the waker is of who waits for what works for others.
#[inline(always)]
fn awaited(wait: &Wait, from: u64) -> Option<u64> {
    let mut at: u64 = peek_user(from.wrapping_add(u64::from(wait.first)))?;
    if wait.second != NO_POINTER {
        at = peek_user(at.wrapping_add(u64::from(wait.second)))?;
    }
    if wait.state != NO_POINTER {
        let state: u64 = peek_user(at.wrapping_add(u64::from(wait.state)))?;
        if state & STATE != AWAITED {
            return None;
        }
    }
    Some(at.wrapping_add(u64::from(wait.waker)))
}

/// Where the waker is of who waits for a task's end.
#[inline(always)]
fn joined(tokio: &Tokio, task: Sleeper) -> Option<u64> {
    let trailer: u64 = peek_user(task.table.wrapping_add(u64::from(tokio.trailer)))?;
    Some(task.at.wrapping_add(trailer).wrapping_add(u64::from(tokio.join)))
}

/// User space is to have a look.
#[inline(always)]
pub(crate) fn note(pid: u32) {
    // A full map evicts its oldest entry.
    let _ = UNFOLLOWED.insert(pid, 0, 0);
}

#[inline(always)]
fn table_of(task: u64) -> Option<u64> {
    peek_user(task.wrapping_add(TASK_TABLE))
}
