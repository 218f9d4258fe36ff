//! Runtimes that the suite has not, as services that follow its conventions
//! (`tests/services/accuracy`): how they are got and started.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::run;
use crate::{paths, prepare};

/// A service of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// The suite's Flask service under gunicorn's gevent workers.
    Gevent,
    /// `Node.java`; how it calls others: `url`, `send` or `async`.
    Java(&'static str),
    /// `node.php` under PHP's own server, with forked workers.
    Php,
    /// `node.ru` under puma.
    Ruby,
    /// The suite's Flask service under uWSGI, processes with threads.
    Uwsgi,
}

/// How the suite starts it: arguments with `{port}`, and what it adds to the environment.
pub type Start = (Vec<String>, BTreeMap<&'static str, String>);

impl Own {
    /// Packages of Debian's with programs that it needs: `(program, package)`.
    pub fn programs(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Own::Gevent => &[("python3", "python3")],
            Own::Java(_) => &[("java", "default-jre-headless"), ("javac", "default-jdk-headless")],
            Own::Php => &[("php", "php-cli")],
            Own::Ruby => &[("ruby", "ruby"), ("puma", "puma")],
            Own::Uwsgi => &[("python3", "python3"), ("cc", "gcc")],
        }
    }

    /// Other packages of Debian's that it needs.
    pub fn packages(self) -> &'static [&'static str] {
        match self {
            Own::Php => &["php-curl"],
            // uWSGI is built from source against them.
            Own::Uwsgi => &["libc6-dev", "python3-dev"],
            Own::Gevent | Own::Java(_) | Own::Ruby => &[],
        }
    }

    /// Gets it ready, and tells how it is started.
    pub fn start(self) -> Result<Start> {
        let sources = paths::service_sources().join("accuracy");
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Ok(match self {
            Own::Gevent => {
                let requirements = sources.join("requirements-gevent.txt");
                let gunicorn = prepare::environment("venv-gevent", &requirements)?.join("gunicorn");
                let flask = paths::truth().join("services/python");
                let start = [text(&gunicorn)?, "--chdir", text(&flask)?, "flask_node:app", "-w"];
                let rest = ["2", "--keep-alive", "75", "--log-level", "error", "-k", "gevent"];
                let bind = ["-b", "127.0.0.1:{port}"];
                let gevent = BTreeMap::from([("NODE_GEVENT", "1".to_owned())]);
                (words(&[&start[..], &rest, &bind].concat()), gevent)
            }
            Own::Java(calls) => {
                let classes = java(&sources)?;
                // Else the server holds answers back for the client's delayed acknowledgement.
                let nodelay = "-Dsun.net.httpserver.nodelay=true";
                let pool = "-Dhttp.maxConnections=128";
                let start = ["java", "-Xmx256m", nodelay, pool, "-cp", text(&classes)?, "Node"];
                (words(&start), BTreeMap::from([("NODE_CLIENT", calls.to_owned())]))
            }
            Own::Php => {
                let script = sources.join("node.php");
                let start = words(&["php", "-S", "127.0.0.1:{port}", text(&script)?]);
                // One thread each.
                (start, BTreeMap::from([("PHP_CLI_SERVER_WORKERS", "32".to_owned())]))
            }
            Own::Ruby => {
                let configuration = sources.join("node.ru");
                let start =
                    ["puma", "--quiet", "--environment", "production", "--threads", "32:32"];
                let bind = ["--bind", "tcp://127.0.0.1:{port}", text(&configuration)?];
                (words(&[&start[..], &bind].concat()), BTreeMap::new())
            }
            Own::Uwsgi => {
                let requirements = sources.join("requirements-uwsgi.txt");
                let uwsgi = prepare::environment("venv-uwsgi", &requirements)?.join("uwsgi");
                let flask = paths::truth().join("services/python");
                let start = [text(&uwsgi)?, "--chdir", text(&flask)?, "--module", "flask_node:app"];
                let workers = ["--master", "--processes", "4", "--threads", "16", "--need-app"];
                let rest = ["--disable-logging", "--die-on-term", "--http-socket"];
                let bind = ["127.0.0.1:{port}"];
                (words(&[&start[..], &workers, &rest, &bind].concat()), BTreeMap::new())
            }
        })
    }
}

/// Compiled classes.
fn java(sources: &Path) -> Result<PathBuf> {
    let (source, classes) = (sources.join("Node.java"), paths::cache().join("accuracy/java"));
    let wanted = fs::read_to_string(&source)?;
    let stamp = classes.join("Node.java");
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        fs::create_dir_all(&classes)?;
        run("javac", Command::new("javac").arg("-d").arg(&classes).arg(&source))?;
        fs::write(&stamp, wanted)?;
    }
    Ok(classes)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is no text", path.display()))
}
