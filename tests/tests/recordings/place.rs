//! A directory with copies of all programs, and a host name: what a recording tells of processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tests::process::{Process, run};
use tests::{paths, prepare};

const START: Duration = Duration::from_secs(60);
/// A directory that every Linux has (FHS 3.0) and that is hidden, not changed.
const ROOT: &str = "/srv";
/// All of its programs, as `--exe` takes them.
pub(crate) const PROGRAMS: &str = "/srv/*";
/// Name of the host in all recordings.
const HOST: &str = "recorded";

/// Where the services live while they are recorded.
pub(crate) struct Place {
    /// What Python needs to find its library from there.
    home: String,
}

/// Which of the two environments of Python packages.
#[derive(Clone, Copy)]
pub(crate) enum Packages {
    /// Flask, gunicorn, requests.
    Plain,
    /// The same with tracing SDKs.
    Instrumented,
}

impl Place {
    /// Hides [`ROOT`] behind an empty file system, and fills that.
    pub(crate) fn furnish() -> Result<Place> {
        host()?;
        run("mount", Command::new("mount").args(["-t", "tmpfs", "tmpfs", ROOT]))?;
        let ask = "import os, sys; print(os.path.realpath(sys.executable), sys.base_prefix)";
        let said =
            run("python", Command::new(prepare::python()?.join("python")).args(["-c", ask]))?;
        let (python, home) = said.trim().split_once(' ').context("where Python is")?;
        let sources = paths::service_sources();
        let relay = prepare::go_service(&sources.join("relay.go"))?;
        // Debian keeps it where only root's PATH looks.
        let nginx = ["/usr/sbin/nginx", "/usr/bin/nginx"].map(PathBuf::from);
        let nginx = nginx.into_iter().find(|path| path.is_file()).context("nginx is missing")?;
        for (program, name) in [
            (Path::new(python), "python3"),
            (&relay, "relay"),
            (&nginx, "nginx"),
            (&prepare::uring()?, "uring"),
        ] {
            fs::copy(program, Place::path(name)).with_context(|| name.to_owned())?;
        }
        let sources = ["", "instrumented", "sockets"].map(|folder| sources.join(folder));
        for directory in sources {
            for entry in fs::read_dir(directory)? {
                let file = entry?.path();
                if let (true, Some(name)) = (file.is_file(), file.file_name()) {
                    fs::copy(&file, Path::new(ROOT).join(name))?;
                }
            }
        }
        Ok(Place { home: home.to_owned() })
    }

    /// A file of the place.
    pub(crate) fn path(name: &str) -> PathBuf {
        Path::new(ROOT).join(name)
    }

    /// Python there, with these packages.
    pub(crate) fn python(&self, packages: Packages, arguments: &[&str]) -> Result<Command> {
        let bin = match packages {
            Packages::Plain => prepare::python()?,
            Packages::Instrumented => prepare::instrumented_python()?,
        };
        let ask = "import sysconfig; print(sysconfig.get_path('purelib'))";
        let found = run("python", Command::new(bin.join("python")).args(["-c", ask]))?;
        let mut python = Command::new(Place::path("python3"));
        python.args(arguments).current_dir(ROOT);
        python.env("PYTHONHOME", &self.home).env("PYTHONPATH", found.trim());
        Ok(python)
    }

    /// Starts a service of this name that calls these.
    pub(crate) fn start(&self, name: &str, calls: &str, command: &mut Command) -> Result<Process> {
        command
            .env("CALLS", calls)
            .env("WORK_MS", "2")
            .env("NO_PROXY", "127.0.0.1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("OTEL_RESOURCE_ATTRIBUTES")
            .env("OTEL_SERVICE_NAME", name);
        Process::start(&format!("recordings-{name}"), command)
    }

    /// The same; returns once it listens on `port`, of which it is told.
    pub(crate) fn serve(
        &self,
        name: &str,
        port: u16,
        calls: &str,
        mut command: Command,
    ) -> Result<Process> {
        let mut process = self.start(name, calls, command.env("PORT", port.to_string()))?;
        process.wait_for_port(port, START)?;
        Ok(process)
    }

    /// nginx before `upstream`, as its configuration names it.
    pub(crate) fn nginx(&self, port: u16, upstream: &str) -> Result<Process> {
        let configuration = fs::read_to_string(Place::path("nginx.conf"))?
            .replace("DIRECTORY", ROOT)
            .replace("UPSTREAM", upstream)
            .replace("PORT", &port.to_string());
        fs::write(Place::path("before.conf"), configuration)?;
        let mut nginx = Command::new(Place::path("nginx"));
        nginx.args(["-e", "stderr", "-c"]).arg(Place::path("before.conf"));
        self.serve("nginx", port, "", nginx)
    }
}

/// A host of that name, where nobody else talks.
pub(crate) fn host() -> Result<()> {
    run("hostname", Command::new("hostname").arg(HOST))?;
    run("ip link", Command::new("ip").args(["link", "set", "lo", "up"])).map(drop)
}

/// Waits until a service has made its unix socket.
pub(crate) fn wait_for_socket(process: &mut Process, socket: &Path) -> Result<()> {
    process.wait_for("its socket", START, |_| {
        std::os::unix::net::UnixStream::connect(socket).map(drop).map_err(Into::into)
    })
}
