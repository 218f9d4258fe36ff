//! `tracer run`, and what `tracer record` does like it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use tokio::signal::unix::{SignalKind, signal};
use tracer_common::filter::{PORT_SKIP, PORT_TRACE, SELF, SKIP, TRACE};
use tracing::info;

use crate::config::{Filter, RecordArgs, Settings, Verdict};
use crate::export::{self, Exporters};
use crate::kernel::{Probes, Selection, leave_uprobes};
use crate::metrics::ProbeRuns;
use crate::protocol::http_api::Api;
use crate::recording::Tap;
use crate::serve::Server;
use crate::stats::{Vitals, summary, unread};
use crate::trace::Clock;

use super::capture::{boot_now, both_clocks, capture};
use super::directory::Processes;
use super::outlets::Outlets;
use super::runtimes::Runtimes;
use super::{kept, page, record, rights, sampled, shown};

/// How long exporters may take to send what is left.
const FLUSH: Duration = Duration::from_secs(10);
/// How long the page's requests may take to end.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long the end waits for the kernel to remove uprobes, which takes a tenth of a second for each.
const DETACH: Duration = Duration::from_secs(5);

/// Traces until interrupted or the set time is over, then prints the balance. If `recording` is
/// told, what is seen goes to its file as well.
///
/// # Errors
/// Why it could not start, or what broke on the way.
pub async fn run(settings: Settings, recording: Option<RecordArgs>) -> Result<()> {
    rights::check()?;
    let listener = settings.page.as_ref().map(|page| page::listen(page, &settings.data.directory));
    let listener = listener.transpose()?.flatten();
    let store = kept::open(&settings.data)?.map(Arc::new);
    let (boot, unix) = both_clocks();
    let clock = Clock::new(unix, boot);
    let start = |args| record::start(args, &settings.pipeline(), &clock);
    let recorder = recording.as_ref().map(start).transpose()?;
    let mut processes = Processes::new(&settings);
    let selection = selection(&settings, &mut processes);
    let traced = selection.processes.values().filter(|&&verdict| verdict == TRACE).count();
    let probes = Probes::attach(&selection)?;
    let (runtimes, detached) = Runtimes::start(
        probes.uprobes()?,
        settings.uprobes,
        settings.uprobes && !settings.filter.judges_processes(),
        store.as_ref().map(|_| settings.data.directory.clone()),
    )?;
    let failures = runtimes.failures();
    let there: Vec<_> =
        processes.all(boot_now()).into_iter().filter(|(_, wanted)| *wanted).collect();
    processes.look_at_runtimes(runtimes.clone());
    // Who can look at the page needs no lines on standard output, too.
    let silent = listener.is_some() && !settings.exporters_named;
    let targets = if silent { &[] } else { &settings.exporters[..] };
    let exporters =
        Exporters::start(targets, &export::Settings::default()).map_err(anyhow::Error::from)?;
    let exporters = Arc::new(exporters);
    let gate = sampled::start(&settings, store.as_ref(), &exporters)?.map(Arc::new);
    let sampling = gate.as_ref().map(|gate| gate.observer());
    let vitals = Arc::new(Vitals::default());
    let show = |listener| -> Result<_> {
        let parts = shown::Parts {
            vitals: vitals.clone(),
            exporters: exporters.observer(),
            probes: ProbeRuns::new(probes.descriptors()?),
            store: store.clone(),
            gate: gate.clone(),
            store_sampled: settings.sampling.what.store(),
            chosen: settings.filter.judges_processes() || settings.filter.restricts_ports(),
        };
        shown::start(listener, parts)
    };
    let (server, feed) = listener.map(show).transpose()?.unzip();
    let outlets = Arc::new(Outlets {
        exporters,
        metrics: feed,
        store: store.clone(),
        gate,
        sampled: settings.sampling.what,
    });
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);

    let stop = Arc::new(AtomicBool::new(false));
    let (done, mut ended) = tokio::sync::oneshot::channel();
    let thread = {
        let (outlets, stop, settings) = (outlets.clone(), stop.clone(), settings.clone());
        std::thread::Builder::new().name("tracer-capture".into()).spawn(move || {
            let mut tap = Tap::new(settings.pipeline(), processes, clock, recorder);
            let balance = capture(probes, &mut tap, &outlets, &vitals, &stop);
            drop(outlets);
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
    eprintln!("{}", announcement(&settings, traced, targets, server.as_ref().map(Server::url)));
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
    let outlets = Arc::into_inner(outlets).context("outlets are still in use")?;
    let lost = failures.all().into_iter().chain(outlets.losses());
    balance.losses.extend(lost.filter(|(_, count)| *count > 0));
    let exporters = outlets.close();
    let exporters = Arc::into_inner(exporters).context("exporters are still in use")?;
    let exported = exporters.shutdown(FLUSH).await;
    if let Some(server) = server {
        server.shutdown(GOODBYE).await;
    }
    if let Some(sampling) = sampling {
        eprint!("{}", sampled::summary(&sampling.tally()));
    }
    if let Some(store) = &store {
        store.close();
        eprint!("{}", kept::summary(store, &settings.data));
        balance.losses.extend(store.stats().lost);
    }
    eprint!("{}", summary(&exported, &balance.losses));
    eprint!("{}", unread(&balance.unreadable));
    if let Some(args) = &recording {
        let recorded = recorded.with_context(|| format!("recording {}", args.file.display()))?;
        if let Some(totals) = recorded {
            eprint!("{}", record::summary(args, &totals, started.elapsed()));
        }
    }
    if !tokio::task::spawn_blocking(move || detached.within(DETACH)).await?
        && let Err(error) = leave_uprobes()
    {
        info!("all uprobes are removed before the end: {error}");
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
        backing: settings.backing.protocols & !Api::BITS,
        backing_servers: settings.backing.servers,
        log: settings.verbosity >= 2,
    }
}

fn ports(filter: &Filter) -> std::collections::BTreeMap<u16, u32> {
    let verdict = |verdict| if verdict == Verdict::Trace { PORT_TRACE } else { PORT_SKIP };
    filter.ports().into_iter().map(|(port, of)| (port, verdict(of))).collect()
}

/// The line that says that every probe is attached.
fn announcement(
    settings: &Settings,
    traced: usize,
    targets: &[export::Target],
    page: Option<&str>,
) -> String {
    let what = if settings.filter.judges_processes() {
        format!("{traced} processes that the filter chooses")
    } else {
        "every process of this host".to_owned()
    };
    let names: Vec<_> = targets.iter().map(export::Target::name).collect();
    let to = match (names.is_empty(), page) {
        (false, _) => format!("; spans go to {}", names.join(", ")),
        (true, Some(_)) => String::new(),
        (true, None) => "; spans go nowhere".to_owned(),
    };
    let page = page.map(|url| format!("; look at {url}")).unwrap_or_default();
    format!("tracing: {what}, by BTF tracepoints on socket operations{to}{page}")
}
