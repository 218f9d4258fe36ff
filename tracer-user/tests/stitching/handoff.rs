//! Threads that make calls for requests which other threads have read.

use crate::outcome::{Outcome, method, settings};
use crate::script::{Script, Task, Wire, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const BACK: Task = Task { pid: 30, tid: 30 };
const REQUESTS: u64 = 4;

/// The front service's thread for a request, or of its pool.
fn own(n: u64) -> Task {
    Task { pid: 20, tid: 200 + n as u32 }
}

fn pooled(n: u64) -> Task {
    Task { pid: 20, tid: 300 + n as u32 }
}

/// Rounds of requests that `reader` reads and answers, and for each of which a thread of the pool
/// makes a call. `known`: which request's reading it has from whoever handed it the work.
fn rounds(count: u64, reader: impl Fn(u64) -> Task, known: impl Fn(u64) -> usize) -> Script {
    let mut script = Script::new();
    let wires: Vec<(Wire, Wire)> =
        (0..REQUESTS).map(|_| (script.connect(CLIENT, 80), script.connect(task(20), 81))).collect();
    for round in 0..count {
        let mut read = vec![];
        for (n, wire) in (0..).zip(&wires) {
            script.ask(CLIENT, wire.0, &format!("/in/{round}/{n}"));
            read.push(script.next());
            script.hear(reader(n), wire.0);
        }
        for n in [2, 0, 3, 1] {
            let by = pooled((n + round) % REQUESTS);
            script.take_over(by, read[known(n)]);
            script.call(by, BACK, wires[n as usize].1, &format!("/out/{round}/{n}"), "");
        }
        for (n, wire) in (0..).zip(&wires) {
            script.answer(reader(n), wire.0);
            script.learn(CLIENT, wire.0);
        }
    }
    script
}

#[test]
fn what_was_handed_on_belongs_to_the_request_of_the_one_who_did() {
    let outcome = Outcome::of(&rounds(30, own, |n| n as usize));
    for n in 0..REQUESTS {
        let call = outcome.client(&format!("/out/29/{n}"));
        outcome.assert_edge(call, outcome.server(&format!("/in/29/{n}")), "handoff");
    }
}

#[test]
fn a_loop_that_hands_on_work_is_not_believed() {
    let last = |_| REQUESTS as usize - 1;
    let outcome = Outcome::with(&rounds(30, |_| own(0), last), settings());
    for n in 0..REQUESTS {
        let call = outcome.client(&format!("/out/29/{n}"));
        assert_ne!(method(call), Some("handoff"));
    }
}
