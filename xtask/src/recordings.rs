//! `cargo xtask recordings`

use std::process::Command;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::{install, prepare, run, step, test, workspace};

#[derive(Args)]
pub(crate) struct Options {
    /// These alone
    #[arg(long, value_name = "KIND")]
    only: Option<Kind>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// `tests/recordings`: services that the tests of whole traces replay
    Services,
    /// `tests/recordings/accuracy`: loads of the accuracy suite, which must be beside the checkout
    Accuracy,
}

/// Makes the recordings that the replay tests rest on anew.
pub(crate) fn recordings(options: &Options) -> Result<()> {
    if std::env::var_os("TRACER_BIN").is_none() {
        run::build()?;
    }
    let wanted = |kind| options.only.is_none_or(|only| only == kind);
    if wanted(Kind::Services) {
        prepare::recordings()?;
        make("make_services")?;
    }
    if wanted(Kind::Accuracy) {
        prepare::accuracy_recordings()?;
        make("make_accuracy")?;
        // Another load has other shares.
        let programs = test::programs()?;
        let mut command = Command::new(test::program(&programs, "accuracy")?);
        command.args(["--ignored", "write_shares"]).current_dir(workspace::root());
        step::run("the shares of right edges", &mut command)?;
    }
    Ok(())
}

/// Runs one of the makers.
fn make(name: &str) -> Result<()> {
    let programs = test::programs()?;
    let program = test::program(&programs, "recordings")?;
    // Names, addresses and paths of the machine stay outside.
    let mut command = install::as_root("unshare");
    command.args(["--mount", "--net", "--uts", "--"]).arg(program);
    command.args(["--ignored", "--nocapture", name]).current_dir(workspace::root());
    step::run(name, &mut command)
}
