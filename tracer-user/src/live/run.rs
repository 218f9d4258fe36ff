//! `tracer run`, and what `tracer record` does like it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use tokio::signal::unix::{SignalKind, signal};
use tracer_common::filter::{PORT_SKIP, PORT_TRACE, SELF, SKIP, TRACE};

use crate::config::{Filter, RecordArgs, Settings, Verdict};
use crate::export::{self, Exporters};
use crate::kernel::{Probes, Selection};
use crate::recording::Tap;
use crate::stats::{summary, unread};
use crate::trace::Clock;

use super::capture::{boot_now, both_clocks, capture};
use super::directory::Processes;
use super::runtimes::Runtimes;
use super::{record, rights};

/// How long exporters may take to send what is left.
const FLUSH: Duration = Duration::from_secs(10);

/// Traces until interrupted or the set time is over, then prints the balance. If `recording` is
/// told, what is seen goes to its file as well.
///
/// # Errors
/// Why it could not start, or what broke on the way.
pub async fn run(settings: Settings, recording: Option<RecordArgs>) -> Result<()> {
    rights::check()?;
    let (boot, unix) = both_clocks();
    let clock = Clock::new(unix, boot);
    let start = |args| record::start(args, &settings.pipeline(), &clock);
    let recorder = recording.as_ref().map(start).transpose()?;
    let mut processes = Processes::new(&settings);
    let selection = selection(&settings, &mut processes);
    let traced = selection.processes.values().filter(|&&verdict| verdict == TRACE).count();
    let probes = Probes::attach(&selection)?;
    let runtimes = Runtimes::start(probes.uprobes()?, settings.uprobes)?;
    let failures = runtimes.failures();
    let there: Vec<_> =
        processes.all(boot_now()).into_iter().filter(|(_, wanted)| *wanted).collect();
    processes.look_at_runtimes(runtimes.clone());
    let exporters = Exporters::start(&settings.exporters, &export::Settings::default())
        .map_err(anyhow::Error::from)?;
    let exporters = Arc::new(exporters);
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);

    let stop = Arc::new(AtomicBool::new(false));
    let (done, mut ended) = tokio::sync::oneshot::channel();
    let thread = {
        let (exporters, stop, settings) = (exporters.clone(), stop.clone(), settings.clone());
        std::thread::Builder::new().name("tracer-capture".into()).spawn(move || {
            let mut tap = Tap::new(settings.pipeline(), processes, clock, recorder);
            let balance = capture(probes, &mut tap, &exporters, &stop);
            drop(exporters);
            let recorded = tap.finish();
            // Nobody listens once the run is being stopped.
            let _ = done.send(());
            balance.map(|balance| (balance, recorded))
        })?
    };
    let there = there.into_iter().map(|(pid, _)| pid);
    tokio::task::spawn_blocking(move || runtimes.look_first(there)).await?;
    let started = Instant::now();
    if let Some(args) = &recording {
        eprintln!("{}", record::announcement(args));
    }
    eprintln!("{}", announcement(&settings, traced));
    let over = async {
        match settings.duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = over => {}
        _ = &mut ended => {}
    }
    stop.store(true, Ordering::Relaxed);
    let (mut balance, recorded) = tokio::task::spawn_blocking(|| thread.join())
        .await?
        .map_err(|_| anyhow!("the capture thread failed; please report this with its message"))??;
    balance.losses.extend(failures.all().into_iter().filter(|(_, count)| *count > 0));
    let exporters = Arc::into_inner(exporters).context("exporters are still in use")?;
    let exported = exporters.shutdown(FLUSH).await;
    eprint!("{}", summary(&exported, &balance.losses));
    eprint!("{}", unread(&balance.unreadable));
    if let Some(args) = &recording {
        let recorded = recorded.with_context(|| format!("recording {}", args.file.display()))?;
        if let Some(totals) = recorded {
            eprint!("{}", record::summary(args, &totals, started.elapsed()));
        }
    }
    Ok(())
}

/// What the kernel side is told from the start.
fn selection(settings: &Settings, processes: &mut Processes) -> Selection {
    let filter = &settings.filter;
    let mut verdicts = std::collections::BTreeMap::new();
    if filter.judges_processes() {
        for (pid, wanted) in processes.all(boot_now()) {
            verdicts.insert(pid, if wanted { TRACE } else { SKIP });
        }
    }
    verdicts.insert(std::process::id(), SELF);
    Selection {
        choose_processes: filter.judges_processes(),
        only_named_ports: filter.restricts_ports(),
        processes: verdicts,
        ports: ports(filter),
        ring_size: settings.limits.ring_size,
        log: settings.verbosity >= 2,
    }
}

fn ports(filter: &Filter) -> std::collections::BTreeMap<u16, u32> {
    let verdict = |verdict| if verdict == Verdict::Trace { PORT_TRACE } else { PORT_SKIP };
    filter.ports().into_iter().map(|(port, of)| (port, verdict(of))).collect()
}

/// The line that says that every probe is attached.
fn announcement(settings: &Settings, traced: usize) -> String {
    let what = if settings.filter.judges_processes() {
        format!("{traced} processes that the filter chooses")
    } else {
        "every process of this host".to_owned()
    };
    let names: Vec<_> = settings.exporters.iter().map(export::Target::name).collect();
    let to = if names.is_empty() { "nowhere".to_owned() } else { names.join(", ") };
    format!("tracing: {what}, by BTF tracepoints on socket operations; spans go to {to}")
}
