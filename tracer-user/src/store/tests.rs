//! The store as a whole.

mod finding;
mod killed;
mod limits;
mod opening;

use std::path::Path;
use std::time::{Duration, Instant};

use super::testing::{Shape, full, span, spans, spans_of, trace_id};
use super::{Limits, Query, Store};

const PATIENCE: Duration = Duration::from_secs(60);

fn open(directory: &Path) -> Store {
    Store::open(directory, Limits::default()).unwrap()
}

/// Everything.
fn all(limit: usize) -> Query {
    Query { limit, ..Query::default() }
}

/// Waits until something is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < patience, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
