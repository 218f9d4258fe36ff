//! A capture as input of the pipeline.

use std::collections::VecDeque;
use std::io::Read;
use std::num::NonZeroUsize;

use anyhow::{Context as _, Result};

use crate::replay::{Input, LeftOut, Source};
use crate::trace::Clock;

use super::conversation::Context;
use super::counts::{Count, Counts};
use super::datagrams::Datagrams;
use super::file::Packets;
use super::fragments::Fragments;
use super::segment::Payload;
use super::servers::Servers;
use super::table::Table;
use super::timeline::Timeline;
use super::{link, network};

/// A packet capture that is being read.
pub struct Capture {
    packets: Packets,
    state: State,
    over: bool,
}

/// All but the file.
struct State {
    timeline: Timeline,
    fragments: Fragments,
    table: Table,
    datagrams: Datagrams,
    servers: Servers,
    counts: Counts,
    out: VecDeque<Input>,
}

impl Capture {
    /// Reads a capture from its first byte on, following at most `connections` connections at once.
    ///
    /// # Errors
    /// Why it is none.
    pub fn new(reader: impl Read + Send + 'static, connections: NonZeroUsize) -> Result<Self> {
        Ok(Self {
            packets: Packets::new(reader)?,
            state: State {
                timeline: Timeline::default(),
                fragments: Fragments::new(),
                table: Table::new(connections),
                datagrams: Datagrams::new(connections),
                servers: Servers::new(),
                counts: Counts::default(),
                out: VecDeque::new(),
            },
            over: false,
        })
    }
}

impl Source for Capture {
    /// Captures tell the time of day.
    fn clock(&self) -> Clock {
        Clock::new(0, 0)
    }

    fn next(&mut self) -> Result<Option<Input>> {
        loop {
            if let Some(input) = self.state.out.pop_front() {
                return Ok(Some(input));
            }
            if self.over {
                return Ok(None);
            }
            let state = &mut self.state;
            let found = self.packets.next(|packet| {
                let time = packet.time.unwrap_or_else(|| state.timeline.last());
                state.packet(packet.link, packet.bytes, time);
            });
            if found.context("the capture")?.is_none() {
                self.over = true;
                state.end();
            }
        }
    }

    fn left_out(&self) -> LeftOut {
        let mut left_out = LeftOut::default();
        for counts in [self.packets.counts(), &self.state.counts] {
            left_out.losses.append(&mut counts.told(true));
            left_out.passed_over.append(&mut counts.told(false));
        }
        left_out
    }

    fn knows_addresses_only(&self) -> bool {
        true
    }
}

impl State {
    fn packet(&mut self, link: i32, bytes: &[u8], said: u64) {
        let (time, clamped) = self.timeline.place(said);
        self.counts.add_many(Count::Time, clamped.into());
        let packet = match link::slice(link, bytes) {
            Ok(packet) => packet,
            Err(why) => return self.counts.add(why),
        };
        let Self { table, datagrams, servers, out, fragments, counts, .. } = self;
        network::payload(&packet, time, fragments, counts, |payload, counts| {
            let context = &mut Context { servers, counts, out };
            match payload {
                Payload::Segment(segment) => table.segment(&segment, time, context),
                Payload::Datagram(datagram) => datagrams.take(&datagram, time, context),
            }
        });
    }

    fn end(&mut self) {
        let Self { table, servers, out, fragments, counts, timeline, .. } = self;
        fragments.end(counts);
        table.end(&mut Context { servers, counts, out });
        out.push_back(Input::Stop(timeline.last()));
    }
}
