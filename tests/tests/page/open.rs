//! A tracer with a page.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use tests::tracer::{Ended, Tracer};
use tests::{paths, ports, process};

/// The tracer, and where its page is.
pub(crate) struct Page {
    tracer: Tracer,
    /// With the token.
    pub(crate) url: String,
    /// Without it and without a path.
    pub(crate) origin: String,
    directory: PathBuf,
}

impl Page {
    /// Starts a tracer with these flags; it keeps its traces in memory unless they say otherwise.
    /// `name` names its files.
    pub(crate) fn start(name: &str, flags: &[&str]) -> Result<Page> {
        let directory = paths::logs().join(format!("{name}-state"));
        // What an earlier run has left.
        let _ = fs::remove_dir_all(&directory);
        let ui = format!("127.0.0.1:{}", ports::free()?);
        let mut command = Command::new(paths::tracer());
        command.args(["--ui", &ui, "--settle", "200ms", "--data-dir"]).arg(&directory).args(flags);
        let tracer = Tracer::spawn(name, &mut command)?;
        let url = tracer.ready.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.with_context(|| format!("no address: {}", tracer.ready))?.to_owned();
        Ok(Page { tracer, url, origin: format!("http://{ui}"), directory })
    }

    /// The token as its file has it.
    pub(crate) fn token(&self) -> Result<String> {
        Ok(fs::read_to_string(self.directory.join("ui-token"))?.trim().to_owned())
    }

    /// What a script with the token gets, with these arguments of curl.
    pub(crate) fn ask(&self, path: &str, arguments: &[&str]) -> Result<String> {
        let mut curl = Command::new("curl");
        curl.args(["--disable", "--silent", "--show-error", "--fail", "--noproxy", "*"]);
        curl.args(["--max-time", "20", "--header"]);
        curl.arg(format!("Authorization: Bearer {}", self.token()?)).args(arguments);
        process::run("curl", curl.arg(format!("{}{path}", self.origin)))
    }

    /// Stops it.
    pub(crate) fn stop(self) -> Result<Ended> {
        self.tracer.stop()
    }
}
