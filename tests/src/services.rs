//! Unmodified services: `tests/services` run as their users run such programs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::Process;
use crate::{configured, paths, ports, prepare};

const START: Duration = Duration::from_secs(60);

/// The headers that a service forwards where it propagates B3.
pub const B3: &str = "x-b3-traceid x-b3-spanid x-b3-parentspanid x-b3-sampled x-b3-flags b3";

/// What a service runs on.
#[derive(Clone, Copy, Debug)]
pub enum Runtime {
    /// A script on werkzeug's threaded server, HTTP/1.1.
    Flask(&'static str),
    /// A module under `flask run`: werkzeug's threaded server, HTTP/1.0.
    FlaskRun(&'static str),
    /// A module under gunicorn, two processes of eight threads.
    Gunicorn(&'static str),
    /// Go's net/http.
    Go,
    /// nginx, passing everything on to the first of its calls over kept-alive connections.
    Nginx,
}

/// A service to start.
#[derive(Debug)]
pub struct Service<'a> {
    /// Names its log.
    pub name: &'a str,
    /// What it runs on.
    pub runtime: Runtime,
    /// Whom it calls, in order.
    pub calls: &'a [&'a Running],
    /// `OTEL_SERVICE_NAME` in its environment, if any.
    pub otel_name: Option<&'a str>,
    /// Whether it forwards [`B3`] headers.
    pub forwards: bool,
    /// How long it works where it calls nobody.
    pub work: Duration,
}

/// A service that listens.
#[derive(Debug)]
pub struct Running {
    _process: Process,
    /// Where, on the loopback address.
    pub port: u16,
}

impl Running {
    /// Base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Service<'_> {
    /// Starts it; returns once it listens.
    pub fn start(&self) -> Result<Running> {
        let port = ports::free()?;
        let mut command = self.command(port)?;
        let calls: Vec<String> = self.calls.iter().map(|callee| callee.url()).collect();
        command
            .env("PORT", port.to_string())
            .env("CALLS", calls.join(" "))
            .env("FORWARD", if self.forwards { B3 } else { "" })
            .env("WORK_MS", self.work.as_millis().to_string())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONPATH", paths::service_sources())
            .env_remove("OTEL_SERVICE_NAME")
            .env_remove("OTEL_RESOURCE_ATTRIBUTES")
            .envs(self.otel_name.map(|name| ("OTEL_SERVICE_NAME", name)));
        let mut process = Process::start(&format!("service-{}", self.name), &mut command)?;
        process.wait_for_port(port, START)?;
        Ok(Running { _process: process, port })
    }

    fn command(&self, port: u16) -> Result<Command> {
        let sources = paths::service_sources();
        Ok(match self.runtime {
            Runtime::Flask(script) => {
                let mut python = Command::new(prepare::python()?.join("python"));
                python.arg(sources.join(script));
                python
            }
            Runtime::FlaskRun(module) => {
                let mut flask = Command::new(prepare::python()?.join("flask"));
                flask.args(["--app", module, "run", "--host", "127.0.0.1", "--port"]);
                flask.arg(port.to_string());
                flask
            }
            Runtime::Gunicorn(module) => {
                let mut gunicorn = Command::new(prepare::python()?.join("gunicorn"));
                gunicorn
                    .args(["--worker-class", "gthread", "--workers", "2", "--threads", "8"])
                    .args(["--keep-alive", "75", "--bind", &format!("127.0.0.1:{port}")])
                    .arg(format!("{module}:app"));
                gunicorn
            }
            Runtime::Go => Command::new(prepare::go_service(&sources.join("relay.go"))?),
            Runtime::Nginx => self.nginx(&sources, port)?,
        })
    }

    fn nginx(&self, sources: &Path, port: u16) -> Result<Command> {
        let upstream = self.calls.first().context("nginx needs one service to pass on to")?;
        let template = sources.join("nginx.conf");
        configured::command("nginx", &template, &paths::logs(), Some(upstream.port), port)
    }
}
