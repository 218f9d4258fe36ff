//! The accuracy suite beside the checkout, against the built tracer: one test a combination of
//! topology, runtime, headers and concurrency. The thresholds are the suite's own flags.

use std::process::Command;

use anyhow::{Context, Result};
use libtest_mimic::{Arguments, Failed, Trial};
use tests::process::run;
use tests::{paths, ports, prepare};

/// Topologies with the runtimes of their services, in the suite's words.
const LOADS: [(&str, &str); 7] = [
    ("chain3", "flask"),
    ("chain3", "gunicorn"),
    ("chain3", "flask+a=nginx"),
    ("fanout", "flask"),
    ("fanout", "gunicorn"),
    ("tree", "flask"),
    ("tree", "gunicorn"),
];

const HEADERS: [&str; 3] = ["none", "b3", "w3c"];

/// Concurrency, with enough roots to keep it up for a few seconds.
const ROOTS: [(u16, u16); 3] = [(1, 80), (8, 250), (32, 300)];

/// The largest topology has five services.
const SERVICES: u16 = 5;

/// Every edge whose two spans are there is right, nothing is doubled, hardly a span is missing.
const THRESHOLDS: [&str; 18] = [
    "--min-precision=100",
    "--max-wrong-trace=0",
    "--max-wrong-same=0",
    "--max-orphan=0",
    "--max-dup=0",
    "--max-bad-roots=0",
    "--max-unknown=0",
    "--min-edge=99.9",
    "--min-complete=99.9",
    "--min-client-complete=99.9",
    "--min-tree=99.5",
    "--min-link=100",
    "--min-client-parent=100",
    "--min-status=100",
    "--min-dur=100",
    "--min-start=100",
    "--errors=0.05",
    "--jitter",
];

fn main() -> Result<()> {
    let mut arguments = Arguments::from_args();
    // Each run measures the whole machine.
    arguments.test_threads = Some(1);
    let mut trials = Vec::new();
    for (topology, runtime) in LOADS {
        for headers in HEADERS {
            for (concurrency, roots) in ROOTS {
                let name = format!("{topology}/{runtime}/{headers}/c{concurrency}");
                trials.push(Trial::test(name, move || {
                    suite(topology, runtime, headers, concurrency, roots)
                        .map_err(|error| Failed::from(format!("{error:#}")))
                }));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit()
}

fn suite(topology: &str, runtime: &str, headers: &str, concurrency: u16, roots: u16) -> Result<()> {
    let cache = prepare::truth(&["python", "go"])?;
    let tracer = paths::tracer();
    let tracer = tracer.to_str().context("the tracer's path is no text")?;
    let mut truth = Command::new(cache.join("venv/bin/python"));
    truth.arg(paths::truth().join("truth.py")).env("TRUTH_CACHE", &cache);
    truth.env("TRACER_UI", "off").env("TRACER_NO_STORE", "true");
    // PATH often lacks where Debian keeps nginx.
    let path = std::env::var("PATH").unwrap_or_default();
    truth.env("PATH", format!("{path}:/usr/sbin"));
    truth.args(["--topology", topology, "--runtime", runtime, "--headers", headers]);
    truth.args(["--concurrency", &concurrency.to_string(), "--roots", &roots.to_string()]);
    // Whole runs are short, so that all of them fit into ten minutes; these are the suite's own
    // waiting times, which it does not end early.
    truth.args(["--drain", "1.5", "--prewarm", "40"]);
    // It does not wait until the tracer says that it traces, which takes it a second of CPU time.
    truth.args(["--warmup", "5"]);
    truth.args(["--port-base", &ports::consecutive(SERVICES)?.to_string()]);
    truth.args(["--zipkin-port", &ports::free()?.to_string()]);
    truth.args(["--otlp-port", &ports::free()?.to_string()]);
    truth.args(["--out".as_ref(), paths::logs().join("truth").as_os_str()]);
    truth.args(["--link-attr", "tracer.parent.method"]);
    truth.args(["--tracer", &format!("'{tracer}' --settle 300ms --export zipkin={{zipkin}}")]);
    truth.args(THRESHOLDS);
    let report = run("truth.py", &mut truth)?;
    println!("\n{}", report.trim_end());
    Ok(())
}
