//! Ring records of any content through the whole pipeline: every span is in order, no more leave
//! than can have been, and when all processes have ended, nothing is remembered.
//!
//! An input is a row of steps: a byte for what happens, one for who does it (bits 0-1 process, 2-3
//! thread, 4-6 connection), one for the time that passes before, and what the step needs.

use std::sync::Arc;

use tracer_common::record::{
    self, DATA_HELLO, Header, KIND_CONNECTION, KIND_DATA, KIND_PROCESS, KIND_STATE, PROCESS_EXIT,
    STATE_CLOSED, VERDICT_TLS,
};
use tracer_user::pipeline::{Directory, Pipeline, Settings};
use tracer_user::protocol::backing;
use tracer_user::protocol::http1::Limits;
use tracer_user::trace::{Clock, LeaveOut, Resource};
use zerocopy::{FromZeros as _, IntoBytes as _};

use crate::input::Input;

const SECOND: u64 = 1_000_000_000;
const PROCESSES: u32 = 4;
const CONNECTIONS: u64 = 8;

pub(crate) struct Nobody;

impl Directory for Nobody {
    fn resource(&mut self, pid: u32, _: u64) -> Arc<Resource> {
        Arc::new(Resource { service: format!("pid-{pid}").into(), attributes: vec![] })
    }
    fn meet(&mut self, _: u32, _: &str, _: u64) {}
    fn takes_over(&mut self, _: u32, _: u32) {}
    fn speaks_tls(&mut self, _: u32) {}
    fn serves(&mut self, _: u32, _: u16) {}
    fn exec(&mut self, _: u32, _: &str) {}
    fn exit(&mut self, _: u32, _: u64) {}
    fn wanted(&mut self, _: u32, _: u64) -> Option<bool> {
        None
    }
}

/// Limits that are reached.
pub(crate) fn settings() -> Settings {
    Settings {
        connections: 6,
        open_exchanges: 5,
        http1: Limits { max_head: 200, max_headers: 5, max_target: 64, max_pending: 3 },
        backing: backing::Settings { servers: true, ..backing::Settings::default() },
        settle: SECOND,
        max_hold: 5 * SECOND,
        min_confidence: 0.5,
        without: tracer_user::causality::Kinds::default(),
        leave_out: LeaveOut::default(),
        ports_left_out: false,
    }
}

/// Plays the input, ends everything, and looks at what is left.
pub fn records(data: &[u8]) {
    let mut pipeline = Pipeline::new(settings(), Nobody, Clock::new(0, 0));
    let mut player = Player { now: 1000 * SECOND, sequences: Default::default() };
    let (mut input, mut operations) = (Input(data), 0);
    while !input.is_empty() {
        operations += data.len();
        player.step(&mut input, &mut pipeline);
    }
    for cookie in 1..=CONNECTIONS {
        player.closed(cookie, &mut pipeline);
    }
    for pid in 1..=PROCESSES {
        player.exit(pid, &mut pipeline);
    }
    pipeline.advance(player.now + 300 * SECOND);
    let spans = pipeline.take_spans();
    assert_eq!(pipeline.remembered(), 0, "after all has ended");
    assert!(spans.len() <= operations, "{} spans", spans.len());
    for span in spans {
        assert!(span.start <= span.end, "{span:?}");
        assert!(span.parent != Some(span.span_id), "its own parent: {span:?}");
    }
}

/// Writes records that a kernel could write, for the most part.
struct Player {
    now: u64,
    /// Of each connection, bytes sent and received.
    sequences: [[u32; 2]; CONNECTIONS as usize],
}

