//! Encrypted connections: one span for all of each where their plaintext is not had, and none where it
//! is.

use tracer_common::record::VERDICT_TLS;
use tracer_user::pipeline::Settings;
use tracer_user::trace::{Kind, Span, Value};

use crate::http::{OK, get};
use crate::outcome::{Outcome, settings, text};
use crate::recording::{recorded, recorded_with};
use crate::script::{End, SECOND, Script, Task, Wire, task};

const FRONT: Task = Task { pid: 20, tid: 21 };
const BACK: Task = Task { pid: 30, tid: 30 };

fn part(width: usize, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len().to_be_bytes();
    [&length[length.len() - width..], bytes].concat()
}

fn hello(message: u8, before: &[u8], extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let extensions =
        extensions.iter().map(|(kind, bytes)| [&kind.to_be_bytes()[..], &part(2, bytes)].concat());
    let extensions = part(2, &extensions.collect::<Vec<_>>().concat());
    let body = [&[3, 3][..], &[0xee; 32], &part(1, &[0xee; 32]), before, &extensions].concat();
    [&[22, 3, 1][..], &part(2, &[&[message][..], &part(3, &body)].concat())].concat()
}

/// Of a client that wants `there`, and of a server that speaks TLS 1.3.
fn hellos() -> [Vec<u8>; 2] {
    let name = part(2, &[&[0][..], &part(2, b"there")].concat());
    let protocols = part(2, &[part(1, b"h2"), part(1, b"http/1.1")].concat());
    let ciphers = [part(2, &[0x13, 1]), part(1, &[0])].concat();
    [
        hello(1, &ciphers, &[(0, name), (16, protocols)]),
        hello(2, &[0x13, 1, 0], &[(43, vec![3, 4])]),
    ]
}

fn shake_hands(script: &mut Script, from: Task, to: Task, wire: Wire) {
    let [client, server] = hellos();
    script.hellos(from, to, wire, [&client, &server]);
}

/// A request to the front, whose thread opens an encrypted connection meanwhile.
fn calling(script: &mut Script, path: &str, port: u16) -> (Wire, Wire) {
    let outer = script.outsider(80);
    script.send(task(9), outer, End::Opener, &get(path, ""));
    script.hear(FRONT, outer);
    let wire = script.connect(FRONT, port);
    shake_hands(script, FRONT, BACK, wire);
    (outer, wire)
}

fn close(script: &mut Script, wire: Wire) {
    script.traffic(FRONT, wire, End::Opener, (700, 9000));
    script.traffic(BACK, wire, End::Acceptor, (9000, 700));
    script.close(wire);
}

fn sealed(outcome: &Outcome, kind: Kind) -> Vec<&Span> {
    let all = outcome.spans.iter().map(|span| &**span);
    all.filter(|span| span.kind == kind && span.name == "TLS").collect()
}

#[track_caller]
fn both(outcome: &Outcome) -> [&Span; 2] {
    [Kind::Client, Kind::Server].map(|kind| match sealed(outcome, kind)[..] {
        [span] => span,
        ref several => panic!("{} {kind:?} spans", several.len()),
    })
}

fn number(span: &Span, key: &str) -> Option<i64> {
    match span.attribute(key) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}

#[test]
fn both_ends_are_told_and_hang_under_the_request_that_opened_it() {
    for held in [0, 20 * SECOND] {
        let mut script = Script::new();
        let (outer, wire) = calling(&mut script, "/a", 443);
        script.answer(FRONT, outer);
        script.wait(held);
        close(&mut script, wire);
        let outcome = recorded(&script);
        assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
        let [client, server] = both(&outcome);
        outcome.assert_edge(client, outcome.server("/a"), "thread");
        outcome.assert_edge(server, client, "pair");
        for span in [client, server] {
            assert_eq!(text(span, "server.address"), Some("there"));
            assert_eq!(number(span, "server.port"), Some(443));
            assert_eq!(text(span, "tls.client.server_name"), Some("there"));
            assert_eq!(text(span, "tls.protocol.version"), Some("1.3"));
            assert_eq!(text(span, "tracer.incomplete"), None);
            assert!(span.end - span.start >= held && !span.is_error());
            assert!(number(span, "http.request.body.size").is_none());
        }
        let bytes = |span, way: &str| number(span, &format!("tracer.connection.{way}")).unwrap();
        assert_eq!((bytes(client, "sent"), bytes(client, "received")), (700, 9000));
        assert_eq!((bytes(server, "sent"), bytes(server, "received")), (9000, 700));
    }
}

#[test]
fn where_plaintext_is_had_requests_are_told_instead() {
    // Long after the two were taken for one that is not, too.
    for later in [0, 10 * SECOND] {
        let mut script = Script::new();
        let (outer, wire) = calling(&mut script, "/a", 443);
        script.wait(later);
        script.plaintext(FRONT, wire, End::Opener, true, &get("/b", ""));
        script.plaintext(BACK, wire, End::Acceptor, false, &get("/b", ""));
        script.plaintext(BACK, wire, End::Acceptor, true, OK);
        script.plaintext(FRONT, wire, End::Opener, false, OK);
        script.answer(FRONT, outer);
        close(&mut script, wire);
        let outcome = recorded(&script);
        assert_eq!(outcome.spans.len(), 3);
        let client = outcome.client("https://there/b");
        outcome.assert_edge(client, outcome.server("/a"), "thread");
        outcome.assert_edge(outcome.server("/b"), client, "pair");
    }
}

