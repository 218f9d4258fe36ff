//! Pairs and ids: the two ends of an exchange find each other, whatever the connection went
//! through, and the same events always give the same ids.

use std::collections::VecDeque;

use fastrand::Rng;
use tracer_user::trace::Kind;

use crate::http::{OK, get};
use crate::journeys::{Runtime, service, simulate};
use crate::outcome::{Outcome, text};
use crate::script::{End, SECOND, Script, Task, Wire, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const SERVER: Task = Task { pid: 20, tid: 20 };

fn assert_paired(outcome: &Outcome, path: &str) {
    let (client, server) = (outcome.client(path), outcome.server(path));
    outcome.assert_edge(server, client, "pair");
    assert!(client.start <= server.start && server.end <= client.end, "{path}");
    assert_eq!(text(client, "peer.service"), Some("pid-20"));
}

#[test]
fn the_same_events_give_the_same_ids() {
    let services = [service(Runtime::Threads, &[1]), service(Runtime::Loop, &[])];
    let script = simulate(&services, 8, 100, 7);
    assert_eq!(Outcome::of(&script).trees(), Outcome::of(&script).trees());
    let other = simulate(&services, 8, 100, 7);
    assert_eq!(Outcome::of(&script).trees(), Outcome::of(&other).trees());
}

/// Every process's own records stay in their order; between processes, chance decides, within a
/// window of eight records.
#[test]
fn the_order_between_processes_does_not_matter() {
    let services = [service(Runtime::Threads, &[1]), service(Runtime::Threads, &[])];
    let script = simulate(&services, 8, 100, 7);
    let expected = Outcome::of(&script).trees();
    for seed in 0..8 {
        let mut rng = Rng::with_seed(seed);
        let mut waiting: VecDeque<_> = script.records.iter().cloned().collect();
        let mut shuffled = Script::new();
        shuffled.now = script.now;
        while !waiting.is_empty() {
            let chosen = rng.usize(0..waiting.len().min(8));
            let pid = waiting[chosen].pid;
            let first = waiting.iter().position(|record| record.pid == pid).expect("chosen");
            shuffled.records.extend(waiting.remove(first));
        }
        assert_eq!(Outcome::of(&shuffled).trees(), expected, "{seed}");
    }
}

#[test]
fn a_server_may_read_before_the_clients_send_returns() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    let sending = script.send_slowly(CLIENT, wire, End::Opener, &get("/a", ""));
    script.hear(SERVER, wire);
    script.complete(sending);
    let answering = script.send_slowly(SERVER, wire, End::Acceptor, OK);
    script.learn(CLIENT, wire);
    script.complete(answering);
    let outcome = Outcome::of(&script);
    assert_paired(&outcome, "/a");
    assert_eq!(outcome.spans.len(), 2);
}

/// Go: one thread writes requests, another reads responses.
#[test]
fn a_response_may_be_read_before_the_requests_send_returns() {
    let mut script = Script::new();
    let (wire, reader) = (script.connect(CLIENT, 80), Task { tid: 11, ..CLIENT });
    for i in 0..5 {
        let path = format!("/{i}");
        let sending = script.send_slowly(CLIENT, wire, End::Opener, &get(&path, ""));
        script.hear(SERVER, wire);
        script.answer(SERVER, wire);
        script.learn(reader, wire);
        script.complete(sending);
    }
    let outcome = Outcome::of(&script);
    (0..5).for_each(|i| assert_paired(&outcome, &format!("/{i}")));
    assert_eq!(outcome.spans.len(), 10);
}

#[test]
fn a_late_end_is_clamped_even_when_its_peer_is_long_gone() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    let sending = script.send_slowly(CLIENT, wire, End::Opener, &get("/a", ""));
    script.hear(SERVER, wire);
    script.complete(sending);
    script.answer(SERVER, wire);
    script.wait(100 * SECOND);
    script.learn(CLIENT, wire);
    assert_paired(&Outcome::of(&script), "/a");
}

