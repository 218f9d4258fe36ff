//! A tracer of its own, where none runs.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use url::Url;

/// How long it may take to attach its probes.
const START: Duration = Duration::from_secs(30);
/// How long it may take to end.
const END: Duration = Duration::from_secs(5);
/// What it says before its page's address.
const BEFORE_URL: &str = "look at ";

/// It runs as long as it is looked at.
pub(super) struct Own {
    child: Child,
    /// Of its page, with the token.
    pub(super) url: Url,
}

impl Own {
    /// Returns when it traces.
    ///
    /// # Errors
    /// It can't trace; what it said.
    pub(super) async fn start() -> Result<Self> {
        let program = std::env::current_exe().context("this program's own path")?;
        let mut command = Command::new(program);
        command.args(["run", "--ui", "127.0.0.1:0"]).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().context("starting a tracer")?;
        let stderr = child.stderr.take().context("the tracer's standard error")?;
        let mut lines = BufReader::new(stderr).lines();
        let mut said = String::new();
        let url = tokio::time::timeout(START, async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, url)) = line.split_once(BEFORE_URL) {
                    return Ok(url.trim().parse()?);
                }
                said += &line;
                said.push('\n');
            }
            bail!("{}", said.trim().trim_start_matches("tracer: "))
        });
        let url = url.await.context("the tracer did not start in time")??;
        // Nobody reads what it says from now on, and it must not wait for that.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, url })
    }

    /// Ends it, as its user would.
    pub(super) async fn stop(mut self) {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
        if let Some(pid) = pid {
            // If it is gone already, all is well.
            let _ = kill_process(pid, Signal::INT);
        }
        if tokio::time::timeout(END, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}
