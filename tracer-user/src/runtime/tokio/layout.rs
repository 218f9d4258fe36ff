//! What is known of tokio in one program, and how it comes to be known.

use std::collections::HashMap;
use std::time::Instant;

use tracer_common::runtime::{MAX_WAITS, NO_POINTER, Tokio, Wait};

use super::program::{Program, Shape, Sleeper};
use super::{channel, way};

/// Words of what a socket is registered with.
const REGISTERED: usize = 40;
/// Words of a task's trailer.
const TRAILER: usize = 8;
/// How often a way has to be seen until it is gone.
const ENOUGH: u32 = 4;
/// Ways that are counted at the same time.
const MAX_SEEN: usize = 4096;
/// Who waits for whom is followed so far.
const MAX_LINKS: usize = 6;

/// Of one program. Addresses are as far from where its file begins in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// Table of functions of tokio's wakers.
    waker: Option<u64>,
    /// Places of wakers in what sockets are registered with, and how often one was there.
    readers: HashMap<u32, u32>,
    /// [`Tokio::trailer`].
    trailer: u32,
    /// [`Tokio::join`].
    join: Option<u32>,
    waits: Vec<Wait>,
    /// How often each way was seen that is not believed yet.
    seen: HashMap<Wait, u32>,
}

impl Layout {
    /// How much is known.
    pub(super) fn size(&self) -> usize {
        self.waits.len() + usize::from(self.join.is_some())
    }

    /// Looks at the tasks that wait for sockets, whose registrations are at these addresses, and at
    /// who waits for these tasks, until `end`.
    pub(super) fn look(&mut self, program: &Program<'_>, sockets: &[u64], end: Instant) {
        for &socket in sockets.iter().take_while(|_| Instant::now() < end) {
            let owner = self.owner(program, socket);
            if let (Some((at, shape)), Some(waker)) = (owner, self.waker) {
                self.trailer = shape.place;
                let waker = program.base.wrapping_add(waker);
                self.walk(program, waker, Sleeper::Task { at, shape });
            }
        }
    }

    /// For the probes on a process that runs the program; `None` if no task was seen to wait for a
    /// socket yet.
    pub(super) fn tokio(&self, program: &Program<'_>) -> Option<Tokio> {
        let (&reader, _) = self.readers.iter().max_by_key(|(_, count)| **count)?;
        let absolute = |address: u64| program.base.wrapping_add(address);
        let mut waits = [Wait::default(); MAX_WAITS];
        waits.iter_mut().zip(&self.waits).for_each(|(to, wait)| {
            *to = Wait { table: absolute(wait.table), ..*wait };
        });
        Some(Tokio {
            waker: absolute(self.waker?),
            reader,
            trailer: self.trailer,
            join: self.join.unwrap_or(NO_POINTER),
            reserved: 0,
            waits,
        })
    }

    /// The task that waits for a socket.
    fn owner(&mut self, program: &Program<'_>, registered: u64) -> Option<(u64, Shape)> {
        let words = program.memory.words(registered, REGISTERED);
        (0..).step_by(8).zip(words.windows(2)).find_map(|(far, pair)| {
            let &[table, task] = pair else { return None };
            let address = table.wrapping_sub(program.base);
            match self.waker {
                Some(waker) if waker != address => return None,
                None if !program.is_waker(table) => return None,
                _ => {}
            }
            let shape = program.task(task)?;
            self.waker = Some(address);
            *self.readers.entry(far).or_default() += 1;
            Some((task, shape))
        })
    }

    /// Follows who waits for whom from the task that owns a socket, and learns where it does not know
    /// on.
    fn walk(&mut self, program: &Program<'_>, waker: u64, writer: Sleeper) {
        let mut last = writer;
        for link in 0..MAX_LINKS {
            let table = last.table().wrapping_sub(program.base);
            let known = self.waits.iter().find(|wait| wait.table == table);
            let next = match (known, last) {
                (Some(wait), _) => way::follow(program, waker, wait, last.at()),
                (None, Sleeper::Task { at, shape }) if link == 0 => {
                    self.sight(program, channel::ways(program, waker, at, &shape))
                }
                (None, Sleeper::Task { at, shape }) => self.joining(program, waker, at, &shape),
                (None, Sleeper::Other { table, at }) => {
                    self.sight(program, way::shared(program, waker, table, at, writer.at()))
                }
            };
            match next {
                Some(next) => last = next,
                None => break,
            }
        }
    }

    /// Who waits for a task's end: its waker is in the trailer, always at the same place.
    fn joining(
        &mut self,
        program: &Program<'_>,
        waker: u64,
        task: u64,
        shape: &Shape,
    ) -> Option<Sleeper> {
        let words = program.memory.words(task.wrapping_add(shape.trailer), TRAILER);
        let pairs = words.windows(2).filter_map(|pair| <[u64; 2]>::try_from(pair).ok());
        let (far, waiter) = (0..)
            .step_by(8)
            .zip(pairs)
            .filter(|(far, _)| self.join.is_none_or(|join| join == *far))
            .filter_map(|(far, pair)| Some((far, program.sleeper(waker, pair)?)))
            .find(|(_, waiter)| waiter.at() != task)?;
        self.join = Some(far);
        Some(waiter)
    }

    /// Counts ways that were seen from one place. Returns who waits at the end of the first, if that is
    /// not over.
    fn sight(&mut self, program: &Program<'_>, ways: Vec<way::Way>) -> Option<Sleeper> {
        let waiter = ways.iter().find(|way| way.open).map(|way| way.waiter);
        for way in ways {
            let table = way.wait.table.wrapping_sub(program.base);
            self.count(Wait { table, ..way.wait });
        }
        waiter
    }

    /// A way is believed when it was seen often, and no other one from there as often.
    fn count(&mut self, wait: Wait) {
        if self.seen.len() >= MAX_SEEN && !self.seen.contains_key(&wait) {
            return;
        }
        let count = self.seen.entry(wait).or_default();
        *count += 1;
        let count = *count;
        let mut rivals = self.seen.iter().filter(|(other, _)| other.table == wait.table);
        let best = rivals.all(|(other, seen)| *other == wait || *seen < count);
        let known = self.waits.iter().any(|other| other.table == wait.table);
        if count >= ENOUGH && best && !known && self.waits.len() < MAX_WAITS {
            self.waits.push(wait);
            self.seen.retain(|other, _| other.table != wait.table);
        }
    }
}
