//! Runs the tracer.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The command `tracer replay` without arguments.
pub(crate) fn replay() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracer"));
    // Nothing of the environment decides where spans go.
    command.arg("replay").env_remove("OTEL_TRACES_EXPORTER").stdin(Stdio::null());
    command
}

/// The small capture: two clients, three requests.
pub(crate) fn capture() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/captures/two_clients.pcap")
}

/// Spans written by `--export file=-`, in an order of their own.
pub(crate) fn spans(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut spans = vec![];
    for line in text.lines() {
        let request: Value = serde_json::from_str(line).unwrap();
        for resource in request["resourceSpans"].as_array().unwrap() {
            for scope in resource["scopeSpans"].as_array().unwrap() {
                spans.extend(scope["spans"].as_array().unwrap().iter().cloned());
            }
        }
    }
    spans.sort_by_key(|span| span["spanId"].as_str().unwrap().to_owned());
    spans
}

/// What was written to standard error.
pub(crate) fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
