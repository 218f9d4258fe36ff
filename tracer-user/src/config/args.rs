//! The commands and their flags as they are written; [`super::Settings`] is what follows from them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand};

use super::backing::BackingArgs;
use super::groups::{ExcludeArgs, ExportArgs, LIMITS, LimitArgs, StitchArgs, TraceArgs};
use super::sampling::SampleArgs;
use super::store::StoreArgs;
use super::ui::UiArgs;
use super::units;
use crate::terminal::{Format, Reach};

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  tracer explain shop.trec
          how many calls were joined by which evidence, how many by none and why; ten traces
  tracer explain shop.trec 5eb9ff
          the traces whose id begins so (the ids are those of the run)
  tracer explain shop.trec --json --limit 1000000 | jq '.traces[].spans[] | select(.edge == \"too_weak\")'
          the calls that a witness named a request for without being sure enough";

const EXAMPLES: &str = "\
Examples:
  tracer
          trace every HTTP request on this host; the traces are at the address that it prints
  tracer --ui off
          no web page; one line a span on standard output
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
  tracer replay traffic.pcap --export zipkin=http://127.0.0.1:9411
          make traces of a packet capture
  tracer explain shop.trec
          say why the traces of a recording are as they are

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
    /// Trace as `run` does, and write all that is seen to a file, for `tracer replay`
    ///
    /// Nothing is exported unless --export is given. Secrets (values of Authorization, Cookie and the
    /// like, secret query parameters) and the contents of bodies are masked in the file.
    Record(RecordArgs),
    /// Say what this kernel offers, and which processes would be traced and as which service
    ///
    /// Takes the flags of `run`, to tell about that run. Exit code 1 if tracing can't work.
    Doctor(RunArgs),
    /// Make traces of a recording, or of a packet capture (pcap, pcapng)
    ///
    /// Needs no root, and waits for backends where `run` would drop spans. In a packet capture
    /// services are called by their addresses. A recording brings the settings of its run; flags and
    /// --config go before them. Exit code 1 if the file can't be read to its end.
    Replay(ReplayArgs),
    /// Say why each call of a recording hangs where it does: what every witness said, and who decided
    ///
    /// Replays the recording and prints all edges in sum, then traces as trees. Below each call stand
    /// the witnesses that spoke, from strong to weak: which request each named, how sure it was, and
    /// what became of that; then those that were silent, and why. Needs no root. Flags go before the
    /// settings of the recorded run, so `--min-confidence 0` shows what every best guess would have
    /// made.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Show services and routes live: rate, errors, durations, callers, and their latest traces
    ///
    /// Asks the running tracer. If none runs on this host, and no --url is given, it traces by itself
    /// while it is looked at, which needs root.
    Top(TopArgs),
    /// Print one trace that the running tracer holds
    Trace(TraceIdArgs),
}

impl Args {
    /// The command with its flags.
    #[must_use]
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Run(self.run))
    }
}

/// Flags of `top`.
#[derive(Clone, Debug, ClapArgs)]
pub struct TopArgs {
    /// Time that the table covers, up to 5 minutes
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = units::duration)]
    pub window: Duration,
    #[command(flatten)]
    /// Whom to ask.
    pub reach: Reach,
}

/// Flags of `trace`.
#[derive(Clone, Debug, ClapArgs)]
pub struct TraceIdArgs {
    /// Its id; zeroes at its beginning may be left out
    #[arg(value_name = "ID", value_parser = units::trace_prefix)]
    pub id: String,
    /// How to print it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
    #[command(flatten)]
    /// Whom to ask.
    pub reach: Reach,
}

/// Flags of `record`.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct RecordArgs {
    /// File to write; it must not be there yet
    #[arg(value_name = "FILE", value_parser = units::new_file)]
    pub file: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
    /// End when the file is about this long
    #[arg(long, value_name = "SIZE", value_parser = units::file_size)]
    pub max_size: Option<u64>,
    /// Keep every byte that was seen: passwords, cookies, keys, bodies
    #[arg(long)]
    pub with_secrets: bool,
    /// Those of `run`.
    #[command(flatten)]
    pub run: RunArgs,
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
    /// The web page.
    #[command(flatten)]
    pub ui: UiArgs,
    /// What is kept.
    #[command(flatten)]
    pub store: StoreArgs,
    /// What is left out of that.
    #[command(flatten)]
    pub sample: SampleArgs,
    /// What is traced.
    #[command(flatten)]
    pub trace: TraceArgs,
    /// What is not.
    #[command(flatten)]
    pub exclude: ExcludeArgs,
    /// What is told of databases.
    #[command(flatten)]
    pub backing: BackingArgs,
    /// How spans become traces.
    #[command(flatten)]
    pub stitch: StitchArgs,
    /// Attach no probes to functions of the traced programs [default: false]
    ///
    /// They tell who asks for a call that another flow of execution writes: in Go programs, which
    /// goroutine hands a request to net/http's client. Without them such calls start traces of their
    /// own when several requests are in flight. Each costs the program a trap into the kernel.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub no_uprobes: Option<bool>,
    /// Bounds.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Buffer between kernel and tracer, a power of two [default: 16MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::ring_size, help_heading = LIMITS)]
    pub ring_size: Option<u32>,
}

