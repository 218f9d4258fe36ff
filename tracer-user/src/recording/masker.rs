//! Takes what is private out of records before they are written.

use std::collections::{HashSet, VecDeque};

use tracer_common::record::{
    self, DATA_SEND, PROCESS_EXIT, STATE_CLOSED, STATE_SEND_CLOSED, VERDICT_HTTP,
};
use zerocopy::IntoBytes as _;

use super::masked::{Bytes, Masked};
use super::scrub::scrub;
use crate::connection::{Bases, Chunk, Connections, Cookie, Info, Moment};
use crate::exchange::{Held, Waiting};
use crate::kernel::Event;
use crate::protocol::http1::{Limits, Masking};
use crate::protocol::redact::Pseudonym;
use crate::replay::Input;

/// Connections that are remembered after their end.
const MAX_CLOSING: usize = 1024;

/// Follows every connection as the pipeline does, as far as it takes to know what bytes mean.
pub(super) struct Masker {
    connections: Connections<Masked>,
    waiting: Waiting,
    /// What each connection begins with: one for all, so that all tell the same ids alike.
    new: Masking,
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
            new: Masking::new(limits, &Pseudonym::default()),
            closing: VecDeque::new(),
            skipped: HashSet::new(),
        }
    }

    /// Masks the next input.
    pub(super) fn input(&mut self, input: &mut Input) {
        match input {
            Input::Record(bytes) => self.record(bytes),
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

    fn record(&mut self, bytes: &mut Vec<u8>) {
        let Some(event) = Event::parse(bytes) else {
            // As malformed as before.
            return bytes.clear();
        };
        let header = *event.header();
        let (time, pid, tid) = (header.time, header.pid, header.tid);
        let at = Moment { time, pid, tid, ..Moment::default() };
        let cookie = Cookie(header.cookie);
        match event {
            Event::Data(record, head, tail) => {
                let (head, tail) = self.data(&record, head, tail, at);
                self.rest(cookie);
                bytes.truncate(size_of::<record::Data>());
                bytes.extend(head);
                bytes.extend(tail);
            }
            Event::Connection(mut record) => {
                scrub(&mut record);
                bytes.clear();
                bytes.extend_from_slice(record.as_bytes());
                if record.verdict == VERDICT_HTTP {
                    self.connection(&record, cookie, at);
                }
            }
            Event::State(state) if matches!(state.state, STATE_CLOSED | STATE_SEND_CLOSED) => {
                self.pass(cookie, state.copied_seq.wrapping_sub(state.receive_base), at);
                self.send_closed(cookie, at);
                if state.state == STATE_CLOSED {
                    self.closed(cookie);
                }
            }
            Event::Process(process) if process.change == PROCESS_EXIT => self.exited(at),
            Event::State(_) | Event::Process(_) | Event::Course(_) => {}
        }
    }

    fn connection(&mut self, record: &record::Connection, cookie: Cookie, at: Moment) {
        if let (Some(info), Some(connection)) =
            (Info::of(record), self.connections.touch(cookie, at.pid))
        {
            connection.bases = Bases::of_connection(record);
            connection.info = Some(info);
        }
        self.rest(cookie);
    }

    fn data(&mut self, record: &record::Data, head: &[u8], tail: &[u8], at: Moment) -> Bytes {
        let cookie = Cookie(record.header.cookie);
        let blank = || (vec![b'x'; head.len()], vec![b'x'; tail.len()]);
        if self.skipped.contains(&at.pid) {
            return blank();
        }
        let Some(connection) = self.connections.touch(cookie, at.pid) else { return blank() };
        connection.bases = Bases::of_data(record);
        let held = Held { record: *record, head: head.into(), tail: tail.into(), at };
        if record.flags & DATA_SEND != 0 {
            let end = record.write_seq.wrapping_sub(record.send_base);
            self.release(cookie, Some(end.wrapping_sub(record.len)));
            let masked = self.operation(&held);
            self.release(cookie, Some(end));
            return masked;
        }
        let (midstream, opener) = match &connection.info {
            Some(info) => (info.midstream && !connection.bases.unix, info.opener == Some(true)),
            None => (true, false),
        };
        let fresh = connection.is_fresh();
        let state = &mut connection.state;
        if !state.reorder.overtakes(record, &connection.sent, midstream, opener.into()) {
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
        let Some(connection) = self.connections.get_mut(cookie) else { return (vec![], vec![]) };
        let stands = record.copied_seq.wrapping_sub(record.receive_base);
        if sent || record.len == 0 {
            if !sent {
                connection.received.end_read();
            }
            self.pass(cookie, stands, *at);
        }
        let Some(connection) = self.connections.get_mut(cookie) else { return (vec![], vec![]) };
        let fresh = connection.is_fresh();
        let position = if sent {
            let end = record.write_seq.wrapping_sub(record.send_base);
            connection.sent.start(end, record.len)
        } else {
            let left = connection.state.body_left();
            connection.received.start_received(stands, record.len, fresh, left)
        };
        let info = connection.info.as_ref();
        if record.len == 0 && !sent {
            connection.state.close(false, *at);
            return (vec![], vec![]);
        }
        let chunk = Chunk { at: *at, position, len: record.len.into(), head, tail };
        connection.state.operation(info, sent, &chunk, &self.new)
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
        if connection.is_fresh() || connection.sent.seen().is_some() {
            let info = connection.info.as_ref();
            let syn = info.is_some_and(|info| info.opener == Some(true));
            connection.sent.close(syn.into());
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
