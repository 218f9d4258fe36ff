//! What is known of tokio in one program, and how it comes to be known.

use std::collections::HashMap;

use tracer_common::runtime::{MAX_WAITS, NO_POINTER, Tokio, Wait};

use super::channel;
use super::program::{Program, Shape};

/// Words of what a socket is registered with.
const REGISTERED: usize = 40;
/// Words of a task's trailer.
const TRAILER: usize = 8;
/// How often a way has to be seen until it is gone.
const ENOUGH: u32 = 4;
/// Ways that are counted at the same time.
const MAX_SEEN: usize = 1024;
/// Searches of tasks of one kind that found nothing, after which it is believed that they work for
/// nobody.
const MAX_FRUITLESS: u32 = 2000;

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
    fruitless: HashMap<u64, u32>,
}

impl Layout {
    /// Looks at the tasks that wait for sockets, whose registrations are at these addresses. Returns
    /// whether another look at once may find more.
    pub(super) fn look(&mut self, program: &Program<'_>, sockets: &[u64]) -> bool {
        let owners: Vec<_> =
            sockets.iter().filter_map(|&socket| self.owner(program, socket)).collect();
        let Some(waker) = self.waker.map(|waker| program.base.wrapping_add(waker)) else {
            return false;
        };
        let mut wanted = false;
        for (task, shape) in owners {
            self.trailer = shape.place;
            self.learn_join(program, waker, task, &shape);
            let table = shape.table.wrapping_sub(program.base);
            let fruitless = self.fruitless.entry(table).or_default();
            let known = self.waits.iter().any(|wait| wait.table == table);
            if known || *fruitless > MAX_FRUITLESS {
                continue;
            }
            *fruitless += 1;
            wanted = true;
            for found in channel::waits(program, waker, task, &shape) {
                if let Some(shape) = program.task(found.waiter) {
                    self.learn_join(program, waker, found.waiter, &shape);
                }
                self.sight(Wait { table, ..found.wait });
            }
        }
        wanted
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

    /// Notes where a task's trailer has the waker of the one that waits for its end, if one does.
    fn learn_join(&mut self, program: &Program<'_>, waker: u64, task: u64, shape: &Shape) {
        if self.join.is_some() {
            return;
        }
        let words = program.memory.words(task.wrapping_add(shape.trailer), TRAILER);
        let waits = |pair: &[u64]| match *pair {
            [table, of] => table == waker && of != task && program.task(of).is_some(),
            _ => false,
        };
        let places = (0..).step_by(8).zip(words.windows(2));
        self.join = places.filter(|(_, pair)| waits(pair)).map(|(far, _)| far).next();
    }

    /// A way was seen. It is believed when it was seen often, and no other one of such tasks as often.
    fn sight(&mut self, wait: Wait) {
        if self.seen.len() >= MAX_SEEN && !self.seen.contains_key(&wait) {
            return;
        }
        let count = self.seen.entry(wait).or_default();
        *count += 1;
        let count = *count;
        let rivals = self.seen.iter().filter(|(other, _)| other.table == wait.table);
        let best = rivals.filter(|&(other, seen)| *other != wait && *seen >= count).count() == 0;
        let known = self.waits.iter().any(|other| other.table == wait.table);
        if count >= ENOUGH && best && !known && self.waits.len() < MAX_WAITS {
            self.waits.push(wait);
            self.seen.retain(|other, _| other.table != wait.table);
        }
    }
}
