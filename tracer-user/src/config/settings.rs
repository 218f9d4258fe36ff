//! Everything that was wanted, complete and checked.

use std::time::Duration;

use super::args::RunArgs;
use super::error::Error;
use super::exporters;
use super::file::File;
use super::filter::{Filter, Selection};
use super::given::Given;
use super::groups::WhenInstrumented;
use super::sampling::{self, Sampling};
use super::store::{self, Data};
use super::ui;
use crate::causality::Kinds;
use crate::export::Target;
use crate::process::{Rules, parse_attributes};
use crate::protocol::backing;
use crate::serve::Page;

/// What bounds the tracer's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections followed at once.
    pub max_connections: u32,
    /// Exchanges that are open or held at once.
    pub max_open_exchanges: u32,
    /// Bytes of one message head.
    pub max_head: u32,
    /// Headers of one message.
    pub max_headers: u16,
    /// Bytes of the kernel's ring buffer; a power of two.
    pub ring_size: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 65_536,
            max_open_exchanges: 65_536,
            max_head: 16 << 10,
            max_headers: 128,
            ring_size: 16 << 20,
        }
    }
}

/// Default of [`Settings::min_confidence`].
const MIN_CONFIDENCE: f64 = 0.9;
/// Default of [`Settings::settle`].
const SETTLE: Duration = Duration::from_secs(1);
/// Default of [`Settings::max_hold`].
const MAX_HOLD: Duration = Duration::from_secs(30);

/// What the tracer shall do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where spans go; empty only if `OTEL_TRACES_EXPORTER=none` says so.
    pub exporters: Vec<Target>,
    /// Somebody asked for them: they are not just the default.
    pub exporters_named: bool,
    /// Where the web page is served, if it is.
    pub page: Option<Page>,
    /// Where the tracer keeps data, and how much.
    pub data: Data,
    /// Which traces are left out of that, or of exports.
    pub sampling: Sampling,
    /// What is traced.
    pub filter: Filter,
    /// Naming rules.
    pub rules: Rules,
    /// Attributes for every resource that has no such attribute of its own.
    pub resource: Vec<(String, String)>,
    /// Least confidence of an edge, from 0 to 1.
    pub min_confidence: f64,
    /// Kinds of evidence that are not used.
    pub without: Kinds,
    /// How long a finished server span waits for late evidence.
    pub settle: Duration,
    /// How long any finished span is held back at most; not less than `settle`.
    pub max_hold: Duration,
    /// What to do with processes that trace themselves.
    pub when_instrumented: WhenInstrumented,
    /// Traces that are not sampled are left out.
    pub respect_sampled: bool,
    /// What is told of backing services.
    pub backing: backing::Settings,
    /// Functions of traced programs are probed where that tells who asks for a call.
    pub uprobes: bool,
    /// When to stop; `None` for when interrupted.
    pub duration: Option<Duration>,
    /// How often -v was given.
    pub verbosity: u8,
    /// Bounds.
    pub limits: Limits,
    /// Which of these are no defaults.
    pub(super) given: Given,
}

impl Settings {
    /// Flags go before the file, and the file before the environment, setting by setting:
    /// - exporters are taken from the first of these that names any, and standard output is taken
    ///   when none does; `--export-header`, `--export-ca`, `-cert` and `-key` then apply to them;
    /// - any of `--pid`, `--port`, `--exe`, `--service` replaces the whole `[trace]`, any
    ///   `--exclude-…` the whole `[exclude]`;
    /// - resource attributes are put together: the file's, then OTEL_RESOURCE_ATTRIBUTES. A name
    ///   or an instance id in the latter is the tracer's own and no service's, and is left out, as
    ///   OTEL_SERVICE_NAME is.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn resolve(
        args: &RunArgs,
        file: Option<File>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let file = file.unwrap_or_default();
        let given = Given::new(args, &file);
        let exports = file.exports.iter().map(|export| export.0.clone()).collect();
        let limits = Limits::default();
        let data = store::resolve(&args.store, &file, env)?;
        let sampling = sampling::resolve(&args.sample, &file, env)?;
        let page = ui::resolve(&args.ui, &file, env)?;
        let (exporters, exporters_named) = exporters::resolve(&args.export, exports, env)?;
        let settings = Self {
            exporters,
            exporters_named,
            page,
            data,
            sampling,
            filter: filter(args, file.trace, file.exclude)?,
            rules: Rules::new(file.services.into_iter().map(|rule| rule.0).collect()),
            resource: resource(file.resource.into_iter().collect(), env)?,
            min_confidence: given.min_confidence.unwrap_or(MIN_CONFIDENCE),
            without: given.without.unwrap_or_default(),
            settle: given.settle.unwrap_or(SETTLE),
            max_hold: given.max_hold.unwrap_or(MAX_HOLD),
            when_instrumented: given.when_instrumented.unwrap_or_default(),
            respect_sampled: given.respect_sampled.unwrap_or_default(),
            backing: given.backing.over(backing::Settings::default()),
            uprobes: !args.no_uprobes.or(file.no_uprobes).unwrap_or(false),
            duration: args.duration.or(file.duration),
            verbosity: args.verbose,
            limits: Limits {
                max_connections: given.max_connections.unwrap_or(limits.max_connections),
                max_open_exchanges: given.max_open_exchanges.unwrap_or(limits.max_open_exchanges),
                max_head: given.max_head.unwrap_or(limits.max_head),
                max_headers: given.max_headers.unwrap_or(limits.max_headers),
                ring_size: args.ring_size.or(file.ring_size).unwrap_or(limits.ring_size),
            },
            given,
        };
        if settings.max_hold < settings.settle {
            let message = format!(
                "{} is less than the {} of --settle",
                humantime::format_duration(settings.max_hold),
                humantime::format_duration(settings.settle),
            );
            return Err(Error::flag("--max-hold", message));
        }
        Ok(settings)
    }

    /// Reads the file that `args` name, if any, and the process's own environment, once.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve), and of reading the file.
    pub fn load(args: &RunArgs) -> Result<Self, Error> {
        let file = args.config.as_deref().map(File::read).transpose()?;
        Self::resolve(args, file, &|name| std::env::var(name).ok())
    }
}

fn filter(args: &RunArgs, trace: Selection, exclude: Selection) -> Result<Filter, Error> {
    let (on, off) = (args.trace.clone(), args.exclude.clone());
    let on = Selection { pids: on.pid, ports: on.port, exes: on.exe, services: on.service };
    let off = Selection {
        pids: off.exclude_pid,
        ports: off.exclude_port,
        exes: off.exclude_exe,
        services: off.exclude_service,
    };
    let or = |flags: Selection, file| if flags == Selection::default() { file } else { flags };
    Filter::new(&or(on, trace), &or(off, exclude))
        .map_err(|message| Error::flag("--exe, --service", message))
}

fn resource(
    file: Vec<(String, String)>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, Error> {
    const VARIABLE: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let own = parse_attributes(&env(VARIABLE).unwrap_or_default())
        .map_err(|error| Error::Environment(format!("{VARIABLE}: {error}")))?;
    let mut all = file;
    for (name, value) in own {
        let ours = ["service.name", "service.instance.id"].contains(&name.as_str());
        if !ours && !name.starts_with("process.") && all.iter().all(|(known, _)| *known != name) {
            all.push((name, value));
        }
    }
    Ok(all)
}

#[cfg(test)]
#[path = "settings_tests.rs"]
pub(super) mod tests;
