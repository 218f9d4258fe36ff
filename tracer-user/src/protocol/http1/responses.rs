//! What the response direction's steps mean for the connection.

use super::engine::{Engine, Sink, begins};
use super::event::{Abandon, Direction, Event, Fault, Leave};
use super::framing::{Framing, Lengths};
use super::head::ResponseHead;
use super::reader::Step;
use super::window::Window;
use crate::connection::Moment;
use tracer_common::head::{Start, look_at};

impl Engine {
    /// Before an operation is read: does it contradict what was thought of the one before?
    pub(super) fn review_responses(&mut self, window: &Window<'_>, sink: Sink<'_>) {
        if window.is_missing() {
            return;
        }
        if let Some(size) = self.responses.doubt() {
            let partial = look_at(window.known()) == Start::Partial && window.at_start();
            let plausible = partial || begins::<ResponseHead>(window);
            if self.queue.is_empty() || !plausible {
                sink(Event::Fault(Fault::ChunkedEndMistaken));
                self.responses.resume(size);
            }
        } else if self.responses.in_tail() && self.queue.len() > 1 && begins::<ResponseHead>(window)
        {
            // Another request waits, and a response begins: the one before has ended.
            if let Some((step, at)) = self.responses.cut() {
                sink(Event::Fault(Fault::ChunkedEndMissed));
                self.on_response_over(step, at, sink);
            }
        }
    }

    /// What the reader found.
    pub(super) fn on_response(
        &mut self,
        step: Step<ResponseHead>,
        window: &mut Window<'_>,
        at: Moment,
        sink: Sink<'_>,
    ) {
        match step {
            Step::Head { head, lengths, first } => {
                self.on_response_head(head, &lengths, first, window, at, sink);
            }
            Step::Broken { fault, open, synced, head } => {
                sink(Event::Fault(fault));
                match open {
                    Some(body) => {
                        let fault = Some(fault);
                        sink(Event::ResponseEnded { at, body, complete: false, fault });
                        self.pop();
                    }
                    None if synced && is_head_fault(fault) => {
                        self.on_unreadable(fault, head, at, sink);
                    }
                    None => {}
                }
                if synced {
                    let start = matches!(fault, Fault::Gap | Fault::MessageStartUnseen);
                    self.lose_responses(start.then_some(fault), at, sink);
                }
            }
            step => self.on_response_over(step, at, sink),
        }
    }

    /// The steps that need no window.
    pub(super) fn on_response_over(
        &mut self,
        step: Step<ResponseHead>,
        at: Moment,
        sink: Sink<'_>,
    ) {
        match step {
            Step::Ended { body, complete, fault } => {
                let fault = fault.or(self.queue.front().and_then(|front| front.fault));
                sink(Event::ResponseEnded { at, body, complete, fault });
                self.pop();
            }
            Step::Extended { body } => {
                sink(Event::Extended { direction: Direction::Response, at, body });
            }
            Step::Fault(fault) => sink(Event::Fault(fault)),
            Step::Started { .. } | Step::Head { .. } | Step::Broken { .. } => {}
        }
    }

    /// The oldest request's response it was, but it could not be read, or only its beginning.
    fn on_unreadable(
        &mut self,
        fault: Fault,
        head: Option<(Box<ResponseHead>, Moment)>,
        at: Moment,
        sink: Sink<'_>,
    ) {
        let doomed = self.queue.front().is_some_and(|front| front.doomed);
        if !self.pop() {
            return;
        }
        match head.filter(|(head, _)| head.status >= 200 && !doomed) {
            Some((head, first)) => {
                sink(Event::ResponseStarted { at: first });
                sink(Event::ResponseHead(head, at));
                let fault = Some(fault);
                sink(Event::ResponseEnded { at, body: 0, complete: false, fault });
            }
            None => sink(Event::Abandoned { at, why: Abandon::Unreadable(fault) }),
        }
    }

    /// Responses may be missing from here on. The next one is that of the only request that waits,
    /// if there is only one and no other is sent before it comes ([`Engine::request`] sees to
    /// that); of several it could be any. `fault`: what shows it.
    pub(super) fn lose_responses(&mut self, fault: Option<Fault>, at: Moment, sink: Sink<'_>) {
        self.lost = true;
        if let Some(front) = self.queue.front() {
            front.fault = fault;
        }
        if self.queue.len() > 1 {
            self.abandon_all(Abandon::Loss, at, sink);
        }
    }

    fn on_response_head(
        &mut self,
        mut head: Box<ResponseHead>,
        lengths: &Lengths,
        first: Moment,
        window: &mut Window<'_>,
        at: Moment,
        sink: Sink<'_>,
    ) {
        if matches!(head.status, 100 | 102..=199) {
            self.responses.body(Framing::None);
            return;
        }
        while self.queue.front().is_some_and(|front| front.doomed) && self.pop() {
            sink(Event::Abandoned { at, why: Abandon::Loss });
        }
        let switching = head.status == 101;
        let Some(front) = self.queue.front() else {
            sink(Event::Fault(Fault::ResponseUnmatched));
            if switching {
                self.left_at = window.position();
                self.leave(Leave::Upgrade, at, sink);
            } else {
                // Its body cannot be framed: the request may have been HEAD.
                self.responses.seek(window);
                self.lost = false;
            }
            return;
        };
        let (to_head, tunnel) = (front.head, front.connect && (200..300).contains(&head.status));
        let upgrade = if front.websocket { Leave::WebSocket } else { Leave::Upgrade };
        let hit = front.fault;
        self.lost = false;
        let framing =
            if tunnel { Ok(Framing::None) } else { lengths.of_response(head.status, to_head) };
        head.framing = framing.unwrap_or(Framing::None);
        sink(Event::ResponseStarted { at: first });
        sink(Event::ResponseHead(head, at));
        let follows = framing.is_ok_and(|framing| self.responses.body(framing));
        if !follows {
            sink(Event::ResponseEnded {
                at,
                body: 0,
                complete: framing.is_ok(),
                fault: framing.err().or(hit),
            });
            self.pop();
        }
        if let Err(fault) = framing {
            sink(Event::Fault(fault));
            self.responses.seek(window);
            self.lose_responses(None, at, sink);
        }
        if tunnel || switching {
            self.left_at = window.position();
            let how = if tunnel { Leave::Tunnel } else { upgrade };
            self.leave(how, at, sink);
        }
    }
}

fn is_head_fault(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::ResponseHead | Fault::HeadTooLong | Fault::TooManyHeaders | Fault::HeadUnseen
    )
}
