//! What the broker sends.

use super::asks::{self, Properties};
use super::channel::{Arriving, Content, Step, What};
use super::frame::{Frame, Kind};
use super::method::Method;
use super::open::{End, OpenCalls, Waits};
use super::{Amqp, Calls, Failure, Found, Message, Moment, failure};

impl Amqp {
    pub(super) fn response(
        &mut self,
        frame: &Frame<'_>,
        message: &Message<'_>,
        calls: &mut Calls<'_>,
    ) {
        match frame.kind {
            Kind::Method => match Method::read(frame) {
                Some(method) => self.told(frame.channel, method, message, calls),
                None if frame.is_whole() => calls.tell(Found::Malformed),
                None => {}
            },
            Kind::Header | Kind::Body => self.arrived(frame, message, calls),
            Kind::Heartbeat => {}
        }
    }

    fn told(&mut self, on: u16, method: Method<'_>, message: &Message<'_>, calls: &mut Calls<'_>) {
        if let Some(before) = self.channels.get_mut(on).and_then(|channel| channel.arriving.take())
        {
            calls.tell(Found::Malformed);
            self.broken(before, message.first, calls);
        }
        match method {
            Method::Deliver { tag, from } => {
                let mut asks = Box::new(asks::call("deliver", "receive", from));
                asks::delivered(&mut asks, tag);
                let (position, first) = (message.position, message.first);
                self.arrives(on, What::Deliver { position, first, asks }, message, calls);
            }
            Method::GetOk { tag, from } => {
                let Some((call, open)) = self.open.getting(on) else { return };
                open.reply(message, calls);
                open.note(|asks| asks::got(asks, tag, from));
                self.arrives(on, What::Got(call), message, calls);
            }
            Method::GetEmpty => {
                if let Some((call, _)) = self.open.getting(on) {
                    self.open.end(call, &End::Answered { by: message, failure: None }, calls);
                }
            }
            Method::Return { code, to } => {
                self.open.returned(on, &to.bytes(), Failure { code: code.to_string() });
                self.arrives(on, What::Returned, message, calls);
            }
            Method::Ack { tag, multiple } => {
                self.confirm(on, (tag, multiple), None, message, calls)
            }
            Method::Nack { tag, multiple } => {
                let failure = Some(Failure { code: "nack".to_owned() });
                self.confirm(on, (tag, multiple), failure, message, calls);
            }
            Method::ChannelClose { code } => self.closed(on, code, message, calls),
            Method::ConnectionClose { code } => {
                let how = End::Answered { by: message, failure: failure(code) };
                if failure(code).is_some() {
                    self.open.end_all(|_| true, &how, calls);
                }
                self.forget_all(message.last, calls);
            }
            Method::ChannelCloseOk => self.forget(on, message.last, calls),
            Method::ConnectionCloseOk => self.forget_all(message.last, calls),
            _ => {}
        }
    }

    /// What the broker says of one message, or of all up to it; 0 are all there are.
    fn confirm(
        &mut self,
        on: u16,
        (tag, multiple): (u64, bool),
        failure: Option<Failure>,
        message: &Message<'_>,
        calls: &mut Calls<'_>,
    ) {
        let how = End::Answered { by: message, failure };
        if !multiple {
            return self.open.confirmed(on, tag, &how, calls);
        }
        let up_to = |waits: &Waits| match waits {
            Waits::Publish { tag: Some(own), sending: false, .. } => tag == 0 || *own <= tag,
            _ => false,
        };
        self.open.end_all(|open| open.channel == on && up_to(&open.waits), &how, calls);
    }

    /// What the client goes on to send there is thrown away, until it knows.
    fn closed(&mut self, on: u16, code: u16, message: &Message<'_>, calls: &mut Calls<'_>) {
        let how = match failure(code) {
            failure @ Some(_) => End::Answered { by: message, failure },
            None => End::Abandoned(message.last),
        };
        self.open.end_all(|open| open.channel == on, &how, calls);
        if let Some(channel) = self.channels.get_mut(on) {
            (channel.next_tag, channel.publishing, channel.arriving) = (None, None, None);
            channel.closed = Some(code);
        }
    }

    /// The method of a message with content has come. That of the one before has all come, or never will.
    fn arrives(&mut self, on: u16, what: What, message: &Message<'_>, calls: &mut Calls<'_>) {
        let arriving = Arriving { what, content: Content::default() };
        match self.channels.of(on, calls) {
            Some(channel) => channel.arriving = Some(arriving),
            None => self.broken(arriving, message.first, calls),
        }
    }

    /// The rest of a message is not waited for.
    fn broken(&mut self, arriving: Arriving, at: Moment, calls: &mut Calls<'_>) {
        if let What::Got(call) = arriving.what {
            self.open.end(call, &End::Abandoned(at), calls);
        }
    }

    /// Its content.
    fn arrived(&mut self, frame: &Frame<'_>, message: &Message<'_>, calls: &mut Calls<'_>) {
        let Some(channel) = self.channels.get_mut(frame.channel) else { return };
        let Some(Arriving { what, content }) = &mut channel.arriving else { return };
        let step = if frame.kind == Kind::Header {
            let properties = Properties::read(frame.payload);
            if let Some(properties) = &properties {
                describe(what, properties, &mut self.open, calls);
            }
            content.header(properties.map(|properties| properties.size))
        } else {
            content.body(frame, message)
        };
        if step == Step::More {
            if let What::Got(call) = what
                && let Some(open) = self.open.get(*call)
            {
                open.reply(message, calls);
            }
        } else if let Some(Arriving { what, .. }) = channel.arriving.take() {
            self.ended(what, step == Step::Over, message, calls);
        }
    }

    /// `whole`: with the last of its content, and not with what is none of it.
    fn ended(&mut self, what: What, whole: bool, message: &Message<'_>, calls: &mut Calls<'_>) {
        if !whole {
            calls.tell(Found::Malformed);
        }
        match what {
            What::Deliver { position, first, asks } if whole => {
                calls.tell(Found::Delivered { position, first, last: message.last, asks });
            }
            What::Got(call) => {
                let how = match whole {
                    true => End::Answered { by: message, failure: None },
                    false => End::Abandoned(message.last),
                };
                self.open.end(call, &how, calls);
            }
            What::Deliver { .. } | What::Returned => {}
        }
    }

    /// Bytes of the broker were not seen: what waits for an answer may have had it.
    pub(super) fn responses_lost(&mut self, at: Moment, calls: &mut Calls<'_>) {
        self.channels.all().for_each(|channel| channel.arriving = None);
        let sending = |waits: &Waits| matches!(waits, Waits::Publish { sending: true, .. });
        self.open.end_all(|open| !sending(&open.waits), &End::Abandoned(at), calls);
    }
}

/// The content header of a message says this.
fn describe(
    what: &mut What,
    properties: &Properties<'_>,
    open: &mut OpenCalls,
    calls: &mut Calls<'_>,
) {
    match what {
        What::Deliver { asks, .. } => properties.describe(asks),
        What::Got(call) => {
            if let Some(open) = open.get(*call) {
                open.ask(calls, |asks| properties.describe(asks));
            }
        }
        What::Returned => {}
    }
}
