//! HTTP servers of the standard library of Python, and requests to them.

use std::process::Command;

use anyhow::Result;
use tests::process::{self, Process};
use tests::{http, ports};

use crate::run::LIMIT;

/// `python3 -m http.server` in an empty directory of its own.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    pub(crate) port: u16,
}

impl Server {
    /// Starts one, with this environment.
    pub(crate) fn start(name: &str, env: &[(&str, &str)]) -> Result<Server> {
        let port = ports::free()?;
        let mut python = Command::new("python3");
        python.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]);
        let mut process = Process::start(name, python.envs(env.iter().copied()))?;
        process.wait_for_port(port, LIMIT)?;
        Ok(Server { process, port })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// A request with this answer: 404, since there is no such file.
    pub(crate) fn ask(&self, path: &str) -> Result<()> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", &url]);
        let code = process::run("curl", &mut curl)?;
        anyhow::ensure!(code == "404", "{url}: {code}");
        Ok(())
    }

    /// It still serves: its listing of the directory.
    pub(crate) fn check(&self) -> Result<()> {
        http::touch(&format!("http://127.0.0.1:{}/", self.port))
    }
}
