//! The same behind TLS, whose plaintext is had from the libraries that drivers use.

use anyhow::{Context as _, Result, ensure};
use tests::databases::{self, Databases, Sealed};
use tests::export::Span;

use crate::asked::{Mode, check, traced};

const SELECT: &[&str] = &["SELECT items"];

const fn mode(name: &'static str, system: &'static str, calls: &'static [&'static str]) -> Mode {
    Mode { name, calls, system }
}

/// psycopg 3 and 2 with the libssl that their packages bring, redis-py and PyMySQL with Python's `ssl`;
/// then psycopg 3 with the system's libpq, by ctypes, and the libssl of that.
pub(crate) fn flask(databases: &Databases) -> Result<()> {
    let sealed = Sealed::start(databases)?;
    let modes = [
        mode("psycopg", "postgresql", SELECT),
        mode("psycopg2", "postgresql", SELECT),
        mode("pymysql", "mysql", SELECT),
        mode("sqlalchemy", "mysql", SELECT),
        mode("redis", "redis", &["SET", "GET"]),
    ];
    asked((databases, &sealed), "flask-sealed", &modes, "binary")?;
    asked((databases, &sealed), "flask-sealed-system", &modes[..1], "python")
}

fn asked(
    (databases, sealed): (&Databases, &Sealed),
    name: &str,
    modes: &[Mode],
    psycopg: &str,
) -> Result<()> {
    let mut python = databases::python("flask_service.py")?;
    python.args(sealed.settings()).env("PSYCOPG_IMPL", psycopg);
    let (service, port) = databases.service(name, python)?;
    let spans = traced(name, service.pid(), port, modes)?;
    modes.iter().try_for_each(|mode| check(&spans, mode))?;
    // Nothing of them is told as a connection of which only that is known.
    ensure!(!spans.iter().any(|span| span.name == "TLS"), "a connection");
    let ports = [sealed.postgres, sealed.mysql, sealed.redis];
    let of = |system: &str, name: &str| {
        let whole = |span: &Span| span.get("tracer.incomplete").is_none();
        let is = |span: &&Span| {
            span.get("db.system.name") == Some(system) && span.name == name && whole(span)
        };
        spans.iter().find(is).with_context(|| format!("no {name} of {system}"))
    };
    for (system, port) in ["postgresql", "mysql", "redis"].into_iter().zip(ports) {
        if !modes.iter().any(|mode| mode.system == system) {
            continue;
        }
        let name = if system == "redis" { "SET" } else { "SELECT items" };
        let call = of(system, name)?;
        ensure!(call.number("server.port") == Some(port.into()), "{call:#?}");
        if system != "redis" {
            ensure!(call.get("db.response.returned_rows") == Some("3"), "{call:#?}");
            let text = call.get("db.query.text").context("a statement")?;
            ensure!(text.ends_with("AND name <> ?"), "{text}");
        }
    }
    Ok(())
}
