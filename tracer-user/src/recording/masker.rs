//! Takes what is private out of records before they are written.

use std::collections::{HashSet, VecDeque};

use tracer_common::record::{
    self, DATA_HELLO, DATA_SEND, DATA_TLS, DATA_UNREADABLE, PROCESS_EXIT, STATE_CLOSED,
    STATE_SEND_CLOSED, VERDICT_BACKING, VERDICT_HTTP, VERDICT_TLS,
};
use zerocopy::IntoBytes as _;

use super::masked::Masked;
use super::scrub::scrub;
use super::speech::{Bytes, Fresh, blank};
use crate::connection::{Bases, Chunk, Connections, Cookie, Info, Moment};
use crate::exchange::{Held, Waiting};
use crate::kernel::Event;
use crate::protocol::http1::Limits;
use crate::replay::Input;

/// Connections that are remembered after their end.
const MAX_CLOSING: usize = 1024;

/// Follows every connection as the pipeline does, as far as it takes to know what bytes mean.
pub(super) struct Masker {
    connections: Connections<Masked>,
    waiting: Waiting,
    new: Fresh,
    /// Connections that are gone but for what can still be read.
    closing: VecDeque<Cookie>,
    /// Processes that are not traced.
    skipped: HashSet<u32>,
}

impl Masker {
    /// Knows nothing yet; remembers at most `connections` connections, and some that are gone.
    pub(super) fn new(connections: usize, limits: Limits) -> Self {
        Self {
            connections: Connections::new(connections.saturating_add(MAX_CLOSING)),
            waiting: Waiting::default(),
            new: Fresh::new(limits),
            closing: VecDeque::new(),
            skipped: HashSet::new(),
        }
    }

    /// Masks the next input.
    pub(super) fn input(&mut self, input: &mut Input) {
        match input {
            Input::Record(bytes) => {
                if let Some(time) = self.record(bytes) {
                    *input = Input::Advance(time);
                }
            }
            Input::Process { pid, wanted: Some(false), .. } => {
                self.skipped.insert(*pid);
            }
            Input::Process { pid, .. } => {
                self.skipped.remove(pid);
            }
            Input::Advance(_)
            | Input::Lost { .. }
            | Input::Clock { .. }
            | Input::Existing { .. }
            | Input::Stop(_) => {}
        }
    }

    /// Masks a record. If all of it is told by a later one, when it was.
    fn record(&mut self, bytes: &mut Vec<u8>) -> Option<u64> {
        let Some(event) = Event::parse(bytes) else {
            // As malformed as before.
            bytes.clear();
            return None;
        };
        let header = *event.header();
        let (time, pid, tid) = (header.time, header.pid, header.tid);
        let at = Moment { time, pid, tid, ..Moment::default() };
        let cookie = Cookie(header.cookie);
        match event {
            Event::Data(record, head, tail) => {
                let masked = self.data(&record, head, tail, at);
                self.rest(cookie);
                let Some(record) = self.rewritten(record, &masked) else { return Some(time) };
                bytes.clear();
                bytes.extend_from_slice(record.as_bytes());
                bytes.extend(masked.head);
                bytes.extend(masked.tail);
            }
            Event::Connection(mut record) => {
                scrub(&mut record);
                bytes.clear();
                bytes.extend_from_slice(record.as_bytes());
                if matches!(record.verdict, VERDICT_HTTP | VERDICT_TLS | VERDICT_BACKING) {
                    self.connection(&record, cookie, at);
                }
            }
            Event::State(mut state) if matches!(state.state, STATE_CLOSED | STATE_SEND_CLOSED) => {
                // What TCP counts is not what TLS carries.
                if self.connections.get(cookie).is_some_and(|it| !it.bases.tls) {
                    self.pass(cookie, state.copied_seq.wrapping_sub(state.receive_base), at);
                }
                self.send_closed(cookie, at);
                state.copied_seq = state.copied_seq.wrapping_sub(self.withheld(cookie, false));
                bytes.clear();
                bytes.extend_from_slice(state.as_bytes());
                if state.state == STATE_CLOSED {
                    self.closed(cookie);
                }
            }
            Event::Process(process) if process.change == PROCESS_EXIT => self.exited(at),
            Event::State(_) | Event::Traffic(_) | Event::Process(_) | Event::Course(_) => {}
        }
        None
    }

