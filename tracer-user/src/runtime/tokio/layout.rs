//! What is known of tokio in one program, and how it comes to be known.

use std::collections::HashMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tracer_common::runtime::{MAX_WAITS, Tokio, Wait};

use super::program::{Program, Shape, Sleeper};
use super::sightings::Sightings;
use super::way::Way;
use super::{channel, way};

/// Words of what a socket is registered with.
const REGISTERED: usize = 40;
/// Words of an entry of the list of those that wait for it.
const LISTED: usize = 8;
/// So many sockets are enough to tell whether a program may be tokio's.
const LIKELY: usize = 64;
/// Words of a task's trailer.
const TRAILER: usize = 8;
/// Where in the trailer the waker is of who waits for a task, until one is seen: behind the task's two
/// neighbours, as the compiler has laid it out so far. What is there is believed only if it is a waker.
const JOIN: u32 = 16;
/// Who waits for whom is followed so far.
const MAX_LINKS: usize = 6;
/// The place of a waker that an earlier run has found counts as if it had been seen so often.
const KEPT: u32 = 3;

/// What is believed of one program. Addresses are as far from where its file begins in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// [`Tokio::waker`].
    pub(super) waker: u64,
    /// [`Tokio::reader`].
    pub(super) reader: u32,
    /// [`Tokio::trailer`].
    pub(super) trailer: u32,
    /// [`Tokio::join`], if it was seen.
    pub(super) join: Option<u32>,
    /// [`Tokio::waits`]: table, first, second, waker, state.
    pub(super) waits: Vec<(u64, [u32; 4])>,
}

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
    sightings: Sightings,
}

impl Layout {
    /// What an earlier run has learned of the program, if what the tables are that it names is still so.
    pub(super) fn kept(known: &Known, program: &Program<'_>) -> Option<Self> {
        let waits = known.waits.iter().map(|&(table, [first, second, waker, state])| Wait {
            table,
            first,
            second,
            waker,
            state,
        });
        let waits: Vec<Wait> = waits.collect();
        let absolute = |address: u64| program.base.wrapping_add(address);
        let holds = |wait: &Wait| {
            let table = absolute(wait.table);
            program.shape(table).is_some() || program.is_waker(table)
        };
        let valid = program.is_waker(absolute(known.waker)) && waits.iter().all(holds);
        valid.then(|| Self {
            waker: Some(known.waker),
            readers: HashMap::from([(known.reader, KEPT)]),
            trailer: known.trailer,
            join: known.join,
            sightings: Sightings::known(&waits),
        })
    }

    /// What the next run may start with.
    pub(super) fn known(&self) -> Option<Known> {
        let wait = |wait: &Wait| (wait.table, [wait.first, wait.second, wait.waker, wait.state]);
        Some(Known {
            waker: self.waker?,
            reader: self.reader()?,
            trailer: self.trailer,
            join: self.join,
            waits: self.sightings.believed().iter().map(wait).collect(),
        })
    }

    /// Where the waker of who waits for a socket was seen most often.
    fn reader(&self) -> Option<u32> {
        self.readers.iter().max_by_key(|(_, count)| **count).map(|(reader, _)| *reader)
    }

    /// How many ways are known.
    pub(super) fn size(&self) -> usize {
        self.sightings.believed().len()
    }

    /// Whether this may be tokio at all: something waits for one of the sockets that are registered with
    /// these addresses. What accepts connections stands in a list there, and not with the registration
    /// itself (`Waiters`, tokio/src/runtime/io/scheduled_io.rs).
    pub(super) fn is_likely(&self, program: &Program<'_>, sockets: &[u64]) -> bool {
        let waits_at = |address: u64, words: usize| {
            let words = program.memory.words(address, words);
            words.windows(2).any(|pair| {
                matches!(*pair, [table, at] if program.memory.holds_data(at) && program.is_waker(table))
            })
        };
        let listed = |socket: u64| {
            let listed = way::pointers(program, socket, 8 * REGISTERED as u64);
            listed.into_iter().any(|(_, at)| waits_at(at, LISTED))
        };
        let mut sockets = sockets.iter().take(LIKELY);
        self.waker.is_some()
            || sockets.any(|&socket| waits_at(socket, REGISTERED) || listed(socket))
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
        let reader = self.reader()?;
        let absolute = |address: u64| program.base.wrapping_add(address);
        let mut waits = [Wait::default(); MAX_WAITS];
        waits.iter_mut().zip(self.sightings.believed()).for_each(|(to, wait)| {
            *to = Wait { table: absolute(wait.table), ..*wait };
        });
        Some(Tokio {
            waker: absolute(self.waker?),
            reader,
            trailer: self.trailer,
            join: self.join.unwrap_or(JOIN),
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
        // The known way that led there, and from where.
        let mut by: Option<(Wait, u64)> = None;
        for link in 0..MAX_LINKS {
            let table = last.table().wrapping_sub(program.base);
            let known = self.sightings.of(table).copied();
            let next = match (known, last) {
                (Some(wait), Sleeper::Task { at, shape }) => {
                    let ways = channel::ways(program, waker, at, &shape);
                    self.sightings.compare(&ways, program.base);
                    way::follow(program, waker, &wait, at)
                }
                (None, Sleeper::Task { at, shape }) if link == 0 => {
                    self.sight(program, channel::ways(program, waker, at, &shape))
                }
                (None, Sleeper::Task { at, shape }) => self.joining(program, waker, at, &shape),
                (_, Sleeper::Other { table, at }) => {
                    let ways = way::shared(program, waker, table, at, writer.at());
                    // The process runs on: what was left meanwhile says nothing.
                    let leads =
                        |(wait, from)| way::follow(program, waker, &wait, from) == Some(last);
                    match known {
                        _ if !by.is_none_or(leads) => None,
                        None => self.sight(program, ways),
                        Some(wait) => {
                            let taken = way::is_taken(program, &wait, at);
                            self.sightings.compare_shared(&wait, at, taken, &ways, program.base);
                            way::follow(program, waker, &wait, at)
                        }
                    }
                }
            };
            let Some(next) = next else { break };
            by = known.map(|wait| (wait, last.at()));
            last = next;
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
    fn sight(&mut self, program: &Program<'_>, ways: Vec<Way>) -> Option<Sleeper> {
        ways.iter().for_each(|way| self.sightings.saw(way, program.base));
        ways.iter().find(|way| way.open).map(|way| way.waiter)
    }
}
