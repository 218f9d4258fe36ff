//! What services ask servers of names over UDP.

use tracer_common::record::{COURSE_RUNS, FLOW_GOROUTINE};
use tracer_user::trace::{Kind, Span};

use crate::outcome::{Outcome, settings, text};
use crate::script::{End, SECOND, Script, Task, Wire};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const SERVICE: Task = Task { pid: 20, tid: 21 };
const SERVER: Task = Task { pid: 53, tid: 53 };

/// A query of a name's address, or its answer with these flags.
fn message(number: u16, flags: u16, name: &str) -> Vec<u8> {
    let header = [number, flags, 1, 0, 0, 0].map(u16::to_be_bytes).concat();
    [&header, &[name.len() as u8][..], name.as_bytes(), b"\0\0\x01\0\x01"].concat()
}

fn ask(script: &mut Script, wire: Wire, number: u16, name: &str) {
    script.send(SERVICE, wire, End::Opener, &message(number, 0x0100, name));
}

fn answer(script: &mut Script, wire: Wire, number: u16, name: &str, code: u16) {
    script.send(SERVER, wire, End::Acceptor, &message(number, 0x8180 | code, name));
    script.receive(SERVICE, wire, End::Opener);
}

fn lookups(outcome: &Outcome) -> Vec<&Span> {
    let named = |span: &&Span| text(span, "dns.question.name").is_some();
    let mut found: Vec<&Span> = outcome.spans.iter().map(|span| &**span).filter(named).collect();
    found.sort_by_key(|span| span.start);
    found
}

#[test]
fn a_lookup_is_below_the_request_that_waits_for_it() {
    let mut script = Script::new();
    script.request((CLIENT, SERVICE), "/orders", |script| {
        let wire = script.datagrams(53);
        ask(script, wire, 1, "orders");
        // Two at a time on one socket, as resolvers ask; the second answer comes first.
        ask(script, wire, 2, "nowhere");
        answer(script, wire, 2, "nowhere", 3);
        answer(script, wire, 1, "orders", 0);
    });
    let outcome = Outcome::of(&script);
    let [orders, nowhere] = lookups(&outcome)[..] else { panic!("not two lookups") };
    for (lookup, name) in [(orders, "DNS lookup orders"), (nowhere, "DNS lookup nowhere")] {
        outcome.assert_edge(lookup, outcome.server("/orders"), "thread");
        assert_eq!((lookup.kind, &*lookup.name), (Kind::Client, name));
        assert_eq!(text(lookup, "network.transport"), Some("udp"));
        assert_eq!(text(lookup, "server.address"), Some("10.1.0.1"));
        assert_eq!(lookup.remote.service.as_deref(), Some("dns"));
    }
    assert_eq!(text(orders, "error.type"), None);
    assert_eq!(text(nowhere, "error.type"), Some("NXDOMAIN"));
    assert_eq!((outcome.left_out.lookups, outcome.losses.len()), (0, 0), "{:?}", outcome.losses);
}

#[test]
fn what_no_request_waits_for_is_told_only_when_asked_for() {
    let mut script = Script::new();
    let wire = script.datagrams(53);
    ask(&mut script, wire, 1, "orders");
    answer(&mut script, wire, 1, "orders", 0);
    let outcome = Outcome::of(&script);
    assert_eq!((outcome.spans.len(), outcome.left_out.lookups), (0, 1));
    let mut asked = settings();
    asked.backing.lookups = true;
    let outcome = Outcome::with(&script, asked);
    assert_eq!((lookups(&outcome).len(), outcome.left_out.lookups), (1, 0));
}

#[test]
fn one_that_is_never_answered_ends_with_its_last_try() {
    let mut script = Script::new();
    script.request((CLIENT, SERVICE), "/orders", |script| {
        let wire = script.datagrams(53);
        ask(script, wire, 1, "orders");
        script.wait(5 * SECOND);
        ask(script, wire, 1, "orders");
        script.wait(5 * SECOND);
    });
    let outcome = Outcome::of(&script);
    let [lookup] = lookups(&outcome)[..] else { panic!("not one lookup") };
    outcome.assert_edge(lookup, outcome.server("/orders"), "thread");
    assert_eq!(text(lookup, "error.type"), Some("timeout"));
    assert_eq!((lookup.end - lookup.start) / SECOND, 5);
}

/// A socket that is used again after a while is known again.
#[test]
fn a_quiet_socket_is_forgotten() {
    let mut script = Script::new();
    let wire = script.datagrams(53);
    script.request((CLIENT, SERVICE), "/orders", |script| {
        ask(script, wire, 1, "first");
        answer(script, wire, 1, "first", 0);
    });
    script.wait(60 * SECOND);
    script.request((CLIENT, SERVICE), "/orders", |script| {
        ask(script, wire, 2, "second");
        answer(script, wire, 2, "second", 0);
    });
    let outcome = Outcome::of(&script);
    let [first, second] = lookups(&outcome)[..] else { panic!("not two lookups") };
    assert_eq!(text(first, "dns.question.name"), Some("first"));
    assert_eq!(text(second, "dns.question.name"), Some("second"));
    assert_eq!(text(second, "server.address"), Some("10.1.0.1"));
    assert!(second.parent.is_some() && outcome.losses.is_empty(), "{:?}", outcome.losses);
}

/// Go's resolver: the request's goroutine starts one, which starts others that ask; two requests at a time.
#[test]
fn lookups_in_goroutines_of_goroutines_are_told_apart() {
    let mut script = Script::new();
    let ways = [1, 2].map(|n| (n, script.connect(CLIENT, 80)));
    for (n, wire) in ways {
        script.ask(CLIENT, wire, &format!("/orders/{n}"));
        script.run(SERVICE, FLOW_GOROUTINE, 100 + n, 1);
        script.hear(SERVICE, wire);
    }
    let mut sockets = vec![];
    for (n, wire) in ways {
        script.run(SERVICE, FLOW_GOROUTINE, 200 + n, 100 + n);
        script.stream(SERVICE, COURSE_RUNS, wire, End::Acceptor, 0);
        for kind in [300, 400] {
            let socket = script.datagrams(53);
            script.run(SERVICE, FLOW_GOROUTINE, kind + n, 200 + n);
            ask(&mut script, socket, 1, &format!("name-{n}"));
            sockets.push((n, socket));
        }
    }
    for (n, socket) in sockets {
        answer(&mut script, socket, 1, &format!("name-{n}"), 0);
    }
    for (n, wire) in ways {
        script.run(SERVICE, FLOW_GOROUTINE, 100 + n, 1);
        script.answer(SERVICE, wire);
        script.learn(CLIENT, wire);
    }
    let outcome = Outcome::of(&script);
    let found = lookups(&outcome);
    assert_eq!(found.len(), 4, "{:#?}", outcome.spans);
    for lookup in found {
        let n = lookup.name.rsplit('-').next().unwrap();
        outcome.assert_edge(lookup, outcome.server(&format!("/orders/{n}")), "context");
    }
}
