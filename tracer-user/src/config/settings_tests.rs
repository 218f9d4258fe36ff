//! What follows from flags, file and environment together.

use std::path::Path;
use std::time::Duration;

use clap::{CommandFactory, Parser};

use super::{Limits, MAX_HOLD, MIN_CONFIDENCE, SETTLE, Settings};
use crate::config::{Args, Command, Error, File, RunArgs, WhenInstrumented};

/// Flags of `tracer LINE`, split at spaces.
pub(in crate::config) fn flags(line: &str) -> RunArgs {
    let words = std::iter::once("tracer").chain(line.split_whitespace());
    match Args::try_parse_from(words).unwrap().into_command() {
        Command::Run(run) | Command::Doctor(run) => run,
        Command::Record(record) => record.run,
        Command::Replay(replay) => replay.into_run(),
        Command::Explain(explain) => explain.into_run(),
        other @ (Command::Top(_) | Command::Trace(_)) => panic!("{other:?} traces nothing"),
    }
}

/// An environment of these variables.
pub(in crate::config) fn env(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> + use<> {
    let pairs: Vec<(String, String)> =
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    move |name| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

fn resolve(line: &str, file: &str, variables: &[(&str, &str)]) -> Result<Settings, Error> {
    let file = File::parse(Path::new("tracer.toml"), file).unwrap();
    Settings::resolve(&flags(line), Some(file), &env(variables))
}

const FILE: &str = r#"
min_confidence = 0.5
without_evidence = ["turn", "timing"]
settle = "2s"
max_hold = "20s"
when_instrumented = "skip"
respect_sampled = true
duration = "1m"
max_connections = 1
max_open_exchanges = 2
max_head = "1KiB"
max_headers = 3
ring_size = "1MiB"
[trace]
pid = [7]
port = [80]
[exclude]
port = [90]
"#;

#[test]
fn defaults_are_those_that_help_shows() {
    let settings = Settings::resolve(&RunArgs::default(), None, &env(&[])).unwrap();
    assert_eq!(settings.limits, Limits::default());
    assert!(settings.filter.is_open() && settings.duration.is_none());
    // Lines are wrapped to the terminal's width.
    let help = Args::command().render_long_help().to_string();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = |flag: &str, default: String| {
        let text = help.split(&format!("--{flag} <")).nth(1).unwrap();
        let text = text.split("[default: ").nth(1).unwrap().split(']').next().unwrap();
        assert_eq!(text, default, "--{flag}");
    };
    let time = |time| humantime::format_duration(time).to_string();
    shown("min-confidence", MIN_CONFIDENCE.to_string());
    shown("settle", time(SETTLE));
    shown("max-hold", time(MAX_HOLD));
    shown("max-connections", settings.limits.max_connections.to_string());
    shown("max-open-exchanges", settings.limits.max_open_exchanges.to_string());
    shown("max-head", format!("{}KiB", settings.limits.max_head >> 10));
    shown("max-headers", settings.limits.max_headers.to_string());
    shown("ring-size", format!("{}MiB", settings.limits.ring_size >> 20));
}

#[test]
fn the_file_replaces_every_default() {
    let settings = resolve("", FILE, &[]).unwrap();
    assert_eq!(settings.min_confidence, 0.5);
    assert_eq!(Vec::from(settings.pipeline().without), ["turn", "timing"]);
    let flag = resolve("--without-evidence alone,thread", FILE, &[]).unwrap();
    assert_eq!(Vec::from(flag.without), ["thread", "alone"]);
    assert_eq!(settings.settle, Duration::from_secs(2));
    assert_eq!(settings.max_hold, Duration::from_secs(20));
    assert_eq!(settings.when_instrumented, WhenInstrumented::Skip);
    assert!(settings.respect_sampled);
    let leave_out = settings.pipeline().leave_out;
    assert!(leave_out.instrumented && leave_out.unsampled);
    assert_eq!(settings.duration, Some(Duration::from_secs(60)));
    let limits = Limits {
        max_connections: 1,
        max_open_exchanges: 2,
        max_head: 1024,
        max_headers: 3,
        ring_size: 1 << 20,
    };
    assert_eq!(settings.limits, limits);
    assert!(settings.filter.restricts_processes() && settings.filter.restricts_ports());
}

#[test]
fn every_flag_replaces_the_file_s() {
    let line = "--min-confidence 0.7 --settle 3s --max-hold 30s --duration 5s -v \
        --max-connections 10 --max-open-exchanges 20 --max-head 2KiB --max-headers 30 \
        --ring-size 2MiB --service shop --exclude-pid 9 --when-instrumented join";
    let settings = resolve(line, FILE, &[]).unwrap();
    assert_eq!(settings.min_confidence, 0.7);
    assert_eq!(settings.when_instrumented, WhenInstrumented::Join);
    let leave_out = settings.pipeline().leave_out;
    assert!(!leave_out.instrumented && leave_out.unsampled);
    assert_eq!(settings.settle, Duration::from_secs(3));
    assert_eq!(settings.max_hold, Duration::from_secs(30));
    assert_eq!(settings.duration, Some(Duration::from_secs(5)));
    assert_eq!(settings.verbosity, 1);
    let limits = Limits {
        max_connections: 10,
        max_open_exchanges: 20,
        max_head: 2048,
        max_headers: 30,
        ring_size: 2 << 20,
    };
    assert_eq!(settings.limits, limits);
    assert!(settings.filter.restricts_processes());
    assert!(settings.filter.ports().is_empty(), "[trace] and [exclude] are replaced as a whole");
    let kept = resolve("--service shop", FILE, &[]).unwrap();
    assert_eq!(kept.filter.ports().len(), 1, "[exclude] is its own");
}

/// A recording's settings, none of them a default.
fn recorded() -> crate::pipeline::Settings {
    let line = "--min-confidence 0.6 --settle 5s --max-hold 10s --max-connections 11 \
        --max-open-exchanges 12 --max-head 3KiB --max-headers 13 --when-instrumented skip \
        --respect-sampled --port 80";
    resolve(line, "", &[]).unwrap().pipeline()
}

#[test]
fn a_replay_has_the_recording_s_settings_where_none_are_asked_for() {
    let replay =
        |line: &str, file: &str| resolve(line, file, &[]).unwrap().pipeline_over(recorded());
    assert_eq!(format!("{:?}", replay("replay f", "")), format!("{:?}", recorded()));
    let flags = "--min-confidence 0.9 --settle 1s --max-hold 30s --max-connections 65536 \
        --max-open-exchanges 65536 --max-head 16KiB --max-headers 128 --when-instrumented join \
        --respect-sampled=false";
    let mut plain = resolve("", "", &[]).unwrap().pipeline();
    // It is the recording that lacks connections.
    plain.ports_left_out = true;
    let defaults = replay(&format!("replay f {flags}"), "");
    assert_eq!(format!("{defaults:?}"), format!("{plain:?}"), "a default that is asked for");
    let one = replay("replay f --max-headers 9", "min_confidence = 0.7\nmax_headers = 8");
    assert_eq!((one.http1.max_headers, one.min_confidence), (9, 0.7), "flag, then file");
    assert_eq!((one.connections, one.leave_out.unsampled), (11, true), "then the recording");
}

#[test]
fn waits_that_are_asked_for_go_before_those_of_the_recording() {
    const SECOND: u64 = 1_000_000_000;
    for (line, settle, max_hold) in [
        ("replay f --max-hold 2s", 2, 2),
        ("replay f --settle 20s", 20, 20),
        ("replay f --settle 7s", 7, 10),
        ("replay f --settle 1s --max-hold 1s", 1, 1),
    ] {
        let of = resolve(line, "", &[]).unwrap().pipeline_over(recorded());
        assert_eq!((of.settle, of.max_hold), (settle * SECOND, max_hold * SECOND), "{line}");
    }
}

#[test]
fn resource_attributes_are_put_together() {
    let own = "service.name=tracer,service.instance.id=1,process.pid=2,zone=b,env=variable";
    let file = "[resource]\nenv = 'file'";
    let settings = resolve("", file, &[("OTEL_RESOURCE_ATTRIBUTES", own)]).unwrap();
    let want = [("env", "file"), ("zone", "b")];
    assert_eq!(settings.resource, want.map(|(n, v)| (n.to_owned(), v.to_owned())));
    let bad = resolve("", "", &[("OTEL_RESOURCE_ATTRIBUTES", "novalue")]).unwrap_err();
    assert!(bad.to_string().contains("OTEL_RESOURCE_ATTRIBUTES"), "{bad}");
}

#[test]
fn settings_must_fit_together() {
    let error = resolve("--settle 40s", "", &[]).unwrap_err().to_string();
    assert_eq!(error, "--max-hold: 30s is less than the 40s of --settle");
    let error = resolve("--exe a[b", "", &[]).unwrap_err().to_string();
    assert!(error.contains("--exe") && error.contains("a[b"), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Settings::load(&flags("--config /nowhere/tracer.toml")).unwrap_err().to_string();
    assert!(error.contains("/nowhere/tracer.toml"), "{error}");
}
