//! Replays a recording through the library, as `tracer replay` does.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use tracer_user::config::{RunArgs, Settings};
use tracer_user::recording::Reader;
use tracer_user::replay::{Replayed, drive};
use tracer_user::trace::Span;

/// The file of a recording.
pub(crate) fn file(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings");
    directory.join(format!("{name}.trec"))
}

/// Opens one.
pub(crate) fn open(name: &str) -> Reader<BufReader<File>> {
    let file = file(name);
    let opened = File::open(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    // Of another layout: make them anew.
    Reader::new(BufReader::new(opened)).expect("cargo xtask recordings makes them")
}

/// Its spans in the order in which they are ready, and what was lost.
pub(crate) fn replay(name: &str) -> (Vec<Arc<Span>>, BTreeMap<&'static str, u64>) {
    let settings = Settings::resolve(&RunArgs::default(), None, &|_| None).unwrap();
    let mut spans = vec![];
    let Replayed { losses, broken, .. } = drive(&mut open(name), &settings, |some| {
        spans.extend(some);
        true
    });
    assert!(broken.is_none(), "{name}: {broken:?}");
    (spans, losses)
}
