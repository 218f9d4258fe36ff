use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use super::{PATIENCE, Shape, all, full, open, span, spans, spans_of, trace_id, until};
use crate::store::{Limits, OpenError, Store};

#[test]
fn what_is_put_is_found_at_once_and_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let full = Arc::new(full());
    store.put(&spans(9000));
    store.put(std::slice::from_ref(&full));
    assert!(store.flush(PATIENCE));
    assert_eq!(spans_of(&store, trace_id(1)).len(), 2);
    drop(store);
    let mut span = (*full).clone();
    span.trace_id = trace_id(9500);
    for round in 0..3 {
        let store = open(directory.path());
        assert_eq!(spans_of(&store, trace_id(1)).len(), 2, "{round}");
        assert!(spans_of(&store, trace_id(1)).contains(&full));
        assert_eq!(spans_of(&store, trace_id(9000)).len(), 1);
        assert!(spans_of(&store, trace_id(9001)).is_empty());
        assert_eq!(store.stats().spans, 9001 + round);
        // Not flushed: it is at the tail when the store is opened next.
        store.put(&[Arc::new(span.clone())]);
        until("taken", || store.stats().spans == 9002 + round);
    }
    let store = open(directory.path());
    assert_eq!(spans_of(&store, trace_id(9500)).len(), 3);
    assert_eq!(store.snapshot().find(&all(20_000)).traces.len(), 9001);
    assert_eq!(store.stats().lost, []);
}

#[test]
fn only_root_looks_into_it_and_only_one_tracer_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.put(&spans(1));
    store.flush(PATIENCE);
    let files = directory.path().join("spans");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&files), 0o700);
    for file in fs::read_dir(&files).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    let error = Store::open(directory.path(), Limits::default()).err().unwrap();
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    assert!(error.to_string().contains("another tracer"), "{error}");
    drop(store);
    open(directory.path());
}

#[test]
fn a_directory_that_cannot_be_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "precious").unwrap();
    let error = Store::open(&file, Limits::default()).err().unwrap().to_string();
    assert!(error.contains("file/spans"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"precious");
}

/// Names of the files in the store's directory that are out of the way.
fn aside(directory: &std::path::Path) -> Vec<String> {
    let files = fs::read_dir(directory.join("spans")).unwrap();
    let mut names: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.contains("damaged"));
    names.sort();
    names
}

#[test]
fn what_is_no_store_of_ours_is_set_aside() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let path = directory.path().join("spans/segment-000000000001.redb");
    for (n, content) in
        [&b""[..], b"some text", &[0; 100_000], &[0xff; 9_000_000]].iter().enumerate()
    {
        fs::write(&path, content).unwrap();
        let store = open(directory.path());
        let stats = store.stats();
        assert_eq!(stats.lost, [("store_set_aside", 1)], "{n}");
        let trouble = stats.last_trouble.unwrap();
        assert!(trouble.contains("segment-000000000001.redb.damaged"), "{trouble}");
        assert_eq!(aside(directory.path()).len(), n + 1);
        store.put(&spans(1));
        store.close();
        assert_eq!(spans_of(&store, trace_id(1)).len(), 1);
        drop(store);
        for file in fs::read_dir(directory.path().join("spans")).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "redb") {
                fs::remove_file(file).unwrap();
            }
        }
    }
    let length = |name| fs::metadata(directory.path().join("spans").join(name)).unwrap().len();
    let mut lengths: Vec<_> = aside(directory.path()).iter().map(length).collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [0, 9, 100_000, 9_000_000]);
}

#[test]
fn what_is_set_aside_does_not_pile_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spans/segment-000000000001.redb");
    fs::create_dir(path.parent().unwrap()).unwrap();
    let room = Limits::MIN_BYTES / 4;
    let limits = Limits { bytes: Limits::MIN_BYTES, ..Limits::default() };
    for n in 1..=5 {
        fs::write(&path, vec![n; room as usize / 2]).unwrap();
        let store = Store::open(directory.path(), limits).unwrap();
        let trouble = store.stats().last_trouble.unwrap();
        assert_eq!(
            trouble.contains("1 that were set aside before are removed"),
            n > 2,
            "{trouble}"
        );
    }
    let firsts = aside(directory.path())
        .into_iter()
        .map(|name| fs::read(directory.path().join("spans").join(name)).unwrap()[0]);
    let mut firsts: Vec<u8> = firsts.collect();
    firsts.sort_unstable();
    assert_eq!(firsts, [4, 5], "the last ones");
    fs::write(&path, vec![6; 2 * room as usize]).unwrap();
    drop(Store::open(directory.path(), limits).unwrap());
    assert_eq!(aside(directory.path()).len(), 1, "the last one stays, however large");
}

/// Bytes anywhere in a file may change: nothing panics that is not caught, nothing is made up.
#[test]
fn altered_bytes_are_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let written = spans(9000);
    store.put(&written);
    drop(store);
    let path = directory.path().join("spans/segment-000000000001.redb");
    let good = fs::read(&path).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..12 {
        let mut bad = good.clone();
        for _ in 0..1 + round {
            let at = random.usize(..bad.len());
            bad[at] ^= 1 << random.u8(..8);
        }
        fs::write(&path, &bad).unwrap();
        let Ok(store) = Store::open(directory.path(), Limits::default()) else { continue };
        for found in store.snapshot().find(&all(20_000)).traces {
            assert!((1..=9000).any(|n| trace_id(n) == found.trace_id));
        }
        for n in [1, 5000, 9000] {
            for span in spans_of(&store, trace_id(n)) {
                assert_eq!(span, written[n as usize - 1]);
            }
        }
        store.put(&[Arc::new(span(&Shape { trace: 9999, ..Shape::default() }))]);
        store.close();
        drop(store);
        for file in fs::read_dir(directory.path().join("spans")).unwrap() {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
    }
}
