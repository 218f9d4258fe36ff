//! What the client sends.

use super::asks::{self, Properties};
use super::channel::{Content, Step};
use super::frame::{Frame, Kind};
use super::method::{Destination, Method};
use super::open::{End, Waits};
use super::{Amqp, Calls, Found, Message, Moment, failure};

impl Amqp {
    pub(super) fn request(
        &mut self,
        frame: &Frame<'_>,
        message: &Message<'_>,
        calls: &mut Calls<'_>,
    ) {
        match frame.kind {
            Kind::Method => match Method::read(frame) {
                Some(method) => self.asked(frame.channel, method, message, calls),
                None => self.unreadable(frame, message, calls),
            },
            Kind::Header | Kind::Body => self.sent(frame, message, calls),
            Kind::Heartbeat => {}
        }
    }

    fn asked(&mut self, on: u16, method: Method<'_>, message: &Message<'_>, calls: &mut Calls<'_>) {
        match method {
            Method::Publish { to, returns } => self.publish(on, to, returns, message, calls),
            Method::Get { queue } => {
                self.open.begin(on, Waits::Get, asks::get(queue), message, calls);
            }
            Method::ConfirmSelect => {
                if let Some(channel) = self.channels.of(on, calls) {
                    // A second one changes nothing.
                    channel.next_tag.get_or_insert(1);
                }
            }
            Method::ChannelOpen | Method::ChannelCloseOk => self.forget(on, message.last, calls),
            Method::ChannelClose { code } => {
                let how = End::Over { at: message.last, failure: failure(code) };
                if failure(code).is_some() {
                    self.open.end_all(|open| open.channel == on, &how, calls);
                }
            }
            Method::ConnectionClose { code } => {
                let how = End::Over { at: message.last, failure: failure(code) };
                if failure(code).is_some() {
                    self.open.end_all(|_| true, &how, calls);
                }
            }
            Method::ConnectionCloseOk => self.forget_all(message.last, calls),
            _ => {}
        }
    }

    /// Which of them it was is not known.
    fn unreadable(&mut self, frame: &Frame<'_>, message: &Message<'_>, calls: &mut Calls<'_>) {
        if frame.is_whole() {
            calls.tell(Found::Malformed);
        }
        let Some(channel) = self.channels.get_mut(frame.channel) else { return };
        channel.next_tag = None;
        if let Some((call, _)) = channel.publishing.take() {
            self.open.end(call, &End::Abandoned(message.first), calls);
        }
    }

    fn publish(
        &mut self,
        on: u16,
        to: Destination<'_>,
        returns: bool,
        message: &Message<'_>,
        calls: &mut Calls<'_>,
    ) {
        let Some(channel) = self.channels.of(on, calls) else { return };
        if let Some((before, _)) = channel.publishing.take() {
            calls.tell(Found::Malformed);
            self.open.end(before, &End::Abandoned(message.first), calls);
        }
        let returns = returns.then(|| to.bytes());
        let waits = Waits::Publish { tag: channel.count(), sending: true, returns };
        let asks = asks::call("publish", "send", to);
        let call = self.open.begin(on, waits, asks, message, calls);
        channel.publishing = call.map(|call| (call, Content::default()));
    }

    /// Content of a message that is published.
    fn sent(&mut self, frame: &Frame<'_>, message: &Message<'_>, calls: &mut Calls<'_>) {
        let Some(channel) = self.channels.get_mut(frame.channel) else { return };
        let Some((call, content)) = &mut channel.publishing else { return };
        let call = *call;
        let step = if frame.kind == Kind::Header {
            let properties = Properties::read(frame.payload);
            if let (Some(open), Some(properties)) = (self.open.get(call), properties) {
                open.ask(calls, |asks| properties.describe(asks));
            }
            content.header(properties.map(|properties| properties.size))
        } else {
            content.body(frame, message)
        };
        match step {
            Step::More => {}
            Step::Over => {
                channel.publishing = None;
                let closed = channel.closed;
                self.published(call, closed, message.last, calls);
            }
            Step::Wrong => {
                channel.publishing = None;
                calls.tell(Found::Malformed);
                self.open.end(call, &End::Abandoned(message.last), calls);
            }
        }
    }

    /// All of a message has been sent. Who does not confirm does not answer.
    fn published(&mut self, call: u64, closed: Option<u16>, at: Moment, calls: &mut Calls<'_>) {
        let Some(open) = self.open.get(call) else { return };
        let Waits::Publish { tag, sending, .. } = &mut open.waits else { return };
        *sending = false;
        if closed.is_some() || tag.is_none() {
            let how = End::Over { at, failure: closed.and_then(failure) };
            self.open.end(call, &how, calls);
        }
    }

    /// Bytes of the client were not seen: which number the next message has is not known. Those that
    /// have one keep it.
    pub(super) fn requests_lost(&mut self, at: Moment, calls: &mut Calls<'_>) {
        for channel in self.channels.all() {
            (channel.next_tag, channel.closed, channel.publishing) = (None, None, None);
        }
        let sending = |waits: &Waits| matches!(waits, Waits::Publish { sending: true, .. });
        self.open.end_all(|open| sending(&open.waits), &End::Abandoned(at), calls);
    }
}
