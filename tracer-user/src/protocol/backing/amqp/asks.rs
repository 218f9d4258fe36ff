//! What is told of a message, as OpenTelemetry's conventions for RabbitMQ have it:
//! <https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/>.

use std::borrow::Cow;

use super::field::Fields;
use super::frame::BASIC;
use super::method::Destination;
use super::{Call, System};

/// Longest name that is told, bytes; the protocol's own limit is 255.
const MAX_NAME: usize = 256;
/// Bytes of a `traceparent` whose version is known, and most of one of a later version.
const TRACEPARENT: std::ops::RangeInclusive<usize> = 55..=128;

/// Bits of a content header's flags.
const CONTENT_TYPE: u16 = 1 << 15;
const CONTENT_ENCODING: u16 = 1 << 14;
const HEADERS: u16 = 1 << 13;
const DELIVERY_MODE: u16 = 1 << 12;
const PRIORITY: u16 = 1 << 11;
const CORRELATION_ID: u16 = 1 << 10;
const REPLY_TO: u16 = 1 << 9;
const EXPIRATION: u16 = 1 << 8;
const MESSAGE_ID: u16 = 1 << 7;
/// More flags follow; none are known.
const MORE: u16 = 1;

fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..MAX_NAME).unwrap_or(bytes)).into_owned()
}

/// A call that sends to or receives from there.
pub(super) fn call(operation: &'static str, kind: &str, at: Destination<'_>) -> Call {
    let mut call = Call::new(System::Amqp);
    call.operation = Some(Cow::Borrowed(operation));
    call.attributes.push(("messaging.operation.type", kind.to_owned()));
    place(&mut call, at);
    call
}

/// Where it goes to or came from.
fn place(call: &mut Call, Destination { exchange, key }: Destination<'_>) {
    if !key.is_empty() {
        call.attributes.push(("messaging.rabbitmq.destination.routing_key", name(key)));
    }
    call.collection = match (exchange, key) {
        ([], []) => None,
        ([], one) | (one, []) => Some(name(one)),
        (exchange, key) => Some(format!("{}:{}", name(exchange), name(key))),
    };
}

/// What is asked for is a message of this queue.
pub(super) fn get(queue: &[u8]) -> Call {
    let mut call = call("get", "receive", Destination { exchange: b"", key: b"" });
    call.collection = (!queue.is_empty()).then(|| name(queue));
    call
}

/// This one was there.
pub(super) fn got(call: &mut Call, tag: u64, from: Destination<'_>) {
    place(call, from);
    delivered(call, tag);
}

/// The broker counts it so.
pub(super) fn delivered(call: &mut Call, tag: u64) {
    call.attributes.push(("messaging.rabbitmq.message.delivery_tag", tag.to_string()));
}

/// What a content header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Properties<'a> {
    /// Of the body, bytes.
    pub(super) size: u64,
    correlation: Option<&'a [u8]>,
    message: Option<&'a [u8]>,
    traceparent: Option<&'a [u8]>,
}

impl<'a> Properties<'a> {
    /// Of such a frame's payload; `None` if it is none.
    pub(super) fn read(payload: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::new(payload);
        let (class, _weight) = (fields.short()?, fields.short()?);
        if class != BASIC {
            return None;
        }
        let mut properties = Self { size: fields.long_long()?, ..Self::default() };
        let flags = fields.short()?;
        if flags & MORE == 0 {
            // What is not there is not told of.
            let _ = properties.fill(flags, &mut fields);
        }
        Some(properties)
    }

    fn fill(&mut self, flags: u16, fields: &mut Fields<'a>) -> Option<()> {
        let has = |flag: u16| flags & flag != 0;
        for flag in [CONTENT_TYPE, CONTENT_ENCODING] {
            if has(flag) {
                fields.short_string()?;
            }
        }
        if has(HEADERS) {
            self.traceparent = traceparent(Fields::new(fields.long_string()?));
        }
        for flag in [DELIVERY_MODE, PRIORITY] {
            if has(flag) {
                fields.octet()?;
            }
        }
        if has(CORRELATION_ID) {
            self.correlation = Some(fields.short_string()?);
        }
        for flag in [REPLY_TO, EXPIRATION] {
            if has(flag) {
                fields.short_string()?;
            }
        }
        if has(MESSAGE_ID) {
            self.message = Some(fields.short_string()?);
        }
        Some(())
    }

    /// Adds it to what is told of its message.
    pub(super) fn describe(&self, call: &mut Call) {
        call.attributes.push(("messaging.message.body.size", self.size.to_string()));
        let ids = [
            ("messaging.message.id", self.message),
            ("messaging.message.conversation_id", self.correlation),
        ];
        for (key, id) in ids {
            if let Some(id) = id.filter(|id| !id.is_empty()) {
                call.attributes.push((key, name(id)));
            }
        }
        call.traceparent = self.traceparent.map(name);
    }
}

/// The entry of that name, if it looks like one.
fn traceparent(mut headers: Fields<'_>) -> Option<&[u8]> {
    while let Some((name, value)) = headers.entry() {
        if name.eq_ignore_ascii_case(b"traceparent") {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
            return value.filter(|it| TRACEPARENT.contains(&it.len()) && it.iter().all(plain));
        }
    }
    None
}
