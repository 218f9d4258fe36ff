//! The scene of the tutorials: what is on its way, and where it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use tests::databases::{self, Databases};
use tests::span::{Side, Span};
use tests::tracer::Tracer;
use tests::zipkin::Zipkin;
use tests::{http, paths, poll};

const LIMIT: Duration = Duration::from_secs(30);

/// A service asks its database and another service, which asks the same database: one trace of five
/// spans with both statements, in Zipkin, whose graph shows the database.
pub(crate) fn shipments(databases: &Databases) -> Result<()> {
    let zipkin = Zipkin::start()?;
    let named = |name: &str, calls: String| -> Result<_> {
        let mut go = databases::go()?;
        go.env("OTEL_SERVICE_NAME", name).env("CALLS", calls);
        databases.service(&format!("scene-{name}"), go)
    };
    let (tracking, tracking_port) = named("tracking", String::new())?;
    let (logistics, port) = named("logistics", format!("http://127.0.0.1:{tracking_port}"))?;
    let pids = [tracking.pid(), logistics.pid()].map(|pid| pid.to_string()).join(",");
    let mut tracer = std::process::Command::new(paths::tracer());
    tracer.args(["--pid", &pids, "--settle", "100ms", "--export"]);
    tracer.arg(format!("zipkin={}", zipkin.url()));
    let tracer = Tracer::spawn("scene", &mut tracer)?;
    http::touch(&format!("http://127.0.0.1:{port}/shipments/1"))?;
    let spans = poll::until("the trace in Zipkin", LIMIT, || {
        let traces = zipkin.traces("logistics")?;
        let spans = traces.into_iter().next().context("no trace")?;
        ensure!(spans.len() >= 5, "{} spans", spans.len());
        Ok(spans)
    })?;
    check(&spans)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let links = zipkin.dependencies(u64::try_from(now)? + 1000)?;
    for parent in ["logistics", "tracking"] {
        let link = links.iter().find(|link| link.parent == parent && link.child == "postgresql");
        ensure!(link.is_some_and(|link| link.call_count >= 1), "{parent}: {links:#?}");
    }
    tracer.stop()?;
    Ok(())
}

fn check(spans: &[Span]) -> Result<()> {
    let find = |service: &str, side: Side, name: &str| {
        let found = spans.iter().find(|span| {
            (&*span.service, span.side) == (service, Some(side))
                && span.name.eq_ignore_ascii_case(name)
        });
        found.with_context(|| format!("no {name} of {service}: {spans:#?}"))
    };
    let asked = find("logistics", Side::Server, "GET /shipments/{id}")?;
    let call = find("logistics", Side::Client, "GET /tracking/{id}")?;
    let answered = find("tracking", Side::Server, "GET /tracking/{id}")?;
    let on_its_way = find("logistics", Side::Client, "SELECT items")?;
    let place = find("tracking", Side::Client, "SELECT items")?;
    for (child, parent) in [(call, asked), (answered, call), (on_its_way, asked), (place, answered)]
    {
        ensure!(
            child.parent.as_deref() == Some(&*parent.id),
            "{child:#?} is not below {parent:#?}"
        );
    }
    for (span, text) in [
        (on_its_way, "SELECT name FROM items WHERE price > $1 ORDER BY name"),
        (place, "SELECT name FROM items WHERE name = ? OR price = $1"),
    ] {
        ensure!(span.tag("db.query.text") == Some(text), "{span:#?}");
        // Their connections are new.
        ensure!(span.tag("db.namespace") == Some("shop"), "{span:#?}");
    }
    Ok(())
}
