//! Threads that a request starts, which make calls for it.

use crate::outcome::{Outcome, method};
use crate::script::{Script, Task, Wire, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const BACK: Task = Task { pid: 30, tid: 30 };
const REQUESTS: usize = 4;

/// The front service's thread for a request.
fn own(n: usize) -> Task {
    Task { pid: 20, tid: 200 + n as u32 }
}

/// One that it starts.
fn child(n: usize) -> Task {
    Task { pid: 20, tid: 300 + n as u32 }
}

/// Rounds of requests to `reader`, who starts a thread for the call of each. If they are not `joined`
/// in time, those of the first round go on to work for other requests.
fn rounds(count: usize, reader: impl Fn(usize) -> Task, joined: bool) -> Script {
    let mut script = Script::new();
    let wires: Vec<(Wire, Wire)> =
        (0..REQUESTS).map(|_| (script.connect(CLIENT, 80), script.connect(task(20), 81))).collect();
    for round in 0..count {
        for (n, wire) in wires.iter().enumerate() {
            script.ask(CLIENT, wire.0, &format!("/in/{round}/{n}"));
            script.hear(reader(n), wire.0);
            if joined || round == 0 {
                script.spawn(reader(n), child(n).tid);
            }
        }
        for n in [2, 0, 3, 1] {
            let by = if joined { n } else { (n + round) % REQUESTS };
            script.call(child(by), BACK, wires[n].1, &format!("/out/{round}/{n}"), "");
            if joined {
                script.end(child(n));
            }
        }
        for (n, wire) in wires.iter().enumerate() {
            script.answer(reader(n), wire.0);
            script.learn(CLIENT, wire.0);
        }
    }
    script
}

#[test]
fn what_a_thread_does_belongs_to_the_request_that_it_was_started_for() {
    let outcome = Outcome::of(&rounds(30, own, true));
    for n in 0..REQUESTS {
        let call = outcome.client(&format!("/out/29/{n}"));
        outcome.assert_edge(call, outcome.server(&format!("/in/29/{n}")), "spawn");
    }
}

#[test]
fn threads_of_a_pool_are_not_believed_for_long() {
    let outcome = Outcome::of(&rounds(30, own, false));
    for n in 0..REQUESTS {
        assert_ne!(method(outcome.client(&format!("/out/29/{n}"))), Some("spawn"));
    }
}

#[test]
fn what_a_loop_starts_has_more_than_one_cause() {
    let outcome = Outcome::of(&rounds(30, |_| own(0), true));
    for n in 0..REQUESTS {
        let call = outcome.client(&format!("/out/29/{n}"));
        let right = outcome.server(&format!("/in/29/{n}")).span_id;
        assert!(call.parent.is_none_or(|parent| parent == right), "{n} by {:?}", method(call));
    }
}
