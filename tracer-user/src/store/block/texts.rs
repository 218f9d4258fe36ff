//! Numbers for things that occur again and again, in the order of their first appearance.

use std::collections::hash_map::Entry;
use std::hash::Hash;

use foldhash::{HashMap, HashMapExt as _};

/// Each thing once.
pub(super) struct Numbered<T> {
    numbers: HashMap<T, u32>,
    things: Vec<T>,
}

impl<T: Copy + Eq + Hash> Numbered<T> {
    pub(super) fn new() -> Self {
        Self { numbers: HashMap::new(), things: vec![] }
    }

    /// Its number, a new one if need be; and whether it is new.
    pub(super) fn number(&mut self, thing: T) -> u32 {
        let next = self.things.len() as u32;
        match self.numbers.entry(thing) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                new.insert(next);
                self.things.push(thing);
                next
            }
        }
    }

    pub(super) fn things(&self) -> &[T] {
        &self.things
    }

    pub(super) fn into_things(self) -> Vec<T> {
        self.things
    }
}
