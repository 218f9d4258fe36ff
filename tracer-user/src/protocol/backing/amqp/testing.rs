//! What peers send, and what is found out, in short: for tests.

use super::Amqp;
use crate::protocol::backing::testing::{at, feed};
use crate::protocol::backing::{Call, Found};
use crate::protocol::http1::Direction;

pub(super) const TRACE: &[u8] = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

pub(super) fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let size = (payload.len() as u32).to_be_bytes();
    [&[kind][..], &channel.to_be_bytes(), &size, payload, &[0xce]].concat()
}

pub(super) fn method(channel: u16, class: u16, method: u16, arguments: &[u8]) -> Vec<u8> {
    let ids = [class, method].map(u16::to_be_bytes).concat();
    frame(1, channel, &[&ids, arguments].concat())
}

pub(super) fn short(text: &[u8]) -> Vec<u8> {
    [&[text.len() as u8], text].concat()
}

pub(super) fn long(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes(), text].concat()
}

/// Header and body of a message with an id, in frames of such a payload at most.
pub(super) fn content(channel: u16, body: &[u8], most: usize) -> Vec<u8> {
    let entries = [short(b"n"), b"I\0\0\0\x07".to_vec(), short(b"traceparent"), b"S".to_vec()];
    let headers = [entries.concat(), long(TRACE)].concat();
    let flags = 1_u16 << 15 | 1 << 13 | 1 << 12 | 1 << 10 | 1 << 7;
    let properties =
        [short(b"text/plain"), long(&headers), vec![2], short(b"c7"), short(b"m7")].concat();
    let size = (body.len() as u64).to_be_bytes();
    let header = [&[0, 60, 0, 0][..], &size, &flags.to_be_bytes(), &properties].concat();
    let body = body.chunks(most).map(|part| frame(3, channel, part));
    std::iter::once(frame(2, channel, &header)).chain(body).collect::<Vec<_>>().concat()
}

/// To exchange `shop`, key `new`.
pub(super) fn publish(channel: u16, body: &[u8]) -> Vec<u8> {
    let arguments = [&[0, 0][..], &short(b"shop"), &short(b"new"), &[1]].concat();
    [method(channel, 60, 40, &arguments), content(channel, body, 4096)].concat()
}

pub(super) fn deliver(channel: u16, body: &[u8], most: usize) -> Vec<u8> {
    let tag = 9_u64.to_be_bytes();
    let arguments = [&short(b"ctag")[..], &tag, &[0], &short(b"shop"), &short(b"new")].concat();
    [method(channel, 60, 60, &arguments), content(channel, body, most)].concat()
}

pub(super) fn confirm(channel: u16, id: u16, tag: u64, multiple: bool) -> Vec<u8> {
    method(channel, 60, id, &[&tag.to_be_bytes()[..], &[u8::from(multiple)]].concat())
}

pub(super) fn ack(tag: u64, multiple: bool) -> Vec<u8> {
    confirm(1, 80, tag, multiple)
}

pub(super) fn select() -> Vec<u8> {
    method(1, 85, 10, &[0])
}

pub(super) fn closes(channel: u16, class: u16, id: u16, code: u16) -> Vec<u8> {
    let arguments = [&code.to_be_bytes()[..], &short(b"because"), &[0; 4]].concat();
    method(channel, class, id, &arguments)
}

pub(super) fn get() -> Vec<u8> {
    method(1, 60, 70, &[&[0, 0][..], &short(b"orders"), &[1]].concat())
}

pub(super) fn get_ok() -> Vec<u8> {
    let arguments = [&3_u64.to_be_bytes()[..], &[0], &short(b""), &short(b"orders"), &[0; 4]];
    method(1, 60, 71, &arguments.concat())
}

pub(super) fn run(script: &[(Direction, &[u8])]) -> Vec<String> {
    run_on(&mut Amqp::new(), script)
}

pub(super) fn run_on(amqp: &mut Amqp, script: &[(Direction, &[u8])]) -> Vec<String> {
    let found =
        script.iter().zip(1..).flat_map(|((of, bytes), time)| feed(amqp, *of, 0, bytes, at(time)));
    brief(&found.collect::<Vec<_>>())
}

/// `call operation destination`, `call>` of the first byte of an answer, `call.` of its end with the code
/// of what failed, `call?` where that is not known.
pub(super) fn brief(found: &[Found]) -> Vec<String> {
    let asks = |asks: &Call| {
        let words = [asks.operation.as_deref(), asks.collection.as_deref()];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    let brief = |found: &Found| match found {
        Found::Started { .. } => None,
        Found::Asked { call, asks: told } => Some(format!("{call} {}", asks(told))),
        Found::Replied { call, .. } => Some(format!("{call}>")),
        Found::Ended { call, outcome, .. } => {
            let code = outcome.failure.as_ref().map_or("", |failure| &failure.code);
            Some(format!("{call}.{code}"))
        }
        Found::Abandoned { call, .. } => Some(format!("{call}?")),
        Found::Delivered { asks: told, .. } => Some(asks(told)),
        Found::Malformed => Some("malformed".to_owned()),
        Found::Full => Some("full".to_owned()),
    };
    found.iter().filter_map(brief).collect()
}

pub(super) fn asked(found: &[Found]) -> &Call {
    let asks = found.iter().find_map(|found| match found {
        Found::Asked { asks, .. } | Found::Delivered { asks, .. } => Some(asks),
        _ => None,
    });
    asks.expect("a call")
}

pub(super) fn attribute<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.attributes.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
}
