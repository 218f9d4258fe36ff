//! The field of a format that has only one.

use super::Found;

/// Of one request.
#[derive(Default)]
pub(super) struct Single<'a> {
    value: Option<&'a [u8]>,
    count: usize,
}

impl<'a> Single<'a> {
    /// Takes a field if it is called `known`, in any case.
    pub(super) fn add(&mut self, known: &str, name: &str, value: &'a [u8]) {
        if name.eq_ignore_ascii_case(known) {
            self.value = Some(value);
            self.count += 1;
        }
    }

    /// What `parse` says of it; what that cannot read is malformed, and so are two of them.
    pub(super) fn read(&self, parse: impl FnOnce(&[u8]) -> Option<Found>) -> Found {
        match self.value {
            None => Found::Nothing,
            Some(value) if self.count == 1 => parse(value.trim_ascii()).unwrap_or(Found::Malformed),
            Some(_) => Found::Malformed,
        }
    }
}