#[test]
fn requests_of_a_kept_connection_are_told_apart() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    for i in 0..100 {
        script.call(CLIENT, SERVER, wire, &format!("/{i}"), "");
    }
    let outcome = Outcome::of(&script);
    (0..100).for_each(|i| assert_paired(&outcome, &format!("/{i}")));
    let traces: std::collections::HashSet<_> =
        outcome.spans.iter().map(|span| span.trace_id).collect();
    assert_eq!(traces.len(), 100);
}

#[test]
fn pipelined_requests_are_paired_one_by_one() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    let all = [get("/a", ""), get("/b", ""), get("/c", "")].concat();
    script.send(CLIENT, wire, End::Opener, &all);
    script.hear(SERVER, wire);
    script.ask(CLIENT, wire, "/d");
    script.answer(SERVER, wire);
    script.hear(SERVER, wire);
    script.send(SERVER, wire, End::Acceptor, &[OK, OK, OK].concat());
    script.learn(CLIENT, wire);
    let outcome = Outcome::of(&script);
    ["/a", "/b", "/c", "/d"].iter().for_each(|path| assert_paired(&outcome, path));
    assert_eq!(outcome.spans.len(), 8);
}

#[test]
fn heads_split_at_any_byte_are_paired() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    for i in 1..20 {
        let (path, request) = (format!("/{i}"), get(&format!("/{i}"), ""));
        let (one, two) = request.split_at(i);
        script.send(CLIENT, wire, End::Opener, one);
        script.hear(SERVER, wire);
        script.send(CLIENT, wire, End::Opener, two);
        script.hear(SERVER, wire);
        script.answer(SERVER, wire);
        script.learn(CLIENT, wire);
        assert_paired(&Outcome::of(&script), &path);
    }
}

#[test]
fn a_connection_opened_before_the_tracer_is_paired() {
    for moved in [(0, 0), (1234, 99), (u32::MAX - 50, 7)] {
        let mut script = Script::new();
        let wire = script.opened_before(80, moved);
        script.call(CLIENT, SERVER, wire, "/a", "");
        script.call(CLIENT, SERVER, wire, "/b", "");
        let outcome = Outcome::of(&script);
        ["/a", "/b"].iter().for_each(|path| assert_paired(&outcome, path));
    }
}

#[test]
fn what_comes_outsider_is_a_root() {
    let mut script = Script::new();
    let wire = script.outsider(80);
    script.call(CLIENT, SERVER, wire, "/a", "");
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.spans.len(), 1);
    assert_eq!(outcome.server("/a").parent, None);
}

/// Three services that call each other in a row, on connections of their own.
#[test]
fn ids_do_not_depend_on_what_else_happens() {
    let chain = |script: &mut Script, wires: [Wire; 3]| {
        let [a, b, c] = [21, 22, 23].map(task);
        script.ask(CLIENT, wires[0], "/a");
        script.hear(a, wires[0]);
        script.ask(a, wires[1], "/b");
        script.hear(b, wires[1]);
        script.call(b, c, wires[2], "/c", "");
        script.answer(b, wires[1]);
        script.learn(a, wires[1]);
        script.answer(a, wires[0]);
        script.learn(CLIENT, wires[0]);
    };
    let mut alone = Script::new();
    let wires =
        [(CLIENT, 1), (task(21), 2), (task(22), 3)].map(|(by, port)| alone.connect(by, port));
    chain(&mut alone, wires);
    let mut busy = Script::new();
    let wires =
        [(CLIENT, 1), (task(21), 2), (task(22), 3)].map(|(by, port)| busy.connect(by, port));
    let other = busy.connect(task(31), 9);
    busy.ask(task(31), other, "/other");
    chain(&mut busy, wires);
    busy.hear(task(32), other);
    busy.answer(task(32), other);
    busy.learn(task(31), other);
    let (alone, busy) = (Outcome::of(&alone), Outcome::of(&busy));
    for (kind, path) in [(Kind::Client, "/a"), (Kind::Server, "/b"), (Kind::Server, "/c")] {
        let (one, two) = (alone.span(kind, path), busy.span(kind, path));
        assert_eq!(
            (one.span_id, one.trace_id, one.parent),
            (two.span_id, two.trace_id, two.parent)
        );
    }
    assert_eq!(busy.server("/c").trace_id, busy.client("/a").trace_id);
    assert_ne!(busy.server("/other").trace_id, busy.client("/a").trace_id);
}
