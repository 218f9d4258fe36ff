//! Flags that several commands take, by subject.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args as ClapArgs, ValueEnum};
use serde::Deserialize;

use super::units;
use crate::causality::Kinds;

/// Heading of the flags that bound something.
pub(super) const LIMITS: &str = "Limits (what exceeds them is dropped and counted)";

/// A text that may hold a key; its debug form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(super) String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Where spans go.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Where spans go")]
pub struct ExportArgs {
    /// Send spans there; repeat for several [default: stdout with --ui off, else nowhere]
    ///
    /// zipkin=URL (base or full /api/v2/spans), otlp=URL (gRPC), otlp-http=URL (base or full
    /// /v1/traces), jaeger=URL (OTLP), file=PATH (OTLP JSON lines, - for standard output), or
    /// stdout (on a terminal, finished traces as trees; else one readable line a span).
    #[arg(long = "export", value_name = "KIND=URL")]
    pub targets: Vec<String>,
    /// Header for every exporter that has a URL, or for those of one kind
    #[arg(long = "export-header", value_name = "[KIND:]NAME=VALUE")]
    pub headers: Vec<Secret>,
    /// Certificates (PEM) to trust for https, instead of the system's
    #[arg(long = "export-ca", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Certificate (PEM) to show to an https server; needs --export-key
    #[arg(long = "export-cert", value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// Key (PEM) of --export-cert
    #[arg(long = "export-key", value_name = "FILE")]
    pub key: Option<PathBuf>,
}

/// What is traced.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "What is traced (nothing given: everything)")]
pub struct TraceArgs {
    /// This process, and those of the same program that it forks
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub pid: Vec<u32>,
    /// Only connections with this port at either end
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Vec<u16>,
    /// Processes whose program is this: a file name, or with a / the whole path
    #[arg(long, value_name = "GLOB")]
    pub exe: Vec<String>,
    /// Processes of services with this name
    ///
    /// --pid, --exe and --service add up: a process is traced when one of them fits. --port
    /// narrows that down to its connections. An --exclude goes before all of them.
    #[arg(long, value_name = "GLOB")]
    pub service: Vec<String>,
}

/// What is not traced.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "What is not traced")]
pub struct ExcludeArgs {
    /// As --pid
    #[arg(long = "exclude-pid", value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub exclude_pid: Vec<u32>,
    /// As --port
    #[arg(long = "exclude-port", value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    pub exclude_port: Vec<u16>,
    /// As --exe
    #[arg(long = "exclude-exe", value_name = "GLOB")]
    pub exclude_exe: Vec<String>,
    /// As --service
    #[arg(long = "exclude-service", value_name = "GLOB")]
    pub exclude_service: Vec<String>,
}

/// How spans become traces.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "How spans become traces")]
pub struct StitchArgs {
    /// Join a call to the request that caused it only when at least this sure, 0 to 1 [default: 0.9]
    #[arg(long, value_name = "SHARE", value_parser = units::share)]
    pub min_confidence: Option<f64>,
    /// Kinds of evidence not to use; README.md tells what each goes by
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = PossibleValuesParser::new(Kinds::names()))]
    pub without_evidence: Vec<String>,
    /// Wait this long after a request for late evidence [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub settle: Option<Duration>,
    /// What to do with a process that traces itself: join its traces, or skip its spans [default: join]
    ///
    /// Known by the trace headers that it makes, or the spans that it sends to a backend by OTLP
    /// over HTTP, Zipkin's or Jaeger's HTTP API.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub when_instrumented: Option<WhenInstrumented>,
    /// Leave out the traces that their own headers say are not sampled [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub respect_sampled: Option<bool>,
    /// Send a span no later than this after its end, with the evidence so far [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub max_hold: Option<Duration>,
}

/// What to do with a process that traces itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenInstrumented {
    /// Its exchanges are spans in its own traces.
    #[default]
    Join,
    /// Its spans are its own to tell.
    Skip,
}

/// Bounds; what exceeds one is dropped and counted.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = LIMITS)]
pub struct LimitArgs {
    /// Connections followed at once [default: 65536]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: Option<u32>,
    /// Exchanges that are open or held at once [default: 65536]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_open_exchanges: Option<u32>,
    /// Bytes of one message head [default: 16KiB]
    #[arg(long, value_name = "SIZE", value_parser = units::head_size)]
    pub max_head: Option<u32>,
    /// Headers of one message [default: 128]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_headers: Option<u16>,
}
