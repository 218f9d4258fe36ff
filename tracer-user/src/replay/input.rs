//! Everything that can happen to the pipeline, as values: what a recording holds, and what a packet
//! capture is turned into.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;

use crate::pipeline::{Ends, Settings};
use crate::trace::{Clock, Resource};

/// One step of a run, in the order in which the pipeline took it.
#[derive(Clone, Debug)]
pub enum Input {
    /// A record of the ring buffer ([`tracer_common::record`]), with what follows it.
    Record(Vec<u8>),
    /// Time passed up to this boot time, in nanoseconds, without a record.
    Advance(u64),
    /// The ring buffer was full: records of whatever process are missing between these boot times.
    Lost {
        /// When nothing was missing yet.
        since: u64,
        /// When it was noticed.
        until: u64,
    },
    /// Both clocks read at the same instant, see [`crate::pipeline::Pipeline::clock`]; only worth
    /// writing down where the wall clock was set.
    Clock {
        /// When they were read before, by the boot clock.
        since: u64,
        /// `CLOCK_BOOTTIME` in nanoseconds.
        boot: u64,
        /// Nanoseconds since the Unix epoch.
        unix: u64,
    },
    /// Incoming connections that were there before the tracer, see [`crate::pipeline::Pipeline::existing`].
    Existing {
        /// Each with the process that holds it.
        connections: Vec<(Ends, u32)>,
        /// Whether this is the first list.
        first: bool,
    },
    /// From now on the process is known as this, until it is told anew.
    Process {
        /// Its number.
        pid: u32,
        /// Who it is.
        resource: Arc<Resource>,
        /// Whether it is traced; `None` where no process was ever left out.
        wanted: Option<bool>,
    },
    /// The run was stopped at this boot time.
    Stop(u64),
}

/// Where inputs come from: a recording, or a packet capture.
pub trait Source {
    /// From boot clock to time of day.
    fn clock(&self) -> Clock;

    /// The settings of the run that it is from, which a replay has to have to come to the same, and has
    /// unless others are asked for; `None` if it is from no run.
    fn settings(&self) -> Option<Settings> {
        None
    }

    /// The next input; `None` at the end.
    ///
    /// # Errors
    /// What is wrong with the file, and where.
    fn next(&mut self) -> Result<Option<Input>>;

    /// What is missing from the inputs so far.
    fn left_out(&self) -> LeftOut {
        LeftOut::default()
    }

    /// Whether services are known by their addresses alone, so that spans name those rather than
    /// what clients call the server.
    fn knows_addresses_only(&self) -> bool {
        false
    }
}

/// What a source did not make inputs of, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// What may have been part of a span.
    pub losses: BTreeMap<&'static str, u64>,
    /// What was not.
    pub passed_over: BTreeMap<&'static str, u64>,
}
