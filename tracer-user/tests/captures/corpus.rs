//! Captures of other projects, which say what is in them (`pcap/` of the corpora outside the
//! repository: the directory is `TRACER_CORPORA`, or `../shared/data/corpora` beside the workspace),
//! scored by a program that is no part of the repository either (`SCORE_PCAP`, or
//! `../shared/tools/score_pcap.py`).

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// HTTP/1 in captures that are listed as HTTP/2 only, so that their lists lack it: a CONNECT to a
/// proxy, and two downloads without upgrade. Each with its number of exchanges.
const UNLISTED: [(&str, usize); 2] =
    [("suricata/http2/http2-errorcode.pcap", 1), ("suricata/http2/http2-range.pcap", 2)];

/// What replays a capture, in the scorer's words.
const REPLAY: [&str; 5] = [env!("CARGO_BIN_EXE_tracer"), "replay", "{pcap}", "--export", "file=-"];
/// The same, where the lists have gRPC's status as the number that is its name's.
const NUMBERED: [&str; 5] = [
    "sh",
    "-c",
    r#""$0" replay "$1" --export file=- | sed 's/{"stringValue":"OK"}/{"stringValue":"0"}/g'"#,
    env!("CARGO_BIN_EXE_tracer"),
    "{pcap}",
];

/// Runs the scorer; `None`, told on standard error, where it or the captures are not there. Where
/// CI runs, they are always there.
fn score(arguments: &[&str], replay: &[&str]) -> Option<Output> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let or = |variable: &str, path: &str| {
        std::env::var_os(variable).map_or_else(|| beside.join(path), PathBuf::from)
    };
    let corpus = or("TRACER_CORPORA", "data/corpora").join("pcap");
    let scorer = or("SCORE_PCAP", "tools/score_pcap.py");
    for needed in [&corpus.join("expected.jsonl"), &scorer] {
        if !needed.is_file() {
            assert!(std::env::var_os("CI").is_none(), "{} is missing", needed.display());
            eprintln!("SKIPPED: no {}; set TRACER_CORPORA and SCORE_PCAP", needed.display());
            return None;
        }
    }
    let mut command = Command::new("python3");
    command.arg(scorer).arg("--corpus").arg(corpus).args(arguments);
    command.arg("--").args(replay);
    Some(command.env_remove("OTEL_TRACES_EXPORTER").output().unwrap())
}

#[test]
fn http_exchanges_are_found() {
    let thresholds = ["--min-found=0.98", "--max-extra=0.01"];
    let arguments = [&["--protocol=http", "--json=-"][..], &thresholds].concat();
    let Some(output) = score(&arguments, &REPLAY) else { return };
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{:#}", report["failures"]);
    let counts = &report["protocols"]["http"];
    let count = |name: &str| counts[name].as_u64().unwrap();
    // Where the lists end a WebSocket's exchange with its 101, its span lasts as long as the connection.
    let results = report["results"].as_array().unwrap().iter();
    let wrong: Vec<_> = results.flat_map(|it| it["wrong"].as_array().unwrap()).collect();
    let goes_on = |it: &&&Value| it["status"] == 101 && it["fields"] == serde_json::json!(["end"]);
    let right = count("exact") + wrong.iter().filter(goes_on).count() as u64;
    assert!(right * 100 >= count("expected") * 95, "{counts}\n{wrong:#?}");
}

#[test]
fn http2_and_grpc_exchanges_are_found() {
    let arguments = ["--protocol=http2", "--min-found=0.98", "--min-exact=0.95", "--json=-"];
    let Some(output) = score(&arguments, &NUMBERED) else { return };
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    // The lists of these captures lack what is UNLISTED.
    let failures = report["failures"].as_array().unwrap().iter();
    let ours: Vec<_> =
        failures.filter(|it| !it.as_str().is_some_and(|it| it.starts_with("http:"))).collect();
    assert!(ours.is_empty(), "{ours:?}");
    for protocol in ["http2", "grpc"] {
        let found = report["protocols"][protocol]["found"].as_u64();
        assert!(found > Some(0), "{protocol}: {}", report["protocols"]);
    }
}

#[test]
fn no_capture_breaks_the_tracer_or_makes_it_invent_anything() {
    let Some(output) = score(&["--json=-"], &REPLAY) else { return };
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["crashed"], Value::Array(vec![]));
    let results = report["results"].as_array().unwrap();
    assert!(results.len() > 100, "{} captures", results.len());
    for result in results {
        let name = result["pcap"].as_str().unwrap();
        let extra = result["extra"].as_array().unwrap();
        let known = UNLISTED.iter().find(|(pcap, _)| *pcap == name).map_or(0, |(_, count)| *count);
        assert_eq!(extra.len(), known, "{name}: {extra:?}");
    }
}

#[test]
fn calls_to_databases_are_found() {
    const PROTOCOLS: [&str; 6] = ["redis", "mysql", "postgresql", "mongodb", "kafka", "dns"];
    let wanted = PROTOCOLS.map(|name| format!("--protocol={name}"));
    let thresholds = ["--min-found=0.98", "--min-exact=0.95", "--max-extra=0.01", "--json=-"];
    let arguments: Vec<&str> = wanted.iter().map(String::as_str).chain(thresholds).collect();
    let Some(output) = score(&arguments, &REPLAY) else { return };
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{:#}", report["failures"]);
    for protocol in PROTOCOLS {
        let found = report["protocols"][protocol]["found"].as_u64();
        assert!(found > Some(0), "{protocol}: {}", report["protocols"]);
    }
}
