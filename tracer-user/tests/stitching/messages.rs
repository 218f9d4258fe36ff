//! What brokers deliver.

use tracer_user::trace::Kind;

use crate::outcome::{Outcome, text};
use crate::script::{End, Script, Task, Wire};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const SERVICE: Task = Task { pid: 20, tid: 21 };
const BROKER: Task = Task { pid: 40, tid: 40 };

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, 0, 1][..], &(payload.len() as u32).to_be_bytes(), payload, &[0xce]].concat()
}

/// As an SDK writes it into what it sends.
const SENDER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A method that names exchange `shop` and key `new`, with a message of three bytes behind it that says
/// who has sent it.
fn message(method: u8, arguments: &[u8]) -> Vec<u8> {
    let text = [&[0, 0, 0, SENDER.len() as u8][..], SENDER.as_bytes()].concat();
    let entry = [&b"\x0btraceparentS"[..], &text].concat();
    let headers = [&(entry.len() as u32).to_be_bytes()[..], &entry].concat();
    let header = [&[0, 60, 0, 0][..], &3_u64.to_be_bytes(), &[1 << 5, 0], &headers].concat();
    let method = [&[0, 60, 0, method][..], arguments].concat();
    [frame(1, &method), frame(2, &header), frame(3, b"abc")].concat()
}

fn publish() -> Vec<u8> {
    message(40, b"\0\0\x04shop\x03new\0")
}

fn deliver() -> Vec<u8> {
    message(60, b"\x01t\0\0\0\0\0\0\0\x01\0\x04shop\x03new")
}

fn connect(script: &mut Script) -> Wire {
    let wire = script.connect(SERVICE, 5672);
    script.send(SERVICE, wire, End::Opener, b"AMQP\0\0\x09\x01");
    script.receive(BROKER, wire, End::Acceptor);
    wire
}

#[test]
fn a_message_is_published_for_a_request_and_delivered_for_none() {
    let mut script = Script::new();
    let (publisher, consumer) = (connect(&mut script), connect(&mut script));
    script.request((CLIENT, SERVICE), "/orders", |script| {
        script.send(SERVICE, publisher, End::Opener, &publish());
        script.receive(BROKER, publisher, End::Acceptor);
        // The same thread takes what comes meanwhile.
        script.send(BROKER, consumer, End::Acceptor, &deliver());
        script.receive(SERVICE, consumer, End::Opener);
    });
    let outcome = Outcome::of(&script);
    let of = |kind: Kind| {
        let mut found = outcome.spans.iter().filter(move |span| span.kind == kind);
        let span = found.next().unwrap_or_else(|| panic!("no {kind:?}: {:#?}", outcome.spans));
        assert!(found.next().is_none(), "two of {kind:?}");
        span
    };
    let (published, delivered) = (of(Kind::Producer), of(Kind::Consumer));
    assert_eq!((&*published.name, &*delivered.name), ("publish shop:new", "deliver shop:new"));
    outcome.assert_edge(published, outcome.server("/orders"), "thread");
    assert_eq!((delivered.parent, published.links.len()), (None, 0));
    let [link] = &delivered.links[..] else { panic!("not one link: {delivered:#?}") };
    assert_eq!(format!("00-{}-{}-01", link.trace_id, link.span_id), SENDER);
    for span in [published, delivered] {
        assert_eq!(text(span, "messaging.system"), Some("rabbitmq"));
        assert_eq!(text(span, "server.address"), Some("10.1.0.1"));
        assert_eq!(text(span, "client.address"), None);
        assert_eq!(span.remote.service.as_deref(), Some("rabbitmq"));
    }
    assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
}

fn kafka(key: i16, version: i16, correlation: i32, body: &[u8]) -> Vec<u8> {
    let numbers = [key, version].map(i16::to_be_bytes).concat();
    sized(&[&numbers, &correlation.to_be_bytes()[..], b"\0\x04shop", body].concat())
}

fn sized(body: &[u8]) -> Vec<u8> {
    [&(body.len() as i32).to_be_bytes(), body].concat()
}

/// One record, at this offset.
fn batch(offset: i64) -> Vec<u8> {
    let record = b"\x0e\0\0\0\x01\x02a\0";
    let length = 49 + record.len() as i32;
    let before = [&offset.to_be_bytes()[..], &length.to_be_bytes(), &[0; 4], &[2]].concat();
    [&before, &[0; 40][..], &1_i32.to_be_bytes(), record].concat()
}

const TOPIC: [u8; 16] = [7; 16];

