//! What the request direction's steps mean for the connection.

use super::engine::{Engine, Sink, begins};
use super::event::{Abandon, Direction, Event, Fault, Leave};
use super::framing::Lengths;
use super::head::RequestHead;
use super::queue::Pending;
use super::reader::Step;
use super::window::Window;
use crate::connection::Moment;
use crate::protocol::websocket::is_upgrade;
use tracer_common::head::{Start, look_at};

impl Engine {
    /// Before an operation is read: does it contradict what was thought of the one before?
    pub(super) fn review_requests(&mut self, window: &Window<'_>, sink: Sink<'_>) {
        if window.is_missing() {
            return;
        }
        if let Some(size) = self.requests.doubt() {
            let partial = look_at(window.known()) == Start::Partial && window.at_start();
            if !partial && !begins::<RequestHead>(window) {
                sink(Event::Fault(Fault::ChunkedEndMistaken));
                self.requests.resume(size);
            }
        } else if self.queue.is_empty() && begins::<RequestHead>(window) {
            // All is answered, and a request begins: the body that is still open has ended (tail
            // mode), or was never sent because the answer came instead of `100 Continue`.
            let unsent = self.expecting && self.requests.awaits_body();
            if (self.requests.in_tail() || unsent)
                && let Some((step, at)) = self.requests.cut()
            {
                if !unsent {
                    sink(Event::Fault(Fault::ChunkedEndMissed));
                }
                self.on_request_over(step, at, sink);
            }
        }
    }

    /// What the reader found.
    pub(super) fn on_request(
        &mut self,
        step: Step<RequestHead>,
        window: &mut Window<'_>,
        at: Moment,
        sink: Sink<'_>,
    ) {
        match step {
            Step::Started { at: first, position } => {
                self.on_started(first, position, window, at, sink);
            }
            Step::Head { head, lengths, .. } => {
                self.on_request_head(head, &lengths, window, at, sink)
            }
            Step::Broken { fault, open, synced, head } => {
                sink(Event::Fault(fault));
                self.hole = true;
                if let Some(body) = open {
                    // A whole request line is no guess any more.
                    let guessed = !synced && head.is_none();
                    if let Some((head, _)) = head {
                        self.note_method(&head);
                        sink(Event::RequestHead(head, at));
                    }
                    sink(Event::RequestEnded { at, body, complete: false, fault: Some(fault) });
                    if guessed {
                        self.disown(at, sink);
                    }
                }
            }
            step => self.on_request_over(step, at, sink),
        }
    }

    /// The steps that need no window.
    pub(super) fn on_request_over(&mut self, step: Step<RequestHead>, at: Moment, sink: Sink<'_>) {
        match step {
            Step::Ended { body, complete, fault } => {
                sink(Event::RequestEnded { at, body, complete, fault });
            }
            Step::Extended { body } => {
                sink(Event::Extended { direction: Direction::Request, at, body });
            }
            Step::Fault(fault) => sink(Event::Fault(fault)),
            Step::Started { .. } | Step::Head { .. } | Step::Broken { .. } => {}
        }
    }

    fn on_started(
        &mut self,
        first: Moment,
        position: u64,
        window: &mut Window<'_>,
        at: Moment,
        sink: Sink<'_>,
    ) {
        let mut pending = Pending::default();
        if self.lost {
            // A client that does not pipeline has had the responses to all before this one, among
            // the bytes that were lost. One that does may still get any number of them.
            pending.doomed = self.queue.pipelined;
            self.abandon_all(Abandon::Loss, at, sink);
        }
        if self.hole {
            // With nothing open in either direction the requests that were not seen have been
            // answered too, unless the client pipelines.
            self.hole = !(self.queue.is_empty() && self.responses.is_at_rest());
            pending.doomed |= self.hole;
        }
        if self.queue.len() >= self.limits.max_pending {
            // It was not told to have started, so it must not be told to have ended.
            self.requests.refuse(window);
            sink(Event::Fault(Fault::TooManyPending));
            self.leave(Leave::TooDeep, at, sink);
            return;
        }
        self.expecting = false;
        self.queue.push(pending);
        sink(Event::RequestStarted { at: first, position });
    }

    /// The newest only looked like a request, so it gets no response; if one is under way to it,
    /// then that goes on.
    fn disown(&mut self, at: Moment, sink: Sink<'_>) {
        if self.queue.len() == 1 {
            if self.responses.in_body() {
                return;
            }
            self.abandon_all(Abandon::Loss, at, sink);
        } else if let Some(pending) = self.queue.back() {
            pending.doomed = true;
        }
    }

    /// Notes what the method means for the response; whether it is CONNECT. An early response may
    /// have taken the request out of the queue, then its method matters no more.
    fn note_method(&mut self, head: &RequestHead) -> bool {
        let connect = head.method.as_str() == "CONNECT";
        if let Some(pending) = self.queue.back() {
            pending.head = head.method.as_str() == "HEAD";
            pending.connect = connect;
            pending.websocket = is_upgrade(head);
        }
        connect
    }

    fn on_request_head(
        &mut self,
        head: Box<RequestHead>,
        lengths: &Lengths,
        window: &mut Window<'_>,
        at: Moment,
        sink: Sink<'_>,
    ) {
        let connect = self.note_method(&head);
        self.expecting = head.expect_continue;
        sink(Event::RequestHead(head, at));
        let ended = |fault: Option<Fault>| {
            let complete = fault.is_none();
            Event::RequestEnded { at, body: 0, complete, fault }
        };
        if connect {
            // RFC 9110 section 9.3.6: what follows belongs to the tunnel, if there will be one.
            self.requests.hold();
            sink(ended(None));
            return;
        }
        match lengths.of_request() {
            Ok(framing) => {
                if !self.requests.body(framing) {
                    sink(ended(None));
                }
            }
            Err(fault) => {
                sink(Event::Fault(fault));
                self.requests.seek(window);
                self.hole = true;
                sink(ended(Some(fault)));
            }
        }
    }
}
