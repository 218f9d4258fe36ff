//! An event loop that reads all that has come before it acts on any of it.

use crate::outcome::{Outcome, method, settings};
use crate::script::{Script, Task, Wire, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const LOOP: Task = Task { pid: 20, tid: 20 };
const BACK: Task = Task { pid: 30, tid: 30 };

/// Rounds of four requests that are read together, passed on together, and whose responses are read
/// together in the order of `responses` and passed on in the order of `answers`.
fn rounds(count: usize, calls: [usize; 4], responses: [usize; 4], answers: [usize; 4]) -> Script {
    let mut script = Script::new();
    let wires: Vec<(Wire, Wire)> =
        (0..4).map(|_| (script.connect(CLIENT, 80), script.connect(task(20), 81))).collect();
    for round in 0..count {
        for (n, wire) in wires.iter().enumerate() {
            script.ask(CLIENT, wire.0, &format!("/in/{round}/{n}"));
        }
        wires.iter().for_each(|wire| script.hear(LOOP, wire.0));
        for n in calls {
            script.ask(LOOP, wires[n].1, &format!("/out/{round}/{n}"));
        }
        for n in responses {
            script.hear(BACK, wires[n].1);
            script.answer(BACK, wires[n].1);
        }
        responses.iter().for_each(|&n| script.learn(LOOP, wires[n].1));
        for n in answers {
            script.answer(LOOP, wires[n].0);
            script.learn(CLIENT, wires[n].0);
        }
    }
    script
}

#[test]
fn what_is_passed_on_in_the_order_in_which_it_came_belongs_together() {
    let script = rounds(40, [0, 1, 2, 3], [2, 0, 3, 1], [2, 0, 3, 1]);
    let outcome = Outcome::of(&script);
    for round in 20..40 {
        for n in 0..4 {
            let call = outcome.client(&format!("/out/{round}/{n}"));
            let request = outcome.server(&format!("/in/{round}/{n}"));
            outcome.assert_edge(call, request, "queue");
        }
    }
}

#[test]
fn a_loop_with_another_order_is_believed_only_where_the_times_agree() {
    let script = rounds(40, [0, 1, 2, 3], [2, 0, 3, 1], [3, 1, 0, 2]);
    let outcome = Outcome::with(&script, settings());
    for round in 0..40 {
        for n in 0..4 {
            let call = outcome.client(&format!("/out/{round}/{n}"));
            let request = outcome.server(&format!("/in/{round}/{n}"));
            if method(call) == Some("queue") {
                outcome.assert_edge(call, request, "queue");
            }
        }
    }
}
