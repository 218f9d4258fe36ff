//! The drivers that people use.

use anyhow::{Context as _, Result, ensure};
use tests::databases::{self, Databases};
use tests::export::Span;
use tests::traced::{ToFile, fresh};
use tests::tracer::Tracer;

use crate::asked::{Mode, ask, check, placed, traced};
use crate::recorded::contents;

const POSTGRES: &str = "postgresql";
const MYSQL: &str = "mysql";
const SELECT: &[&str] = &["SELECT items"];
const SET_GET: &[&str] = &["SET", "GET"];

const fn mode(name: &'static str, system: &'static str, calls: &'static [&'static str]) -> Mode {
    Mode { name, calls, system }
}

pub(crate) fn flask(databases: &Databases) -> Result<()> {
    let modes = [
        mode("psycopg", POSTGRES, SELECT),
        mode("psycopg2", POSTGRES, SELECT),
        mode("pymysql", MYSQL, SELECT),
        mode("sqlalchemy", MYSQL, SELECT),
        mode("redis", "redis", SET_GET),
        mode("memcached", "memcached", &["set", "get"]),
        mode("pymongo", "mongodb", &["insert items", "find items"]),
        mode("wrong", POSTGRES, &["SELECT nothing"]),
        mode("pipeline", "redis", &["PIPELINE GET"]),
    ];
    let (service, port) = databases.service("flask-db", databases::python("flask_service.py")?)?;
    let spans = traced("flask-db", service.pid(), port, &modes)?;
    modes.iter().try_for_each(|mode| check(&spans, mode))?;
    let whole = |span: &&Span| span.get("tracer.incomplete").is_none();
    let of =
        |name: &str| spans.iter().filter(whole).find(|span| span.name == name).context("a span");
    let wrong = of("SELECT nothing")?;
    for (key, value) in [("db.response.status_code", "42P01"), ("error.type", "42P01")] {
        ensure!(wrong.get(key) == Some(value), "{wrong:#?}");
    }
    let right = of("SELECT items")?;
    let text = right.get("db.query.text").context("a statement")?;
    ensure!(text.starts_with("SELECT name, price AS t_") && text.ends_with("name <> ?"), "{text}");
    for (key, value) in [
        ("db.operation.name", "SELECT"),
        ("db.collection.name", "items"),
        ("db.response.returned_rows", "3"),
        ("server.address", "127.0.0.1"),
    ] {
        ensure!(right.get(key) == Some(value), "{key} is not {value}: {right:#?}");
    }
    let pipeline = of("PIPELINE GET")?;
    ensure!(pipeline.get("db.operation.batch.size") == Some("5"), "{pipeline:#?}");
    Ok(())
}

pub(crate) fn aiohttp(databases: &Databases) -> Result<()> {
    let modes = [mode("asyncpg", POSTGRES, SELECT), mode("aioredis", "redis", SET_GET)];
    let (service, port) =
        databases.service("aiohttp-db", databases::python("aiohttp_service.py")?)?;
    let spans = traced("aiohttp-db", service.pid(), port, &modes)?;
    modes.iter().try_for_each(|mode| check(&spans, mode))
}

pub(crate) fn go(databases: &Databases) -> Result<()> {
    let modes = [
        mode("pgx", POSTGRES, SELECT),
        mode("gomysql", MYSQL, &["SELECT items"]),
        mode("goredis", "redis", SET_GET),
    ];
    let (service, port) = databases.service("go-db", databases::go()?)?;
    let spans = traced("go-db", service.pid(), port, &modes)?;
    modes.iter().try_for_each(|mode| check(&spans, mode))
}

pub(crate) fn node(databases: &Databases) -> Result<()> {
    let modes = [
        mode("pg", POSTGRES, SELECT),
        mode("mysql2", MYSQL, SELECT),
        mode("ioredis", "redis", SET_GET),
    ];
    let (service, port) = databases.service("node-db", databases::node()?)?;
    let spans = traced("node-db", service.pid(), port, &modes)?;
    // Callbacks that wait for a connection of a pool run when another request gives one back: what
    // they write, the event loop's turn cannot tell.
    for mode in &modes {
        let found = placed(&spans, mode)?;
        let all = found.right + found.wrong + found.orphans;
        ensure!(found.right > 0 && found.wrong * 20 <= all, "{}: {found:?}", mode.name);
    }
    Ok(())
}

