//! Flags as they are written; [`super::Settings`] is what follows from them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

use super::units;

const EXAMPLES: &str = "\
Examples:
  tracer
          trace every HTTP request on this host, one line a span on standard output
  tracer --export zipkin=http://127.0.0.1:9411
          send the traces to Zipkin
  tracer --export otlp=http://127.0.0.1:4317 --export file=/tmp/spans.jsonl
          to an OpenTelemetry collector by gRPC, and to a file as well
  tracer --export otlp-http=https://otlp.example.com --export-header api-key=SECRET
          to a hosted backend; in --config or OTEL_EXPORTER_OTLP_HEADERS the key stays out of `ps`
  tracer --exe nginx --service 'shop-*' --exclude-port 9100
          trace nginx and the services whose name starts with shop-, but no connection of port 9100
  tracer doctor --service 'shop-*'
          say whether tracing works here, and which processes that would be

Environment: when neither flags nor --config name an exporter, the OpenTelemetry variables do
(OTEL_TRACES_EXPORTER, OTEL_EXPORTER_OTLP_*, OTEL_EXPORTER_ZIPKIN_ENDPOINT).
OTEL_RESOURCE_ATTRIBUTES are added to every span's resource. sudo drops them: use `sudo -E`.
RUST_LOG sets what is logged to standard error.";

/// Follow HTTP requests through the services of this host, without touching the services.
///
/// Needs root (or CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE). With no command, `run` is meant.
#[derive(Clone, Debug, Parser)]
#[command(name = "tracer", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// What to do; `run` when it is left out.
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

/// What the tracer is asked to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Trace until interrupted or --duration is over; the default
    #[command(after_help = EXAMPLES)]
    Run(RunArgs),
    /// Say what this kernel offers, and which processes would be traced and as which service
    ///
    /// Takes the flags of `run`, to tell about that run. Exit code 1 if tracing can't work.
    Doctor(RunArgs),
}

impl Args {
    /// The command with its flags.
    #[must_use]
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Run(self.run))
    }
}

/// Flags of `run`; one that was not given is `None` or empty.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct RunArgs {
    /// Settings in TOML; flags go before them, and they before the environment
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Stop after this time [default: when interrupted]
    #[arg(long, value_name = "DURATION", value_parser = units::some_time)]
    pub duration: Option<Duration>,
    /// Say more on standard error; repeat for still more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Where spans go.
    #[command(flatten)]
    pub export: ExportArgs,
    /// What is traced.
    #[command(flatten)]
    pub trace: TraceArgs,
    /// What is not.
    #[command(flatten)]
    pub exclude: ExcludeArgs,
    /// How spans become traces.
    #[command(flatten)]
    pub stitch: StitchArgs,
    /// Bounds.
    #[command(flatten)]
    pub limits: LimitArgs,
}

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
    /// Send spans there; repeat for several [default: stdout]
    ///
    /// zipkin=URL (base or full /api/v2/spans), otlp=URL (gRPC), otlp-http=URL (base or full
    /// /v1/traces), jaeger=URL (OTLP), file=PATH (OTLP JSON lines, - for standard output), or
    /// stdout (one readable line a span).
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
    /// Wait this long after a request for late evidence [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub settle: Option<Duration>,
    /// What to do with a process that traces itself: join its traces, or skip its spans [default: join]
    ///
    /// Known by the trace headers that it makes, or the spans that it sends to a backend by OTLP
    /// over HTTP, Zipkin's or Jaeger's HTTP API.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub when_instrumented: Option<WhenInstrumented>,
    /// Leave out the traces that their own headers say are not sampled
    #[arg(long)]
    pub respect_sampled: bool,
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
#[command(next_help_heading = "Limits (what exceeds them is dropped and counted)")]
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
    /// Buffer between kernel and tracer, a power of two [default: 16MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::ring_size)]
    pub ring_size: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::{Args, Command};
    use clap::{CommandFactory, Parser};

    fn run(line: &str) -> super::RunArgs {
        let args = Args::try_parse_from(line.split(' ')).unwrap();
        let Command::Run(run) = args.into_command() else { panic!("not run: {line}") };
        run
    }

    #[test]
    fn clap_finds_no_fault() {
        Args::command().debug_assert();
    }

    #[test]
    fn run_may_be_left_out() {
        for line in ["tracer --export stdout -vv", "tracer run --export stdout -vv"] {
            assert_eq!(run(line).export.targets, ["stdout"]);
            assert_eq!(run(line).verbose, 2);
        }
        let doctor = Args::try_parse_from(["tracer", "doctor", "--exe", "nginx"]).unwrap();
        assert!(
            matches!(doctor.into_command(), Command::Doctor(run) if run.trace.exe == ["nginx"])
        );
    }

    #[test]
    fn keys_are_not_shown() {
        let run = run("tracer --export-header api-key=hunter2");
        assert_eq!(run.export.headers[0].0, "api-key=hunter2");
        assert!(!format!("{run:?}").contains("hunter2"));
    }

    #[test]
    fn lists_repeat_and_split() {
        let run = run("tracer --pid 1,2 --pid 3 --exclude-port 80,81 --service a --service b");
        assert_eq!(run.trace.pid, [1, 2, 3]);
        assert_eq!(run.exclude.exclude_port, [80, 81]);
        assert_eq!(run.trace.service, ["a", "b"]);
    }

    #[test]
    fn bad_values_are_refused_by_name() {
        for (flag, value) in [
            ("--pid", "0"),
            ("--port", "65536"),
            ("--min-confidence", "1.5"),
            ("--settle", "soon"),
            ("--when-instrumented", "never"),
            ("--duration", "0s"),
            ("--ring-size", "10MiB"),
            ("--max-head", "1MiB"),
            ("--max-connections", "0"),
        ] {
            let error = Args::try_parse_from(["tracer", flag, value]).unwrap_err().to_string();
            assert!(error.contains(flag), "{error}");
        }
    }
}
