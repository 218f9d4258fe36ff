//! `cargo xtask recordings`

use anyhow::Result;

use crate::{install, prepare, run, step, test, workspace};

/// Makes the recordings that the replay tests rest on anew.
pub(crate) fn recordings() -> Result<()> {
    run::build()?;
    prepare::recordings()?;
    let programs = test::programs()?;
    let program = test::program(&programs, "recordings")?;
    // Names, addresses and paths of the machine stay outside.
    let mut command = install::as_root("unshare");
    command.args(["--mount", "--net", "--uts", "--"]).arg(program);
    command.args(["--ignored", "--nocapture"]).current_dir(workspace::root());
    step::run("recordings", &mut command)
}
