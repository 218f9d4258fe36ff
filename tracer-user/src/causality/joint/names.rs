//! Small numbers for names that come from outside: the first ones get one each, all others share the
//! last.

use std::collections::HashMap;

/// At most `MAX` numbers.
#[derive(Debug, Default)]
pub(super) struct Names<const MAX: usize> {
    numbers: HashMap<u64, usize>,
}

impl<const MAX: usize> Names<MAX> {
    pub(super) fn number(&mut self, name: u64) -> usize {
        let next = self.numbers.len();
        match self.numbers.get(&name) {
            Some(&number) => number,
            None if next + 1 < MAX => *self.numbers.entry(name).or_insert(next),
            None => MAX - 1,
        }
    }
}
