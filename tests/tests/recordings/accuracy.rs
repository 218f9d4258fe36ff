//! Recordings of the accuracy suite's loads, which `tests/accuracy` replays and scores.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tests::accuracy::{RECORDED, RECORDED_OWN, RECORDED_PARTS, Recorded, Start, directory};
use tests::process::run;
use tests::{paths, prepare};

use crate::place;
use crate::strangers;

/// What a file may be long at most, in bytes.
const MOST: u64 = 160 << 10;

/// In a namespace where no other suite runs.
#[test]
#[ignore = "changes its namespaces and writes into the checkout: cargo xtask recordings"]
fn make_accuracy() -> Result<()> {
    place::host()?;
    let cache = prepare::truth(&RECORDED_PARTS)?;
    let mut own = BTreeMap::new();
    for (name, service) in RECORDED_OWN {
        own.insert(name.to_owned(), service.start()?);
    }
    fs::create_dir_all(directory())?;
    let out = paths::logs().join("recordings");
    for recorded in &RECORDED {
        let name = recorded.name();
        let raw = record(recorded, &cache, &own, &out).with_context(|| name.clone())?;
        strangers::leave_out(&raw, &recorded.file()).with_context(|| name.clone())?;
        strangers::rename(&recorded.file())?;
        let size = fs::metadata(recorded.file())?.len();
        ensure!(size <= MOST, "{name}: {size} bytes are more than {MOST}");
        println!("{name}: {size} bytes");
    }
    Ok(())
}

fn record(
    recorded: &Recorded,
    cache: &Path,
    own: &BTreeMap<String, Start>,
    out: &Path,
) -> Result<PathBuf> {
    let mut truth = Command::new(cache.join("venv/bin/python"));
    let place = recorded.load().arguments(&mut truth, cache, own, out)?;
    let tracer = paths::tracer();
    let tracer = tracer.to_str().context("the tracer's path is no text")?;
    // The load's own process stays outside.
    let tracer = format!("'{tracer}' record {{out}}/recording --force --pid {{pids}}");
    // A recording with an unanswered request tells nothing.
    run("truth.py", truth.args(["--tracer", &tracer, "--max-bad-roots", "0"]))?;
    let log = fs::read_to_string(place.directory.join("tracer.log"))?;
    ensure!(log.contains("lost: nothing"), "{log}");
    Ok(place.directory.join("recording"))
}
