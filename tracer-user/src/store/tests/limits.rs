use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use super::{PATIENCE, Shape, all, open, span, spans, spans_of, trace_id, until};
use crate::store::{Limits, Store};
use crate::trace::{Span, Value};

/// Bytes that a directory takes on the disk.
fn taken(directory: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(files) = std::fs::read_dir(directory.join("spans")) else { return 0 };
    let blocks = files.flatten().filter_map(|file| Some(file.metadata().ok()?.blocks()));
    blocks.sum::<u64>() * 512
}

/// Spans that do not compress.
fn noise(random: &mut fastrand::Rng, first: u64, count: u64) -> Vec<Arc<Span>> {
    let one = |n| {
        let mut span = span(&Shape { trace: n, id: n, start: n * 1_000_000, ..Shape::default() });
        let text: String = std::iter::repeat_with(|| random.alphanumeric()).take(2000).collect();
        span.attributes.push(("text".into(), Value::Text(text.into())));
        Arc::new(span)
    };
    (first..first + count).map(one).collect()
}

#[test]
fn the_size_is_kept_to_at_all_times() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { bytes: Limits::MIN_BYTES, ..Limits::default() };
    let store = Store::open(directory.path(), limits).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut most = 0;
            while !over.load(Relaxed) {
                most = most.max(taken(directory.path()));
                std::thread::sleep(Duration::from_millis(1));
            }
            most
        });
        let mut random = fastrand::Rng::with_seed(1);
        for round in 0..30 {
            store.put(&noise(&mut random, 1 + round * 1000, 1000));
            assert!(store.flush(PATIENCE));
        }
        over.store(true, Relaxed);
        let most = watch.join().unwrap();
        assert!(most <= limits.bytes, "{most}");
        assert!(most > limits.bytes / 2, "{most}: it keeps what it may");
    });
    let stats = store.stats();
    assert!(stats.removed > 10_000 && stats.spans > 3000, "{stats:?}");
    assert_eq!(stats.spans + stats.removed, 30_000);
    assert_eq!(spans_of(&store, trace_id(30_000)).len(), 1, "the newest is there");
    assert!(spans_of(&store, trace_id(1)).is_empty(), "the oldest is not");
    assert_eq!(store.snapshot().find(&all(100_000)).traces.len() as u64, stats.spans);
}

#[test]
fn what_is_too_old_goes_even_if_nothing_comes() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.put(&spans(10));
    drop(store);
    let limits = Limits { age: Duration::from_secs(1), ..Limits::default() };
    let store = Store::open(directory.path(), limits).unwrap();
    until("gone", || {
        store.flush(PATIENCE);
        store.stats().spans == 0
    });
    store.put(&spans(20));
    assert!(store.flush(PATIENCE));
    assert!(store.stats().removed >= 10);
    until("gone as well", || {
        store.flush(PATIENCE);
        store.snapshot().find(&all(10)).traces.is_empty()
    });
}
