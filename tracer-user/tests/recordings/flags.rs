//! What is asked for on the command line goes before what the recording was made with.

use std::process::{Command, Output};

use crate::replayed::file;

/// Lines of standard output, one a span, and what else was said.
fn replay(name: &str, flags: &[&str]) -> (Vec<String>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracer"));
    command.arg("replay").arg(file(name)).args(["--export", "stdout"]).args(flags);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert!(status.success(), "{said}");
    (String::from_utf8(stdout).unwrap().lines().map(str::to_owned).collect(), said)
}

fn roots(lines: &[String]) -> usize {
    lines.iter().filter(|line| line.ends_with(" root")).count()
}

#[test]
fn the_least_confidence_of_an_edge() {
    assert_eq!(roots(&replay("go-fanout", &[]).0), 30);
    let (sure, _) = replay("go-fanout", &["--min-confidence", "0.99"]);
    // Neither of the gateway's two calls is that sure.
    assert_eq!((sure.len(), roots(&sure)), (180, 90));
}

#[test]
fn services_that_trace_themselves() {
    let all = replay("py-zipkin", &[]).0.len();
    let (others, _) = replay("py-zipkin", &["--when-instrumented", "skip"]);
    assert!(others.len() < all && others.iter().all(|line| !line.contains(" webapp ")));
}

#[test]
fn how_much_may_be_remembered() {
    let (lines, said) = replay("nginx-flask", &["--max-connections", "2"]);
    assert!(lines.len() < 240 && said.contains("connections_full"), "{said}");
    let (_, said) = replay("nginx-flask", &["--max-headers", "2"]);
    assert!(said.contains("too_many_headers"), "{said}");
}

#[test]
fn how_long_is_waited() {
    // A span is written when its trace is decided.
    let late = replay("gunicorn", &["--settle", "20s"]).0;
    let early = replay("gunicorn", &["--settle", "0s", "--max-hold", "0s"]).0;
    assert_eq!(late.len(), early.len());
    assert_ne!(late, early);
}
