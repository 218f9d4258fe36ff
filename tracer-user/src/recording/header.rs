//! What a replay has to know beside the inputs.

use serde::{Deserialize, Serialize};

use crate::causality::Kinds;
use crate::pipeline::Settings;
use crate::protocol::{backing, http1};
use crate::trace::{Clock, LeaveOut};

/// The first frame of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the tracer that wrote it.
    pub tracer: String,
    /// Release of the kernel that it ran on, as `uname -r` tells it.
    pub kernel: String,
    /// [`tracer_common::record::VERSION`].
    pub records: u32,
    /// Whether there are secrets in it.
    pub secrets: Secrets,
    /// Nanoseconds since the Unix epoch at boot time 0.
    unix_at_boot: u64,
    settings: Stored,
}

/// What was done about secrets and bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secrets {
    /// They were masked.
    Masked,
    /// Every byte is as it was.
    Kept,
}

/// [`Settings`], those that change what comes out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stored {
    connections: usize,
    open_exchanges: usize,
    max_head: usize,
    max_headers: usize,
    max_target: usize,
    max_pending: usize,
    settle: u64,
    max_hold: u64,
    min_confidence: f64,
    #[serde(default)]
    without_evidence: Kinds,
    #[serde(default)]
    skip_instrumented: bool,
    #[serde(default)]
    respect_sampled: bool,
    ports_left_out: bool,
    #[serde(default)]
    backing: Backing,
}

/// What was told of backing services.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Backing {
    protocols: u32,
    servers: bool,
    text: backing::Text,
    #[serde(default)]
    lookups: bool,
}

impl Default for Backing {
    fn default() -> Self {
        Self::of(backing::Settings::default())
    }
}

impl Backing {
    fn of(settings: backing::Settings) -> Self {
        let backing::Settings { protocols, servers, text, lookups, .. } = settings;
        Self { protocols, servers, text, lookups }
    }
}

impl Header {
    /// Of a recording that begins now.
    #[must_use]
    pub fn new(settings: &Settings, clock: &Clock, kernel: String, secrets: Secrets) -> Self {
        let http1::Limits { max_head, max_headers, max_target, max_pending } = settings.http1;
        Self {
            tracer: env!("CARGO_PKG_VERSION").to_owned(),
            kernel,
            records: tracer_common::record::VERSION,
            secrets,
            unix_at_boot: clock.unix(0),
            settings: Stored {
                connections: settings.connections,
                open_exchanges: settings.open_exchanges,
                max_head,
                max_headers,
                max_target,
                max_pending,
                settle: settings.settle,
                max_hold: settings.max_hold,
                min_confidence: settings.min_confidence,
                without_evidence: settings.without,
                skip_instrumented: settings.leave_out.instrumented,
                respect_sampled: settings.leave_out.unsampled,
                ports_left_out: settings.ports_left_out,
                backing: Backing::of(settings.backing),
            },
        }
    }

    /// The clocks of the run.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock::new(self.unix_at_boot, 0)
    }

    /// The settings of the run. What bounds memory is itself bounded, whatever the file says.
    #[must_use]
    pub fn settings(&self) -> Settings {
        const MOST: usize = 1 << 24;
        let of = &self.settings;
        Settings {
            connections: of.connections.min(MOST),
            open_exchanges: of.open_exchanges.min(MOST),
            http1: http1::Limits {
                max_head: of.max_head.min(1 << 20),
                max_headers: of.max_headers.min(1 << 16),
                max_target: of.max_target.min(1 << 20),
                max_pending: of.max_pending.min(1 << 16),
            },
            settle: of.settle,
            max_hold: of.max_hold.max(of.settle),
            min_confidence: of.min_confidence,
            without: of.without_evidence,
            leave_out: LeaveOut {
                instrumented: of.skip_instrumented,
                unsampled: of.respect_sampled,
            },
            ports_left_out: of.ports_left_out,
            backing: backing::Settings {
                protocols: of.backing.protocols,
                servers: of.backing.servers,
                text: of.backing.text,
                lookups: of.backing.lookups,
                ..backing::Settings::default()
            },
        }
    }
}
