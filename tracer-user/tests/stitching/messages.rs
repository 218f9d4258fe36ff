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
