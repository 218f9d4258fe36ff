//! Which of the pipeline's settings were asked for. A replay has to know: what was not comes from the
//! recording.

use std::time::Duration;

use super::args::RunArgs;
use super::backing;
use super::bounds::nanoseconds;
use super::file::File;
use super::groups::WhenInstrumented;
use crate::causality::Kinds;
use crate::pipeline;

/// What a flag, or else the file, says; each is the flag of the same name.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) min_confidence: Option<f64>,
    pub(super) without: Option<Kinds>,
    pub(super) settle: Option<Duration>,
    pub(super) max_hold: Option<Duration>,
    pub(super) when_instrumented: Option<WhenInstrumented>,
    pub(super) respect_sampled: Option<bool>,
    pub(super) max_connections: Option<u32>,
    pub(super) max_open_exchanges: Option<u32>,
    pub(super) max_head: Option<u32>,
    pub(super) max_headers: Option<u16>,
    pub(super) backing: backing::Given,
}

impl Given {
    pub(super) fn new(args: &RunArgs, file: &File) -> Self {
        let (stitch, limits) = (&args.stitch, &args.limits);
        Self {
            min_confidence: stitch.min_confidence.or(file.min_confidence),
            without: kinds(&stitch.without_evidence).or(file.without_evidence),
            settle: stitch.settle.or(file.settle),
            max_hold: stitch.max_hold.or(file.max_hold),
            when_instrumented: stitch.when_instrumented.or(file.when_instrumented),
            respect_sampled: stitch.respect_sampled.or(file.respect_sampled),
            max_connections: limits.max_connections.or(file.max_connections),
            max_open_exchanges: limits.max_open_exchanges.or(file.max_open_exchanges),
            max_head: limits.max_head.or(file.max_head),
            max_headers: limits.max_headers.or(file.max_headers),
            backing: backing::Given::new(&args.backing, file),
        }
    }

    /// `settings` with all that was asked for. Where a wait that was asked for does not fit to one
    /// that was not, the latter gives way.
    pub(super) fn over(&self, mut settings: pipeline::Settings) -> pipeline::Settings {
        set(&mut settings.min_confidence, self.min_confidence);
        set(&mut settings.without, self.without);
        set(&mut settings.settle, self.settle.map(nanoseconds));
        set(&mut settings.max_hold, self.max_hold.map(nanoseconds));
        let skip = self.when_instrumented.map(|what| what == WhenInstrumented::Skip);
        set(&mut settings.leave_out.instrumented, skip);
        set(&mut settings.leave_out.unsampled, self.respect_sampled);
        set(&mut settings.connections, self.max_connections.map(|most| most as usize));
        set(&mut settings.open_exchanges, self.max_open_exchanges.map(|most| most as usize));
        set(&mut settings.http1.max_head, self.max_head.map(|most| most as usize));
        set(&mut settings.http1.max_headers, self.max_headers.map(usize::from));
        settings.backing = self.backing.over(settings.backing);
        if self.max_hold.is_some() && self.settle.is_none() {
            settings.settle = settings.settle.min(settings.max_hold);
        } else {
            settings.max_hold = settings.max_hold.max(settings.settle);
        }
        settings
    }
}

/// `None` for none; the names have been checked.
fn kinds(names: &[String]) -> Option<Kinds> {
    names.iter().fold(None, |kinds, name| kinds.unwrap_or_default().and(name))
}

fn set<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}