/// As most services on a database's own host do.
pub(crate) fn unix(databases: &Databases) -> Result<()> {
    let modes = [mode("psycopg", POSTGRES, SELECT), mode("psycopg2", POSTGRES, SELECT)];
    let mut python = databases::python("flask_service.py")?;
    // After what the service is given for all.
    python.arg(format!("POSTGRES_HOST={}", databases.directory.display()));
    let (service, port) = databases.service("flask-unix", python)?;
    let spans = traced("flask-unix", service.pid(), port, &modes)?;
    modes.iter().try_for_each(|mode| check(&spans, mode))?;
    let call = spans.iter().find(|span| span.name == "SELECT items").context("a call")?;
    let socket = call.get("server.address").context("an address")?;
    ensure!(socket.ends_with(&format!(".s.PGSQL.{}", databases.postgres)), "{call:#?}");
    Ok(())
}

/// `--protocols` and `--sql-text`.
pub(crate) fn chosen(databases: &Databases) -> Result<()> {
    let modes = [mode("psycopg", POSTGRES, SELECT), mode("redis", "redis", SET_GET)];
    let (service, port) = databases.service("chosen-db", databases::python("flask_service.py")?)?;
    let pid = service.pid().to_string();
    // Connections are made before.
    ask(port, &modes, 10_000)?;
    let run = |flags: &[&str]| {
        let tracer = ToFile::start("chosen-db", &[&["--pid", &pid], flags].concat())?;
        ask(port, &modes, 20_000)?;
        Ok::<_, anyhow::Error>(tracer.stop()?.spans)
    };
    let system = |span: &Span| span.get("db.system.name").map(str::to_owned);
    let spans = run(&["--protocols", "http,redis", "--sql-text", "off"])?;
    let systems: Vec<_> = spans.iter().filter_map(system).collect();
    // A connection that is made meanwhile says who it is, too.
    let calls = spans.iter().filter(|span| SET_GET.contains(&&*span.name)).count();
    ensure!(calls == 2 * 48 && systems.iter().all(|it| it == "redis"), "{calls}, {systems:?}");
    let told = spans.iter().any(|span| span.get("db.query.text").is_some());
    ensure!(!told, "a command's text");
    let spans = run(&["--protocols", "http"])?;
    ensure!(!spans.is_empty() && spans.iter().all(|span| system(span).is_none()), "{spans:#?}");
    let spans = run(&["--sql-text", "full"])?;
    let text = |span: &Span| span.get("db.query.text").unwrap_or("").to_owned();
    let full = |what: &str| spans.iter().filter(|span| text(span).contains(what)).count();
    ensure!(full("name <> 'hunter2'") == 48, "{} statements", full("name <> 'hunter2'"));
    ensure!(full(" hunter2") == 48, "{} commands", full(" hunter2"));
    Ok(())
}

/// A pool's connections that are older than the tracer tell the same.
pub(crate) fn older(databases: &Databases) -> Result<()> {
    let modes = [
        mode("psycopg", POSTGRES, SELECT),
        mode("pymysql", MYSQL, SELECT),
        mode("redis", "redis", SET_GET),
        mode("memcached", "memcached", &["set", "get"]),
    ];
    let (service, port) = databases.service("older-db", databases::python("flask_service.py")?)?;
    let spans = traced("older-db", service.pid(), port, &modes)?;
    modes.iter().try_for_each(|mode| check(&spans, mode))
}

/// What is recorded tells nothing of what databases were asked and what they said, unless that is wanted.
pub(crate) fn recorded(databases: &Databases) -> Result<()> {
    let modes = [
        mode("psycopg", POSTGRES, SELECT),
        mode("pymysql", MYSQL, SELECT),
        mode("redis", "redis", SET_GET),
        mode("memcached", "memcached", &["set", "get"]),
    ];
    let (service, port) =
        databases.service("recorded-db", databases::python("flask_service.py")?)?;
    let pid = service.pid().to_string();
    let record = |flags: &[&str]| {
        let file = fresh("recorded-db")?.with_extension("trec");
        let name = file.display().to_string();
        let flags = [&["record", &name, "--force", "--pid", &pid][..], flags].concat();
        let tracer = Tracer::start("recorded-db", &flags)?;
        ask(port, &modes, 30_000)?;
        tracer.stop()?;
        contents(&file)
    };
    let kept = record(&[])?;
    ensure!(kept.contains("GET /psycopg/30"), "no request");
    for secret in ["hunter2", "SELECT", "drum", "shop"] {
        ensure!(!kept.contains(secret), "{secret} is in the recording");
    }
    let all = record(&["--with-secrets"])?;
    ensure!(all.contains("AND name <> 'hunter2'") && all.contains("drum"), "not all was kept");
    Ok(())
}
