//! What a database's call looks like in Jaeger.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use tests::databases::{self, Databases};
use tests::jaeger::Jaeger;
use tests::span::Side;
use tests::tracer::Tracer;
use tests::{http, paths, poll};

const LIMIT: Duration = Duration::from_secs(30);

/// Each driver's call is a client span below its request that names the database as its peer.
pub(crate) fn calls(databases: &Databases) -> Result<()> {
    let jaeger = Jaeger::start("jaeger-databases")?;
    let mut go = databases::go()?;
    go.env("OTEL_SERVICE_NAME", "stock");
    let (service, port) = databases.service("jaeger-go-db", go)?;
    let start = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    let start = u64::try_from(start)?.saturating_sub(1_000_000);
    let mut tracer = Command::new(paths::tracer());
    tracer.args(["--pid", &service.pid().to_string(), "--settle", "100ms", "--export"]);
    tracer.arg(format!("otlp=http://127.0.0.1:{}", jaeger.grpc));
    let tracer = Tracer::spawn("jaeger-databases-tracer", &mut tracer)?;
    let asked = ["pgx", "gomysql", "goredis"];
    for mode in asked {
        http::touch(&format!("http://127.0.0.1:{port}/{mode}/1"))?;
    }
    let traces = poll::until("the traces in Jaeger", LIMIT, || {
        let traces = jaeger.traces("stock", start)?;
        // Two of each, and one more of Redis.
        let spans: usize = traces.iter().map(Vec::len).sum();
        ensure!((traces.len(), spans) >= (asked.len(), 7), "{spans} spans: {traces:#?}");
        Ok(traces)
    })?;
    tracer.stop()?;
    for (mode, peer, name) in [
        ("pgx", "postgresql", "SELECT items"),
        ("gomysql", "mysql", "SELECT items"),
        ("goredis", "redis", "SET"),
        ("goredis", "redis", "GET"),
    ] {
        let token = format!("t_{mode}_1");
        let mut spans = traces.iter().flatten();
        let call = spans.find(|span| {
            let text = span.tag("db.query.text").unwrap_or("");
            span.name == name && text.contains(&token)
        });
        let call = call.with_context(|| format!("no {name} of {mode}: {traces:#?}"))?;
        ensure!(call.side == Some(Side::Client) && call.service == "stock", "{call:#?}");
        for (key, value) in [("peer.service", peer), ("db.system.name", peer)] {
            ensure!(call.tag(key) == Some(value), "{key} is not {value}: {call:#?}");
        }
        let mut spans = traces.iter().flatten();
        let above = spans.find(|span| Some(&span.id) == call.parent.as_ref());
        let above = above.with_context(|| format!("no parent: {call:#?}"))?;
        ensure!(above.side == Some(Side::Server) && above.trace == call.trace, "{above:#?}");
        ensure!(above.tag("url.path") == Some(&*format!("/{mode}/1")), "{above:#?}");
    }
    Ok(())
}
