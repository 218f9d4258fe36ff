//! What in a process's memory is a task or a waker of tokio: by what their tables of functions, which
//! are in the program's file, must look like.

use super::super::memory::Memory;

/// `Header` (tokio/src/runtime/task/core.rs): state, next in a queue, table of functions.
const HEADER: usize = 3;
/// Words of a task's table of functions (`Vtable`, tokio/src/runtime/task/raw.rs).
const TABLE: usize = 12;
/// Functions in it: they became more with time.
const FUNCTIONS: std::ops::RangeInclusive<usize> = 6..=8;
/// Functions of a waker's table: clone, wake, wake by reference, drop.
const WAKER_FUNCTIONS: usize = 4;
/// Most bytes of a task.
const MAX_TASK: u64 = 1 << 20;
/// References are counted above these bits of a task's state.
const STATE_BITS: u32 = 6;

/// A process and the program that it runs.
pub(super) struct Program<'a> {
    pub(super) memory: &'a Memory,
    /// Where its file begins in memory.
    pub(super) base: u64,
}

/// What a task's table of functions says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Address of the table.
    pub(super) table: u64,
    /// From the table to the number that is `trailer`, bytes.
    pub(super) place: u32,
    /// From a task to what is behind its future, bytes.
    pub(super) trailer: u64,
    /// From a task to its number, behind which is its future, bytes.
    pub(super) id: u64,
}

/// What can be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sleeper {
    /// A task.
    Task {
        /// Its address.
        at: u64,
        shape: Shape,
    },
    /// What the wakers of another library wake.
    Other {
        /// Address of their table of functions.
        table: u64,
        at: u64,
    },
}

impl Sleeper {
    /// Address of the table of functions that tells its kind.
    pub(super) fn table(&self) -> u64 {
        match self {
            Self::Task { shape, .. } => shape.table,
            Self::Other { table, .. } => *table,
        }
    }

    pub(super) fn at(&self) -> u64 {
        match self {
            Self::Task { at, .. } | Self::Other { at, .. } => *at,
        }
    }
}

impl<'a> Program<'a> {
    pub(super) fn of(memory: &'a Memory) -> Option<Self> {
        let path = memory.program()?;
        let (map, _) = memory.files().find(|(_, other)| *other == path)?;
        Some(Self { memory, base: map.address.0 })
    }

    /// The table of a task, if there is one at this address.
    pub(super) fn task(&self, address: u64) -> Option<Shape> {
        if !self.memory.holds_data(address) {
            return None;
        }
        let [state, next, table] = self.memory.words(address, HEADER)[..] else { return None };
        let counted = state >> STATE_BITS > 0 && state >> 32 == 0;
        let queued = next == 0 || self.memory.holds_data(next);
        if counted && queued { self.shape(table) } else { None }
    }

    /// Functions, then the distances of trailer, scheduler and number, which lie in a task one behind
    /// the other, the trailer last.
    pub(super) fn shape(&self, table: u64) -> Option<Shape> {
        let words = self.constants(table, TABLE)?;
        let functions = words.iter().take_while(|&&word| self.is_code(word)).count();
        let [trailer, scheduler, id, ..] = *words.get(functions..)? else { return None };
        let distances = [trailer, scheduler, id];
        let ordered = scheduler >= 8 * HEADER as u64 && scheduler < id && id < trailer;
        let whole = distances.iter().all(|&it| it.is_multiple_of(8) && it < MAX_TASK);
        let place = u32::try_from(8 * functions).ok()?;
        (FUNCTIONS.contains(&functions) && ordered && whole).then_some(Shape {
            table,
            place,
            trailer,
            id,
        })
    }

    /// What a waker wakes, if these two words are one; `tokio`: the table of tokio's.
    pub(super) fn sleeper(&self, tokio: u64, [table, at]: [u64; 2]) -> Option<Sleeper> {
        if table == tokio {
            self.task(at).map(|shape| Sleeper::Task { at, shape })
        } else {
            let is_one = self.memory.holds_data(at) && self.is_waker(table);
            is_one.then_some(Sleeper::Other { table, at })
        }
    }

    /// Whether a waker's table of functions is at this address.
    pub(super) fn is_waker(&self, table: u64) -> bool {
        let words = self.constants(table, WAKER_FUNCTIONS);
        words.is_some_and(|words| words.iter().all(|&word| self.is_code(word)))
    }

    /// Words of the program's constants.
    fn constants(&self, address: u64, count: usize) -> Option<Vec<u64>> {
        let inside = address.is_multiple_of(8) && self.memory.is_constant(address);
        let words = if inside { self.memory.words(address, count) } else { vec![] };
        (words.len() == count).then_some(words)
    }

    fn is_code(&self, address: u64) -> bool {
        self.memory.code(address).is_some()
    }
}