/// Of version 13, which tells topics by their numbers.
fn produce(correlation: i32) -> Vec<u8> {
    let records = batch(0);
    let length = [records.len() as u8 + 1];
    let partition = [&[2, 0, 0, 0, 4][..], &length, &records, &[0; 3]].concat();
    kafka(0, 13, correlation, &[&[0, 0, 0, 1, 0, 0, 0, 1, 2][..], &TOPIC, &partition].concat())
}

fn produced(correlation: i32, offset: i64) -> Vec<u8> {
    let partition = [&[2, 0, 0, 0, 4, 0, 0][..], &offset.to_be_bytes(), &[0; 16], &[1, 0, 0]];
    let body = [&[0, 2][..], &TOPIC, &partition.concat(), &[0; 6]].concat();
    sized(&[&correlation.to_be_bytes()[..], &body].concat())
}

/// Of version 11, which tells their names; in a session, which has told it before.
fn fetch(correlation: i32) -> Vec<u8> {
    kafka(1, 11, correlation, &[&[0xff; 4][..], &[0; 29], &[0; 2]].concat())
}

fn fetched(correlation: i32, offset: i64) -> Vec<u8> {
    let records = batch(offset);
    let partition = [&[0, 0, 0, 4, 0, 0][..], &[0; 24], &[0; 4], &[0xff; 4]].concat();
    let records = [&(records.len() as i32).to_be_bytes()[..], &records].concat();
    let topic = [b"\0\0\0\x01\0\x06orders\0\0\0\x01", &partition[..], &records].concat();
    sized(&[&correlation.to_be_bytes()[..], &[0; 10], &topic].concat())
}

fn metadata(correlation: i32) -> Vec<u8> {
    let topic = [&b"\x02\0\0\x07orders"[..], &TOPIC, b"\0\x01\0\0\0\0\0"].concat();
    let body = [&[0; 5][..], b"\x01\0\0\0\0\x01", &topic, &[0]].concat();
    sized(&[&correlation.to_be_bytes()[..], &body].concat())
}

#[test]
fn a_poll_is_linked_to_those_who_have_sent_what_has_come() {
    let mut script = Script::new();
    let [producer, consumer] = [(), ()].map(|()| script.connect(SERVICE, 9092));
    let ask = |script: &mut Script, wire, question: &[u8], answer: &[u8]| {
        script.send(SERVICE, wire, End::Opener, question);
        script.receive(BROKER, wire, End::Acceptor);
        script.send(BROKER, wire, End::Acceptor, answer);
        script.receive(SERVICE, wire, End::Opener);
    };
    ask(&mut script, consumer, &kafka(3, 12, 1, &[0, 1, 0, 0, 0]), &metadata(1));
    for (number, offset) in [(1, 40), (2, 41)] {
        script.request((CLIENT, SERVICE), &format!("/orders/{number}"), |script| {
            script.send(SERVICE, producer, End::Opener, &produce(number));
            script.receive(BROKER, producer, End::Acceptor);
            // It is fetched before the request is over.
            ask(script, consumer, &fetch(number + 1), &fetched(number + 1, offset));
            script.send(BROKER, producer, End::Acceptor, &produced(number, offset));
            script.receive(SERVICE, producer, End::Opener);
        });
    }
    let unknown = fetched(9, 39);
    ask(&mut script, consumer, &fetch(9), &unknown);
    let outcome = Outcome::of(&script);
    let named = |name: &str| -> Vec<_> {
        let mut found: Vec<_> = outcome.spans.iter().filter(|it| it.name == name).collect();
        found.sort_by_key(|span| span.start);
        found
    };
    let (sends, polls) = (named("send orders"), named("poll orders"));
    let ([first, second], [one, other, unknown]) = (&sends[..], &polls[..]) else {
        panic!("{:#?}", outcome.spans)
    };
    for (send, poll) in [(first, one), (second, other)] {
        assert_eq!(send.kind, Kind::Producer);
        let [link] = &poll.links[..] else { panic!("not one link: {poll:#?}") };
        assert_eq!((link.trace_id, link.span_id), (send.trace_id, send.span_id));
        assert_eq!(poll.attribute("messaging.batch.message_count"), Some(&1_i64.into()));
    }
    assert!(unknown.links.is_empty() && first.links.is_empty(), "{unknown:#?}");
    assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
}

#[test]
fn what_a_connection_from_before_the_tracer_brings_first_is_told() {
    for count in [1, 4] {
        let mut script = Script::new();
        let consumer = script.opened_before(5672, (5000, 6000));
        script.send(BROKER, consumer, End::Acceptor, &deliver().repeat(count));
        script.receive(SERVICE, consumer, End::Opener);
        let outcome = Outcome::of(&script);
        let told = outcome.spans.iter().filter(|span| span.kind == Kind::Consumer).count();
        assert_eq!((told, outcome.losses.len()), (count, 0), "{:?}", outcome.losses);
    }
}
