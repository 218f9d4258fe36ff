//! Threads that are given requests which another thread has read: they make the calls and answer.

use crate::outcome::{Outcome, method};
use crate::script::{Script, Task, Wire, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const READER: Task = Task { pid: 20, tid: 20 };
const BACK: Task = Task { pid: 30, tid: 30 };
const REQUESTS: usize = 4;

fn worker(n: usize) -> Task {
    Task { pid: 20, tid: 200 + (n % REQUESTS) as u32 }
}

/// Rounds of requests that one thread reads, and for which workers make a call and answer.
fn rounds(count: usize) -> Script {
    let mut script = Script::new();
    let wires: Vec<(Wire, Wire)> =
        (0..REQUESTS).map(|_| (script.connect(CLIENT, 80), script.connect(task(20), 81))).collect();
    for round in 0..count {
        for (n, wire) in wires.iter().enumerate() {
            script.ask(CLIENT, wire.0, &format!("/in/{round}/{n}"));
            script.hear(READER, wire.0);
        }
        for n in [2, 0, 3, 1] {
            let path = format!("/out/{round}/{n}");
            script.call(worker(n + round), BACK, wires[n].1, &path, "");
        }
        for (n, wire) in wires.iter().enumerate() {
            script.answer(worker(n + round), wire.0);
            script.learn(CLIENT, wire.0);
        }
    }
    script
}

#[test]
fn the_request_is_the_one_that_the_worker_answers() {
    let outcome = Outcome::of(&rounds(30));
    for n in 0..REQUESTS {
        let call = outcome.client(&format!("/out/29/{n}"));
        outcome.assert_edge(call, outcome.server(&format!("/in/29/{n}")), "answer");
    }
}

#[test]
fn a_loop_that_is_given_requests_says_nothing_by_what_it_answers() {
    let mut script = Script::new();
    let wires: Vec<(Wire, Wire)> =
        (0..REQUESTS).map(|_| (script.connect(CLIENT, 80), script.connect(task(20), 81))).collect();
    for round in 0..30 {
        for (n, wire) in wires.iter().enumerate() {
            script.ask(CLIENT, wire.0, &format!("/in/{round}/{n}"));
            script.hear(READER, wire.0);
        }
        for n in [2, 0, 3, 1] {
            script.ask(worker(0), wires[n].1, &format!("/out/{round}/{n}"));
        }
        for wire in &wires {
            script.hear(BACK, wire.1);
            script.answer(BACK, wire.1);
            script.learn(worker(0), wire.1);
        }
        for wire in &wires {
            script.answer(worker(0), wire.0);
            script.learn(CLIENT, wire.0);
        }
    }
    let outcome = Outcome::of(&script);
    for n in 0..REQUESTS {
        let call = outcome.client(&format!("/out/29/{n}"));
        let right = outcome.server(&format!("/in/29/{n}")).span_id;
        assert!(call.parent.is_none_or(|parent| parent == right), "{n} by {:?}", method(call));
    }
}
