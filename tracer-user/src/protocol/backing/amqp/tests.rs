use super::Amqp;
use super::channel::MAX_CHANNELS;
use super::frame::PREFACE;
use super::open::MAX_OPEN;
use super::testing::{
    TRACE, ack, asked, attribute, brief, closes, confirm, content, deliver, frame, get, get_ok,
    long, method, publish, run, run_on, select, short,
};
use crate::protocol::backing::hostile::{batter, prefixes};
use crate::protocol::backing::testing::{at, feed};
use crate::protocol::backing::{Calls, Dialect, Found, Split};
use crate::protocol::http1::Direction::{Request, Response};

#[test]
fn a_message_ends_with_its_last_byte() {
    let found =
        feed(&mut Amqp::new(), Request, 0, &[PREFACE, &publish(1, b"hello")[..]].concat(), at(1));
    assert_eq!(brief(&found), ["0 publish shop:new", "0."]);
    assert!(matches!(found[0], Found::Started { position: 8, .. }));
    let call = asked(&found);
    let attributes = [
        ("messaging.operation.type", "send"),
        ("messaging.rabbitmq.destination.routing_key", "new"),
        ("messaging.message.body.size", "5"),
        ("messaging.message.id", "m7"),
        ("messaging.message.conversation_id", "c7"),
    ];
    for (key, value) in attributes {
        assert_eq!(attribute(call, key), Some(value), "{key}");
    }
    assert_eq!(call.traceparent.as_deref().map(str::as_bytes), Some(TRACE));
    // Without a body.
    assert_eq!(run(&[(Request, &publish(1, b""))]), ["0 publish shop:new", "0."]);
}