#[test]
fn plaintext_that_is_no_http_makes_no_span() {
    for later in [0, 10 * SECOND] {
        let mut script = Script::new();
        let (outer, wire) = calling(&mut script, "/a", 443);
        script.wait(later);
        script.decode(FRONT, wire, End::Opener);
        script.decode(BACK, wire, End::Acceptor);
        script.answer(FRONT, outer);
        close(&mut script, wire);
        assert_eq!(recorded(&script).spans.len(), 1);
    }
}

#[test]
fn one_end_may_be_had_and_the_other_not() {
    for later in [0, 10 * SECOND] {
        let mut script = Script::new();
        let (outer, wire) = calling(&mut script, "/a", 443);
        script.wait(later);
        script.plaintext(FRONT, wire, End::Opener, true, &get("/b", ""));
        script.plaintext(FRONT, wire, End::Opener, false, OK);
        script.answer(FRONT, outer);
        close(&mut script, wire);
        let outcome = recorded(&script);
        assert_eq!(outcome.spans.len(), 3);
        let [server] = sealed(&outcome, Kind::Server)[..] else { panic!("no span of the other") };
        let ids: Vec<_> = outcome.spans.iter().map(|span| span.span_id).collect();
        assert!(server.parent.is_none_or(|parent| ids.contains(&parent)), "below nothing");
        assert!(sealed(&outcome, Kind::Client).is_empty());
        if later == 0 {
            let call = outcome.client("https://there/b");
            outcome.assert_edge(server, call, "pair");
            assert!(call.start <= server.start);
        }
    }
}

#[test]
fn what_is_done_inside_is_not_guessed() {
    let mut script = Script::new();
    let (outer, wire) = calling(&mut script, "/a", 443);
    script.answer(FRONT, outer);
    script.wait(2 * SECOND);
    let inner = script.connect(BACK, 80);
    script.call(BACK, task(40), inner, "/c", "");
    close(&mut script, wire);
    let outcome = recorded(&script);
    assert_eq!(outcome.client("/c").parent, None);
}

#[test]
fn those_from_before_the_tracer_are_told_from_their_first_sight_on() {
    let mut script = Script::new();
    let wire = script.opened_before(443, (500, 500));
    script.judge(wire, End::Opener, VERDICT_TLS);
    script.judge(wire, End::Acceptor, VERDICT_TLS);
    let listed = script.ends(wire, End::Acceptor);
    script.announce(FRONT, wire, End::Opener);
    script.announce(BACK, wire, End::Acceptor);
    script.wait(5 * SECOND);
    close(&mut script, wire);
    let mut pipeline = crate::outcome::pipeline(settings());
    pipeline.existing([(listed, BACK.pid)], true);
    crate::outcome::feed(&mut pipeline, &script, 0);
    let outcome = Outcome::end(pipeline, &script);
    let [client, server] = both(&outcome);
    outcome.assert_edge(server, client, "pair");
    for span in [client, server] {
        assert_eq!(text(span, "tracer.incomplete"), Some("bytes_lost"));
    }
    assert_eq!(number(client, "tracer.connection.sent"), Some(700));
}

#[test]
fn those_that_are_open_at_the_end_say_so() {
    let mut script = Script::new();
    let (outer, _) = calling(&mut script, "/a", 443);
    script.answer(FRONT, outer);
    let outcome = recorded(&script);
    let [client, server] = both(&outcome);
    outcome.assert_edge(client, outcome.server("/a"), "thread");
    for span in [client, server] {
        assert_eq!(text(span, "tracer.incomplete"), Some("tracer_stopped"));
        assert_eq!(number(span, "tracer.connection.sent"), None);
    }
}

#[test]
fn they_are_bounded() {
    let mut script = Script::new();
    let wires: Vec<_> = (0..6).map(|port| script.connect(FRONT, 400 + port)).collect();
    for &wire in &wires {
        shake_hands(&mut script, FRONT, BACK, wire);
    }
    wires.iter().for_each(|&wire| close(&mut script, wire));
    let outcome = recorded_with(&script, Settings { connections: 6, ..settings() });
    assert_eq!(outcome.losses.get("tls_connections_full"), Some(&6));
    let full = |span: &&Span| text(span, "tracer.incomplete") == Some("table_full");
    let clients = sealed(&outcome, Kind::Client);
    assert_eq!((clients.len(), clients.into_iter().filter(full).count()), (6, 3));
}

#[test]
fn a_tunnel_has_a_connection_of_its_own() {
    let mut script = Script::new();
    let wire = script.connect(FRONT, 3128);
    script.send(FRONT, wire, End::Opener, b"CONNECT there:443 HTTP/1.1\r\nHost: there:443\r\n\r\n");
    script.hear(BACK, wire);
    script.send(BACK, wire, End::Acceptor, b"HTTP/1.1 200 OK\r\n\r\n");
    script.learn(FRONT, wire);
    shake_hands(&mut script, FRONT, BACK, wire);
    script.wait(3 * SECOND);
    close(&mut script, wire);
    let outcome = recorded(&script);
    assert_eq!(outcome.spans.len(), 4);
    let [client, server] = both(&outcome);
    outcome.assert_edge(server, client, "pair");
    assert_eq!(text(client, "server.address"), Some("there"));
}
