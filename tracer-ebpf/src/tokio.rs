//! For whom a tokio task acts, in the runtime's own terms: its wakers say who waits for what.
//!
//! A socket's task is the one whose waker stands with what the socket is registered with in epoll
//! (`ScheduledIo`, tokio/src/runtime/io/scheduled_io.rs): a server that awaits its handler waits for the
//! end of the connection at the same time, and a client's connection always does. Whoever asks the
//! latter for something waits at the channel through which it will answer. The bits of states are those of
//! tokio/src/sync/oneshot.rs.

use tracer_common::runtime::{NO_POINTER, Tokio, Wait};

use crate::kernel::{Sock, epoll_data, peek_user};

/// `Header.vtable` (tokio/src/runtime/task/core.rs).
const TASK_TABLE: u64 = 16;
/// `RX_TASK_SET`, `VALUE_SENT` and `CLOSED` of a channel's state.
const STATE: u64 = 0b111;
/// Somebody waits, and has not been answered.
const AWAITED: u64 = 0b001;
/// Tasks that wait for one another's end which are followed.
const MAX_JOINS: usize = 4;

/// The task that answers a request on a connection: that which waits for the connection.
#[inline(always)]
pub(crate) fn answering(tokio: &Tokio, sock: Sock) -> Option<u64> {
    let registered = epoll_data(sock)?;
    task(tokio, registered.wrapping_add(u64::from(tokio.reader)))
}

/// The task for which a request is written on a connection, as the last of those that wait for one
/// another; `None` if it may be any.
#[inline(always)]
pub(crate) fn asking(tokio: &Tokio, sock: Sock) -> Option<u64> {
    let writer = answering(tokio, sock)?;
    let mut last = waiting(tokio, writer)?;
    for _ in 0..MAX_JOINS {
        let Some(next) = joining(tokio, last) else { break };
        last = next;
    }
    Some(last)
}

/// Whom a task answers; itself if it is not known to work for others.
#[inline(always)]
fn waiting(tokio: &Tokio, writer: u64) -> Option<u64> {
    let table: u64 = peek_user(writer.wrapping_add(TASK_TABLE))?;
    let mut works = false;
    for wait in &tokio.waits {
        if wait.table == table && table != 0 {
            works = true;
            if let Some(found) = answered(tokio, wait, writer) {
                return Some(found);
            }
        }
    }
    if works { None } else { Some(writer) }
}

#[inline(always)]
fn answered(tokio: &Tokio, wait: &Wait, writer: u64) -> Option<u64> {
    let mut at: u64 = peek_user(writer.wrapping_add(u64::from(wait.first)))?;
    if wait.second != NO_POINTER {
        at = peek_user(at.wrapping_add(u64::from(wait.second)))?;
    }
    let state: u64 = peek_user(at.wrapping_add(u64::from(wait.state)))?;
    if state & STATE != AWAITED {
        return None;
    }
    task(tokio, at.wrapping_add(u64::from(wait.waker)))
}

/// The task that waits for another one's end.
#[inline(always)]
fn joining(tokio: &Tokio, of: u64) -> Option<u64> {
    if tokio.join == NO_POINTER {
        return None;
    }
    let table: u64 = peek_user(of.wrapping_add(TASK_TABLE))?;
    let trailer: u64 = peek_user(table.wrapping_add(u64::from(tokio.trailer)))?;
    task(tokio, of.wrapping_add(trailer).wrapping_add(u64::from(tokio.join)))
}

/// The task that a waker wakes, if it is one of tokio's.
#[inline(always)]
fn task(tokio: &Tokio, waker: u64) -> Option<u64> {
    let [table, task]: [u64; 2] = peek_user(waker)?;
    if table == tokio.waker && task != 0 { Some(task) } else { None }
}
