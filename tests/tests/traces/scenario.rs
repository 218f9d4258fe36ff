//! The tests themselves.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use tests::expect::Call;

use crate::curl::{self, Request};
use crate::world::{Made, World};

/// A tree of calls that curl starts.
fn from_curl(callee: &'static str, calls: Vec<Call>) -> Call {
    Call::new("curl", callee, calls)
}

/// Asks the topmost service of `tree` for each path, `times` times, `at_once` requests at a time.
fn ask(
    world: &World,
    tree: &Call,
    paths: &[Path],
    times: u64,
    at_once: usize,
) -> Result<Vec<Made>> {
    let base = world.url(tree.callee)?;
    let mut made = Vec::new();
    for (path, name, status) in paths {
        let url = format!("{base}{path}");
        let request = Request { url, status: *status, headers: Vec::new() };
        let requests = vec![request; usize::try_from(times)?];
        let window = curl::send(&requests, at_once)?;
        made.push(Made { call: tree.with(name, *status), times, window, context: None });
    }
    Ok(made)
}

/// Path, name of its spans, status of its answers.
type Path = (&'static str, &'static str, u16);

const FOUND: Path = ("/order", "GET /order", 200);
const FAILED: Path = ("/fail", "GET /fail", 500);
const MISSING: Path = ("/missing", "GET /missing", 404);

pub(crate) fn curl_to_flask(world: &World) -> Result<()> {
    let made = ask(world, &from_curl("front", vec![]), &[FOUND, FAILED, MISSING], 5, 1)?;
    world.check("front", &made)
}

pub(crate) fn flask_go_flask(world: &World) -> Result<()> {
    let tree = Call::new("gateway", "pricing", vec![Call::new("pricing", "inventory", vec![])]);
    let tree = from_curl("gateway", vec![tree]);
    let made = ask(world, &tree, &[FOUND, FAILED, MISSING], 5, 1)?;
    world.check("gateway", &made)
}

pub(crate) fn gunicorn_flask(world: &World) -> Result<()> {
    let tree = from_curl("ledger", vec![Call::new("ledger", "archive", vec![])]);
    world.check("ledger", &ask(world, &tree, &[FOUND, FAILED], 40, 8)?)
}

pub(crate) fn go_fanout(world: &World) -> Result<()> {
    let calls = ["users", "orders"].map(|callee| Call::new("aggregator", callee, vec![]));
    let tree = from_curl("aggregator", calls.to_vec());
    world.check("aggregator", &ask(world, &tree, &[FOUND, FAILED], 10, 1)?)
}

pub(crate) fn nginx_flask(world: &World) -> Result<()> {
    let tree = from_curl("nginx", vec![Call::new("nginx", "catalog", vec![])]);
    world.check("catalog", &ask(world, &tree, &[FOUND, MISSING], 40, 8)?)
}

/// Every service forwards the headers as they came, so all of them name the same parent: the one
/// that curl was given. Only what the tracer saw itself can stand between.
pub(crate) fn b3(world: &World) -> Result<()> {
    let tree = Call::new("b3-middle", "b3-back", vec![]);
    let tree = from_curl("b3-front", vec![Call::new("b3-front", "b3-middle", vec![tree])]);
    let (path, name, status) = FOUND;
    let url = format!("{}{path}", world.url("b3-front")?);
    let first = curl::now()?;
    let contexts: Vec<(String, String)> = (first..first + 40)
        .map(|number| (format!("b3{number:030x}"), format!("{number:016x}")))
        .collect();
    let requests: Vec<Request> = contexts
        .iter()
        .map(|(trace, span)| Request {
            url: url.clone(),
            status,
            headers: vec![
                format!("X-B3-TraceId: {trace}"),
                format!("X-B3-SpanId: {span}"),
                "X-B3-Sampled: 1".to_owned(),
            ],
        })
        .collect();
    let window = curl::send(&requests, 8)?;
    let call = tree.with(name, status);
    let made: Vec<Made> = contexts
        .into_iter()
        .map(|context| Made { call: call.clone(), times: 1, window, context: Some(context) })
        .collect();
    world.check("b3-front", &made)
}

/// Each pair of services that called one another, with how often: no more, no less.
pub(crate) fn call_graph(world: &World) -> Result<()> {
    type Graph = BTreeMap<(String, String), u64>;
    let mut wanted = Graph::new();
    for (call, times) in world.made() {
        for (caller, callee) in call.edges() {
            *wanted.entry((caller.to_owned(), callee.to_owned())).or_default() += times;
        }
    }
    ensure!(!wanted.is_empty(), "no test before this one has asked for anything");
    let ours: BTreeSet<&String> = wanted.keys().map(|(_, callee)| callee).collect();
    // Others may use this machine too: a link is ours if one of our services is an end of it.
    let is_ours =
        |(caller, callee): &(String, String)| ours.contains(caller) || ours.contains(callee);
    let compare = |links: Vec<((String, String), u64)>| {
        let seen: Graph = links.into_iter().filter(|(pair, _)| is_ours(pair)).collect();
        ensure!(seen == wanted, "the call graph is {seen:?}, not {wanted:?}");
        Ok(())
    };
    world.with(|parts| {
        let end = || anyhow::Ok(curl::now()? / 1000);
        world.until("Zipkin's dependencies", || {
            let links = parts.zipkin.dependencies(end()?)?;
            compare(links.into_iter().map(|l| ((l.parent, l.child), l.call_count)).collect())
        })?;
        for jaeger in [&parts.grpc, &parts.http] {
            world.until("Jaeger's dependencies", || {
                let links = jaeger.dependencies(end()?)?;
                compare(links.into_iter().map(|l| ((l.parent, l.child), l.call_count)).collect())
            })?;
        }
        let services = parts.zipkin.services()?;
        for service in &ours {
            ensure!(services.contains(service), "Zipkin has not heard of {service}: {services:?}");
        }
        Ok(())
    })
}

/// Ctrl-C ends it well, with a line an exporter that counts every span and no loss.
pub(crate) fn stop(world: &World) -> Result<()> {
    let calls: u64 = world.made().iter().map(|(call, times)| times * call.count() as u64).sum();
    let ports = world.with(|parts| Ok([parts.zipkin.port, parts.grpc.grpc, parts.http.http]))?;
    let ended = world.stop_tracer()?;
    let summary = &ended.summary;
    ensure!(ended.status.success(), "{}: {summary}", ended.status);
    for port in ports {
        let line = summary.lines().find(|line| line.contains(&format!(":{port}")));
        let line = line.with_context(|| format!("nothing about port {port} in: {summary}"))?;
        let exported = line.split(' ').find_map(|word| word.parse::<u64>().ok());
        // Others may use this machine too, so there can be more.
        ensure!(exported >= Some(2 * calls) && !line.contains("lost"), "{calls} calls, but {line}");
    }
    Ok(())
}