impl Player {
    fn step(&mut self, input: &mut Input<'_>, pipeline: &mut Pipeline<Nobody>) {
        let (what, who) = (input.byte(), u32::from(input.byte()));
        // From nanoseconds to minutes.
        self.now += 1 << (input.byte() % 36);
        let (pid, tid) = (1 + who % PROCESSES, 1 + who % 16);
        let cookie = 1 + u64::from(who >> 4) % CONNECTIONS;
        let header = |kind| Header { kind, pid, tid, cpu: 0, time: self.now, cookie };
        match what % 16 {
            0..8 => self.data(header(KIND_DATA), what, input, pipeline),
            8 => {
                let mut record = record::Connection::new_zeroed();
                record.header = header(KIND_CONNECTION);
                let flags = input.byte();
                // The one that has no bits here carries TLS.
                record.verdict = match u32::from(flags & 3) {
                    0 => VERDICT_TLS,
                    verdict => verdict,
                };
                record.flags = u32::from(flags >> 2 & 7);
                record.family = if flags & 32 == 0 { 2 } else { 10 };
                record.local_port = u16::from(flags >> 6);
                pipeline.record(record.as_bytes());
            }
            9 => {
                let mut record = record::State::new_zeroed();
                record.header = header(KIND_STATE);
                record.state = 1 + u32::from(input.byte()) % 4;
                pipeline.record(record.as_bytes());
            }
            10 => {
                let mut record = record::Process::new_zeroed();
                record.header = Header { cookie: 0, ..header(KIND_PROCESS) };
                record.change = 1 + u32::from(input.byte()) % 2;
                pipeline.record(record.as_bytes());
            }
            11 => {
                // Of any kind and content, but not of a time or a process that never ends.
                let mut bytes = input.bytes().to_vec();
                let mut own = header(u32::from(what >> 4)).as_bytes().to_vec();
                own.truncate(bytes.len());
                bytes[..own.len()].copy_from_slice(&own);
                pipeline.record(&bytes);
            }
            14 => {
                let mut record = record::Data::new_zeroed();
                record.header = header(KIND_DATA);
                record.flags = DATA_HELLO | u32::from(what >> 4 & 1);
                let bytes = input.bytes();
                (record.len, record.head_len) = (bytes.len() as u32, bytes.len() as u32);
                pipeline.record(&[record.as_bytes(), bytes].concat());
            }
            12 => pipeline.lost_records(self.now - SECOND / 4, self.now),
            13 => {
                pipeline.clock(self.now, self.now, u64::from(input.byte()) * SECOND);
            }
            _ => {
                pipeline.advance(self.now);
            }
        }
    }

    /// `what`: bit 0 a send, bit 1 unreadable, bit 2 with bytes lost before it or hidden in it.
    fn data(
        &mut self,
        header: Header,
        what: u8,
        input: &mut Input<'_>,
        pipeline: &mut Pipeline<Nobody>,
    ) {
        let mut record = record::Data::new_zeroed();
        record.header = header;
        record.flags = u32::from(what & 3);
        let bytes = input.bytes();
        let (lost, hidden) =
            if what & 4 == 0 { (0, 0) } else { (input.byte().into(), u32::from(input.byte())) };
        record.len = bytes.len() as u32 + hidden;
        let copied = if what & 2 == 0 { bytes } else { &[] };
        record.head_len = copied.len() as u32;
        let sequences = &mut self.sequences[header.cookie as usize - 1];
        let sequence = &mut sequences[usize::from(what & 1 == 0)];
        *sequence = sequence.wrapping_add(record.len).wrapping_add(lost);
        [record.write_seq, record.copied_seq] = *sequences;
        pipeline.record(&[record.as_bytes(), copied].concat());
    }

    fn closed(&mut self, cookie: u64, pipeline: &mut Pipeline<Nobody>) {
        self.now += 1;
        let mut record = record::State::new_zeroed();
        record.header = Header { kind: KIND_STATE, pid: 1, tid: 1, cpu: 0, time: self.now, cookie };
        record.state = STATE_CLOSED;
        pipeline.record(record.as_bytes());
    }

    fn exit(&mut self, pid: u32, pipeline: &mut Pipeline<Nobody>) {
        self.now += 1;
        let mut record = record::Process::new_zeroed();
        let header =
            Header { kind: KIND_PROCESS, pid, tid: pid, cpu: 0, time: self.now, cookie: 0 };
        (record.header, record.change) = (header, PROCESS_EXIT);
        pipeline.record(record.as_bytes());
    }
}