#[test]
fn confirmed_messages_end_with_what_the_broker_says() {
    let two = [publish(1, b"a"), publish(1, b"b")].concat();
    let found = run(&[
        (Request, &select()),
        (Request, &two),
        // That of others.
        (Request, &publish(2, b"c")),
        (Response, &confirm(2, 80, 1, false)),
        (Response, &confirm(1, 120, 2, false)),
        (Response, &ack(1, false)),
        (Request, &two),
        (Response, &ack(4, true)),
        (Request, &two),
        (Response, &ack(0, true)),
    ]);
    let expected = [
        "0 publish shop:new",
        "1 publish shop:new",
        "2 publish shop:new",
        "2.",
        "1>",
        "1.nack",
        "0>",
        "0.",
        "3 publish shop:new",
        "4 publish shop:new",
        "3>",
        "3.",
        "4>",
        "4.",
        "5 publish shop:new",
        "6 publish shop:new",
        "5>",
        "5.",
        "6>",
        "6.",
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_comes_back_has_failed() {
    let to = [&312_u16.to_be_bytes()[..], &short(b"NO_ROUTE"), &short(b"shop"), &short(b"new")];
    let returned =
        [method(1, 60, 50, &to.concat()), content(1, b"a", 4096), ack(1, false)].concat();
    let found = run(&[(Request, &select()), (Request, &publish(1, b"a")), (Response, &returned)]);
    assert_eq!(found, ["0 publish shop:new", "0>", "0.312"]);
}

#[test]
fn messages_are_got() {
    let (got, none) = ([get_ok(), content(1, b"hi", 4096)].concat(), method(1, 60, 72, &[0]));
    let mut amqp = Amqp::new();
    feed(&mut amqp, Request, 0, &get(), at(1));
    let found = feed(&mut amqp, Response, 0, &got, at(2));
    assert_eq!(brief(&found), ["0>", "0 get orders", "0."]);
    assert_eq!(attribute(asked(&found), "messaging.rabbitmq.message.delivery_tag"), Some("3"));
    assert_eq!(attribute(asked(&found), "messaging.message.body.size"), Some("2"));
    assert!(matches!(&found[2], Found::Ended { outcome, .. } if outcome.bytes == got.len() as u64));
    // Of two, the first one's content does not come.
    let found = run_on(&mut amqp, &[(Request, &get().repeat(2)), (Response, &get_ok().repeat(2))]);
    assert_eq!(found, ["1>", "malformed", "1 get orders", "1?", "2>"]);
    let found = run_on(&mut amqp, &[(Request, &get()), (Response, &none)]);
    assert_eq!(found, ["malformed", "2 get orders", "2?", "3 get orders", "3>", "3."]);
}

#[test]
fn messages_are_delivered() {
    let mut amqp = Amqp::new();
    let found = feed(&mut amqp, Response, 70, &deliver(1, b"hello", 2), at(4));
    assert!(matches!(found[..], [Found::Delivered { position: 70, .. }]));
    let call = asked(&found);
    assert_eq!(brief(&found), ["deliver shop:new"]);
    assert_eq!(attribute(call, "messaging.operation.type"), Some("receive"));
    assert_eq!(attribute(call, "messaging.rabbitmq.message.delivery_tag"), Some("9"));
    assert_eq!(call.traceparent.as_deref().map(str::as_bytes), Some(TRACE));
    // Those of two channels, one within the other.
    let (outer, inner) = (deliver(1, b"hello", 9), deliver(2, b"", 9));
    let (begin, end) = outer.split_at(outer.len() - 13);
    let found = run_on(&mut amqp, &[(Response, &[begin, &inner, end].concat())]);
    assert_eq!(found, ["deliver shop:new", "deliver shop:new"]);
}

#[test]
fn a_large_body_is_passed_over_at_once() {
    let body = [0; 10_000];
    let (from, to) = (deliver(1, &body, 4088), publish(1, &body));
    for (of, bytes) in [(Response, &from), (Request, &to)] {
        let mut amqp = Amqp::new();
        let index = bytes.len() - content(1, &body, 4088).len();
        let header = content(1, b"", 1).len();
        let (head, body) = bytes.split_at(index + header);
        feed(&mut amqp, of, 0, head, at(1));
        let whole = Split::Message { length: body.len() as u64, want: 7 };
        assert_eq!(amqp.split(of, &body[..7]), whole);
        assert_eq!(feed(&mut amqp, of, 0, body, at(2)).len(), 1);
    }
}

#[test]
fn what_is_closed_has_failed() {
    let start = [select(), publish(1, b"a"), get()].concat();
    let close = closes(1, 20, 40, 404);
    let script = [(Request, &start[..]), (Response, &close), (Request, &publish(1, b"b"))];
    let expected = [
        "0 publish shop:new",
        "0>",
        "0.404",
        "1 get orders",
        "1>",
        "1.404",
        "2 publish shop:new",
        "2.404",
    ];
    assert_eq!(run(&script), expected);
    let found = run(&[(Request, &start), (Response, &closes(0, 10, 50, 320))]);
    assert_eq!(found, expected.map(|each| each.replace("404", "320"))[..6]);
    // The client has had enough, and does not wait for what is not answered.
    let (leaves, ok) = (closes(1, 20, 40, 200), method(1, 20, 41, b""));
    let found = run(&[
        (Request, &[select(), publish(1, b"a"), publish(1, b"b"), leaves].concat()),
        (Response, &[ack(1, false), ok].concat()),
        (Request, &publish(1, b"c")),
    ]);
    let expected =
        ["0 publish shop:new", "1 publish shop:new", "0>", "0.", "1?", "2 publish shop:new", "2."];
    assert_eq!(found, expected);
}

#[test]
fn management_and_heartbeats_are_nothing() {
    let open = method(1, 20, 10, &short(b""));
    let declare = method(1, 50, 10, &[&[0, 0][..], &short(b"orders"), &[0], &long(b"")].concat());
    let heartbeat = frame(8, 0, b"");
    let found = run(&[
        (Request, &[&PREFACE[..], &open, &declare, &heartbeat, &ack(9, false)].concat()),
        (Response, &[method(1, 20, 11, &long(b"")), heartbeat].concat()),
    ]);
    assert!(found.is_empty());
}

#[test]
fn losses() {
    let (mut amqp, mut found) = (Amqp::new(), vec![]);
    let half = &publish(1, b"abc")[..method(1, 60, 40, &[0; 12]).len()];
    feed(&mut amqp, Request, 0, &[select(), publish(1, b"a"), publish(1, b"b")].concat(), at(1));
    feed(&mut amqp, Request, 0, half, at(2));
    // Numbers stay those of what has one.
    amqp.lost(Request, at(3), &mut Calls::new(&mut found));
    found.extend(feed(&mut amqp, Response, 0, &ack(1, false), at(4)));
    assert_eq!(brief(&found), ["2 publish shop:new", "2?", "0>", "0."]);
    found.clear();
    amqp.lost(Response, at(5), &mut Calls::new(&mut found));
    // That of the next message is not known.
    found.extend(feed(&mut amqp, Request, 0, &publish(1, b"c"), at(6)));
    found.extend(feed(&mut amqp, Response, 0, &ack(2, false), at(7)));
    assert_eq!(brief(&found), ["1?", "3 publish shop:new", "3."]);
    // Until the channel begins anew.
    let open = method(1, 20, 10, &short(b""));
    let found = run_on(
        &mut amqp,
        &[(Request, &[open, select(), publish(1, b"d")].concat()), (Response, &ack(1, true))],
    );
    assert_eq!(found, ["4 publish shop:new", "4>", "4."]);
}

#[test]
fn beginnings() {
    let amqp = Amqp::new();
    let start = method(0, 10, 10, &[0, 9]);
    for (of, bytes) in [
        (Request, PREFACE.to_vec()),
        (Request, publish(1, b"a")),
        (Request, get()),
        (Response, deliver(1, b"a", 9)),
        (Response, ack(1, false)),
        (Response, deliver(1, b"a", 9)[..7].to_vec()),
        (Request, frame(8, 0, b"")),
        (Response, start.clone()),
    ] {
        assert!(amqp.begins(of, &bytes), "{of:?} {bytes:?}");
    }
    for (of, bytes) in [
        (Response, publish(1, b"a")),
        (Request, deliver(1, b"a", 9)),
        (Request, publish(0, b"a")),
        (Request, publish(1, b"a")[..7].to_vec()),
        (Response, method(1, 10, 10, &[0, 9])),
        (Request, method(1, 60, 40, &[7; 20])),
        (Request, content(1, b"a", 9)),
        (Request, b"AMQP\0\x01\0\0".to_vec()),
        (Response, b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        (Response, vec![0; 64]),
    ] {
        assert!(!amqp.begins(of, &bytes), "{of:?} {bytes:?}");
    }
}

#[test]
fn what_is_no_frame_is_invalid() {
    let amqp = Amqp::new();
    let mut unended = get();
    *unended.last_mut().expect("an end") = 0;
    for bytes in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"AMQP\0\x01\0\0",
        b"\x01\0\x01\x7f\0\0\0",
        b"\x03\0\x01\x02\0\0\0",
        b"\x03\0\0\0\0\0\x01",
        b"\x08\0\0\0\0\0\x01",
        b"\x01\0\x01\0\0\0\x04\0\x3c\0\x63\xce",
        &unended,
    ] {
        assert_eq!(amqp.split(Request, bytes), Split::Invalid, "{bytes:?}");
    }
    for bytes in [&b"AMQP\0"[..], b"\x01", b"\x01\0\x01\0\0\0\x04\0\x3c"] {
        assert_eq!(amqp.split(Request, bytes), Split::More, "{bytes:?}");
    }
    // More than its header has said, and arguments that are none.
    let bad = method(1, 60, 40, &[7; 20]);
    assert_eq!(run(&[(Request, &bad)]), ["malformed"]);
    let more = [publish(1, b""), frame(3, 1, b"a")].concat();
    assert_eq!(run(&[(Request, &more)]).len(), 2);
    let long = [&deliver(1, b"ab", 9)[..], &deliver(1, b"ab", 9)].concat();
    let cut = long.len() / 2;
    assert_eq!(
        run(&[(Response, &[&long[..cut - 10], &long[cut..]].concat())]),
        ["malformed", "deliver shop:new"]
    );
}

#[test]
fn rooms_are_bounded() {
    let mut amqp = Amqp::new();
    let many = [select(), publish(1, b"").repeat(MAX_OPEN + 2)].concat();
    let found = feed(&mut amqp, Request, 0, &many, at(1));
    assert_eq!(found.iter().filter(|found| matches!(found, Found::Full)).count(), 2);
    assert_eq!(amqp.open.len(), MAX_OPEN);
    feed(&mut amqp, Response, 0, &ack(0, true), at(2));
    assert_eq!(amqp.open.len(), 0);
    // Those that were not told were counted.
    let tag = MAX_OPEN as u64 + 3;
    let found = run_on(&mut amqp, &[(Request, &publish(1, b"")), (Response, &ack(tag, false))]);
    assert_eq!(found.last().map(String::as_str), Some("1024."));
    let many: Vec<u8> = (2..=MAX_CHANNELS as u16 + 1).flat_map(|on| publish(on, b"")).collect();
    let found = feed(&mut amqp, Request, 0, &many, at(3));
    assert!(matches!(found.last(), Some(Found::Full)));
}

#[test]
fn no_bytes_do_harm() {
    let likely = [publish(1, b"a"), deliver(1, b"a", 9), get(), get_ok(), select(), ack(1, true)];
    batter(|| Box::new(Amqp::new()), &likely.concat());
    let (asks, got) = ([select(), publish(1, b"ab"), get()].concat(), get_ok());
    let answers = [ack(1, false), got, content(1, b"a", 9), deliver(1, b"b", 9)].concat();
    let close = closes(1, 20, 40, 404);
    let script = [(Request, &asks[..]), (Response, &answers), (Response, &close)];
    prefixes(|| Box::new(Amqp::new()), &script);
}
