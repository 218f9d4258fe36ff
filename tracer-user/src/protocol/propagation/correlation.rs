//! Ids that applications and proxies give a request to find it in their logs, and pass on:
//! `X-Request-Id`, `X-Correlation-Id` and their kin. They name no trace and no span, and not every
//! sender means one request by them, so they are never more than evidence. They are kept as hashes,
//! by which they can be compared and nothing else.

use std::hash::{DefaultHasher, Hasher as _};

/// Fields that hold such an id, in lower case. `request-id` may be hierarchical (see [`root`]).
const NAMES: [&str; 8] = [
    "x-request-id",
    "x-requestid",
    "x-correlation-id",
    "x-correlationid",
    "x-transaction-id",
    "x-trace-id",
    "request-id",
    "correlation-id",
];
/// Shorter values are most likely counted by each sender for itself; longer ones are no ids. Bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 6..=256;
/// Ids kept of one request.
const MAX_IDS: usize = 4;

/// Ids of one request, as hashes, in the order in which they came; no two are alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correlation(Vec<u64>);

impl Correlation {
    /// Takes a field if it holds such an id.
    pub(super) fn add(&mut self, name: &str, value: &[u8]) {
        if is_correlation(name.as_bytes()) {
            self.put(root(value.trim_ascii()));
        }
    }

    /// Takes an id.
    pub(super) fn put(&mut self, id: &[u8]) {
        let mut hasher = DefaultHasher::new();
        hasher.write(id);
        let hash = hasher.finish();
        if LENGTHS.contains(&id.len()) && self.0.len() < MAX_IDS && !self.0.contains(&hash) {
            self.0.push(hash);
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// At most four.
    pub fn ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().copied()
    }
}

/// The ids among a response's header fields: servers tell them to their clients, too.
pub fn correlation<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Correlation {
    let mut found = Correlation::default();
    for (name, value) in headers {
        if matches!(name.as_bytes().first(), Some(b'x' | b'X' | b'r' | b'R' | b'c' | b'C')) {
            found.add(name, value);
        }
    }
    found
}

/// Whether a field of this name (in any case) holds such an id.
pub fn is_correlation(name: &[u8]) -> bool {
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// What stays the same of an id that grows with each call: `|{root}.{...}`
/// (<https://github.com/dotnet/runtime/blob/main/src/libraries/System.Diagnostics.DiagnosticSource/src/HierarchicalRequestId.md>).
fn root(value: &[u8]) -> &[u8] {
    match value.strip_prefix(b"|") {
        Some(id) => id.split(|byte| *byte == b'.').next().unwrap_or_default(),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::Correlation;

    fn of(fields: &[(&str, &str)]) -> Vec<u64> {
        let mut ids = Correlation::default();
        fields.iter().for_each(|(name, value)| ids.add(name, value.as_bytes()));
        ids.0
    }

    #[test]
    fn the_value_counts_and_not_the_name() {
        let one = of(&[("X-Request-ID", "7b1fd3c2-9c1b")]);
        assert_eq!(one.len(), 1);
        assert_eq!(of(&[("x-correlation-id", " 7b1fd3c2-9c1b ")]), one);
        assert_ne!(of(&[("X-Request-Id", "7b1fd3c2-9c1c")]), one);
        assert_eq!(of(&[("X-Request-Id", "7b1fd3c2-9c1b"), ("Request-Id", "7b1fd3c2-9c1b")]), one);
        assert!(of(&[("X-Session-Id", "7b1fd3c2-9c1b")]).is_empty());
    }

    #[test]
    fn what_is_no_id_is_left() {
        for value in ["", "12345", &"x".repeat(257)] {
            assert!(of(&[("X-Request-Id", value)]).is_empty(), "{value}");
        }
        let values: Vec<String> = (0..9).map(|n| format!("request-{n}")).collect();
        let fields: Vec<_> = values.iter().map(|value| ("X-Request-Id", value.as_str())).collect();
        assert_eq!(of(&fields).len(), 4);
    }

    #[test]
    fn of_a_hierarchy_the_root_counts() {
        let root = of(&[("Request-Id", "|4bf92f3577b34da6.")]);
        assert_eq!(of(&[("Request-Id", "|4bf92f3577b34da6.1.da4e9679_")]), root);
        assert_ne!(of(&[("Request-Id", "|4bf92f3577b34da7.1.da4e9679_")]), root);
    }
}
