//! Makes the recordings of `tests/recordings`: real, unmodified services in a place that says
//! nothing about the machine, traced by `tracer record`. `cargo xtask recordings` runs this, as root
//! in mount, network and UTS namespaces of its own, which are changed.

mod accuracy;
mod place;
mod scenes;
mod strangers;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tests::paths;
use tests::tracer::Tracer;

use place::Place;
use scenes::{SCENES, Scene};

/// What a file may be long at most, in bytes: these are part of the checkout.
const MOST: u64 = 60 << 10;

#[test]
#[ignore = "changes its namespaces and writes into the checkout: cargo xtask recordings"]
fn make_services() -> Result<()> {
    let place = Place::furnish()?;
    let directory = paths::root().join("tests/recordings");
    fs::create_dir_all(&directory)?;
    for scene in &SCENES {
        let raw = record(&place, scene).with_context(|| scene.name.to_owned())?;
        let file = directory.join(format!("{}.trec", scene.name));
        strangers::leave_out(&raw, &file).with_context(|| scene.name.to_owned())?;
        let size = fs::metadata(file)?.len();
        ensure!(size <= MOST, "{}: {size} bytes are more than {MOST}", scene.name);
        println!("{}.trec: {} requests, {size} bytes", scene.name, scene.requests);
    }
    Ok(())
}

/// The services are there before the tracer, and the requests come after it.
fn record(place: &Place, scene: &Scene) -> Result<PathBuf> {
    let file = Place::path("recording");
    let stage = (scene.open)(place)?;
    let mut command = Command::new(paths::tracer());
    command.arg("record").arg(&file).args(["--force", "--exe", place::PROGRAMS]);
    let tracer = Tracer::spawn(&format!("recordings-{}", scene.name), &mut command)?;
    (scene.play)(place, scene)?;
    let ended = tracer.stop()?;
    drop(stage);
    ensure!(ended.status.success(), "{}", ended.summary);
    ensure!(ended.summary.contains("lost: nothing"), "{}", ended.summary);
    Ok(file)
}