    /// The record of an operation as its bytes are told: it has those that were withheld before, and not
    /// those that are withheld now. `None` if nothing is left of it.
    fn rewritten(&self, mut record: record::Data, masked: &Bytes) -> Option<record::Data> {
        let cookie = Cookie(record.header.cookie);
        let moved = record.len;
        record.len = moved.wrapping_add(masked.before as u32).wrapping_sub(masked.withheld as u32);
        if record.len == 0 && moved != 0 {
            return None;
        }
        record.write_seq = record.write_seq.wrapping_sub(self.withheld(cookie, true));
        record.copied_seq = record.copied_seq.wrapping_sub(self.withheld(cookie, false));
        (record.head_len, record.tail_len) = (masked.head.len() as u32, masked.tail.len() as u32);
        if record.head_len + record.tail_len != 0 {
            record.flags &= !DATA_UNREADABLE;
        }
        Some(record)
    }

    /// Bytes of a direction that no record has told. `sent`: of this side's own.
    fn withheld(&self, cookie: Cookie, sent: bool) -> u32 {
        let connection = self.connections.get(cookie);
        connection.map_or(0, |connection| connection.state.withheld(sent) as u32)
    }

    fn connection(&mut self, record: &record::Connection, cookie: Cookie, at: Moment) {
        if let (Some(info), Some(connection)) =
            (Info::of(record), self.connections.touch(cookie, at.pid))
        {
            connection.bases = Bases::of_connection(record);
            connection.info = Some(info);
            if record.verdict == VERDICT_BACKING {
                connection.state.blank_all();
            }
        }
        self.rest(cookie);
    }

    fn data(&mut self, record: &record::Data, head: &[u8], tail: &[u8], at: Moment) -> Bytes {
        let cookie = Cookie(record.header.cookie);
        let blank = || blank(head.len(), tail.len());
        if self.skipped.contains(&at.pid) {
            return blank();
        }
        let Some(connection) = self.connections.touch(cookie, at.pid) else { return blank() };
        if record.flags & DATA_HELLO != 0 {
            let sent = record.flags & DATA_SEND != 0;
            return Bytes { head: connection.state.hello(sent, head), ..blank() };
        }
        if record.flags & DATA_TLS != 0 && !connection.bases.tls {
            while connection.state.reorder.release(None, &mut self.waiting).is_some() {}
        }
        connection.rebase(record);
        let syn = connection.syn();
        let held = Held { record: *record, head: head.into(), tail: tail.into(), at };
        if record.flags & DATA_SEND != 0 {
            let end = record.write_seq.wrapping_sub(record.send_base);
            self.release(cookie, Some(end.wrapping_sub(record.len)));
            let masked = self.operation(&held);
            self.release(cookie, Some(end));
            return masked;
        }
        let unix = connection.bases.unix;
        let midstream = connection.info.as_ref().is_none_or(|info| info.midstream && !unix);
        let fresh = connection.is_fresh();
        let state = &mut connection.state;
        if !state.reorder.overtakes(record, &connection.sent, midstream, syn as u32) {
            return self.operation(&held);
        }
        if !state.reorder.has_room(head.len() + tail.len(), &self.waiting) {
            self.release(cookie, None);
            return self.operation(&held);
        }
        let masked = if record.len == 0 {
            blank()
        } else {
            let info = connection.info.as_ref();
            state.guess(info, connection.received, fresh, &held, &self.new)
        };
        state.reorder.hold(held, &mut self.waiting);
        masked
    }