/// Flags of `replay`: those of `run` that do not speak of the host. What is said of stitching and of
/// bounds goes before what a recording was made with, see [`super::Settings::pipeline_over`].
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct ReplayArgs {
    /// What to replay; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Settings in TOML; flags go before them, and they before the environment
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say more on standard error; repeat for still more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Only services with this name
    #[arg(long, value_name = "GLOB")]
    pub service: Vec<String>,
    /// No services with this name
    #[arg(long, value_name = "GLOB")]
    pub exclude_service: Vec<String>,
    /// Where spans go.
    #[command(flatten)]
    pub export: ExportArgs,
    /// What is told of databases.
    #[command(flatten)]
    pub backing: BackingArgs,
    /// How spans become traces.
    #[command(flatten)]
    pub stitch: StitchArgs,
    /// Bounds.
    #[command(flatten)]
    pub limits: LimitArgs,
}

impl ReplayArgs {
    /// The same as flags of a run.
    #[must_use]
    pub fn into_run(self) -> RunArgs {
        RunArgs {
            config: self.config,
            verbose: self.verbose,
            trace: TraceArgs { service: self.service, ..TraceArgs::default() },
            exclude: ExcludeArgs {
                exclude_service: self.exclude_service,
                ..ExcludeArgs::default()
            },
            export: self.export,
            backing: self.backing,
            stitch: self.stitch,
            limits: self.limits,
            ..RunArgs::default()
        }
    }
}

/// Flags of `explain`: those of `replay` but for exports.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct ExplainArgs {
    /// What to explain; - for standard input
    #[arg(value_name = "RECORDING")]
    pub file: PathBuf,
    /// Only traces whose id begins so [default: a summary, and the first --limit traces]
    #[arg(value_name = "TRACE", value_parser = units::trace_prefix)]
    pub trace: Option<String>,
    /// Traces to show
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub limit: usize,
    /// Write one JSON object instead of text
    #[arg(long)]
    pub json: bool,
    /// Settings in TOML; flags go before them, and they before the environment
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say more on standard error; repeat for still more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// How spans become traces.
    #[command(flatten)]
    pub stitch: StitchArgs,
    /// Bounds.
    #[command(flatten)]
    pub limits: LimitArgs,
}

impl ExplainArgs {
    /// The same as flags of a run.
    #[must_use]
    pub fn into_run(self) -> RunArgs {
        RunArgs {
            config: self.config,
            verbose: self.verbose,
            stitch: self.stitch,
            limits: self.limits,
            ..RunArgs::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Args, Command, RecordArgs};
    use crate::config::WhenInstrumented;
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

    fn record(line: &str) -> Result<RecordArgs, String> {
        let args = Args::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?;
        let Command::Record(record) = args.into_command() else { panic!("not record: {line}") };
        Ok(record)
    }

    #[test]
    fn record_takes_a_file_and_the_flags_of_run() {
        let args = record("tracer record f --max-size 1MiB --exe nginx --export stdout").unwrap();
        assert_eq!((args.file.to_str(), args.max_size), (Some("f"), Some(1 << 20)));
        assert_eq!((args.run.trace.exe, args.run.export.targets.len()), (vec!["nginx".into()], 1));
        assert!(!args.force && !args.with_secrets);
        let error = record("tracer record -").unwrap_err();
        assert!(error.contains("a recording goes to a file"), "{error}");
        assert!(record("tracer record").unwrap_err().contains("FILE"));
        assert!(record("tracer record f --max-size 1").unwrap_err().contains("--max-size"));
    }

    #[test]
    fn replay_takes_a_file_and_what_does_not_speak_of_the_host() {
        let line = "tracer replay a.pcap --service x --export stdout --settle 2s --max-headers 9 \
            --when-instrumented skip --respect-sampled";
        let args = Args::try_parse_from(line.split(' ')).unwrap();
        let Command::Replay(replay) = args.into_command() else { panic!("not replay") };
        assert_eq!(replay.file.as_os_str(), "a.pcap");
        let run = replay.into_run();
        assert_eq!((&*run.trace.service, run.limits.max_headers), (&["x".to_owned()][..], Some(9)));
        assert_eq!(run.stitch.when_instrumented, Some(WhenInstrumented::Skip));
        assert_eq!(run.stitch.respect_sampled, Some(true));
        assert!(Args::try_parse_from(["tracer", "replay"]).is_err());
        for flag in ["--pid", "--ring-size", "--duration"] {
            assert!(Args::try_parse_from(["tracer", "replay", "a.pcap", flag, "1"]).is_err());
        }
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