    /// Lets receives have their turn, as the exchange stage does. They have been masked already.
    fn release(&mut self, cookie: Cookie, until: Option<u32>) {
        while let Some(connection) = self.connections.get_mut(cookie)
            && let Some(held) = connection.state.reorder.release(until, &mut self.waiting)
        {
            self.operation(&held);
            if let Some(connection) = self.connections.get_mut(cookie) {
                connection.state.settle();
            }
        }
    }

    fn operation(&mut self, held: &Held) -> Bytes {
        let Held { record, head, tail, at } = held;
        let sent = record.flags & DATA_SEND != 0;
        let cookie = Cookie(record.header.cookie);
        let Some(connection) = self.connections.get_mut(cookie) else { return Bytes::default() };
        let stands = record.copied_seq.wrapping_sub(record.receive_base);
        if sent || record.len == 0 {
            if !sent {
                connection.received.end_read();
            }
            self.pass(cookie, stands, *at);
        }
        let Some(connection) = self.connections.get_mut(cookie) else { return Bytes::default() };
        let fresh = connection.is_fresh();
        let position = if sent {
            let end = record.write_seq.wrapping_sub(record.send_base);
            connection.sent.start(end, record.len)
        } else {
            let left = connection.state.body_left();
            connection.received.start_received(stands, record.len, fresh, left)
        };
        let syn = connection.syn();
        let info = connection.info.as_ref();
        if record.len == 0 && !sent {
            connection.state.close(false, *at);
            return Bytes::default();
        }
        let chunk = Chunk { at: *at, position, len: record.len.into(), head, tail };
        connection.state.operation(info, syn, sent, &chunk, &self.new)
    }

    /// A record tells how far this side had received, as in the exchange stage.
    fn pass(&mut self, cookie: Cookie, stands: u32, at: Moment) {
        let Some(connection) = self.connections.get_mut(cookie) else { return };
        let received = &connection.received;
        let until = received.stands(stands, connection.is_fresh());
        let until = until.filter(|until| received.seen().is_none_or(|seen| seen < *until));
        if let Some(passed) = until.and_then(|until| connection.state.pass(until, at)) {
            connection.received.pass(passed);
        }
    }

    fn send_closed(&mut self, cookie: Cookie, at: Moment) {
        let Some(connection) = self.connections.get_mut(cookie) else { return };
        let orphaned = connection.orphaned;
        let moved = connection.is_fresh() || connection.sent.seen().is_some();
        if moved && !connection.bases.tls {
            connection.sent.close(connection.syn());
        }
        self.release(cookie, None);
        if let Some(connection) = self.connections.get_mut(cookie) {
            connection.state.close(true, at);
            if orphaned {
                connection.state.close(false, at);
            }
        }
        self.rest(cookie);
    }

    /// What was received can still be read, so it is remembered for a while.
    fn closed(&mut self, cookie: Cookie) {
        if self.connections.get_mut(cookie).is_some() {
            self.closing.push_back(cookie);
        }
        while self.closing.len() > MAX_CLOSING {
            self.closing.pop_front().and_then(|cookie| self.connections.remove(cookie));
        }
    }

    /// A process has ended; unix sockets on which something is under way begin anew.
    fn exited(&mut self, at: Moment) {
        for cookie in self.connections.of_process(at.pid) {
            let Some(connection) = self.connections.get_mut(cookie) else { continue };
            connection.orphaned = true;
            if connection.bases.unix && !connection.state.is_over() {
                self.release(cookie, None);
                if let Some(connection) = self.connections.get_mut(cookie) {
                    connection.state.abandon();
                }
                self.rest(cookie);
            }
        }
        self.skipped.remove(&at.pid);
    }

    /// Lets a connection on which nothing is under way be forgotten, should room be needed.
    fn rest(&mut self, cookie: Cookie) {
        if self.connections.get_mut(cookie).is_some_and(|connection| connection.state.is_idle()) {
            self.connections.rest(cookie);
        }
    }
}
