//! Goroutines and Python contexts: whoever asked for a call also read the request or answers it.

use tracer_common::record::{
    FLOW_CONNECTION, FLOW_FUTURE, FLOW_GOROUTINE, FLOW_PROMISE, FLOW_PYTHON, FLOW_TASK,
};

use crate::http::get;
use crate::outcome::Outcome;
use crate::script::{End, SECOND, Script, Task, Wire, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const BACK: Task = Task { pid: 30, tid: 30 };

/// Any of the front service's threads: none of them tells anything.
fn any(n: u64) -> Task {
    Task { pid: 20, tid: 200 + (n % 3) as u32 }
}

/// Five connections from the client, and five pooled ones to the back service that somebody opened
/// long ago.
fn wires(script: &mut Script) -> Vec<(Wire, Wire)> {
    (0..5).map(|_| (script.connect(CLIENT, 80), script.connect(task(20), 81))).collect()
}

/// Requests are read in context 100 + n; `call` makes the call of number n, in another order; they
/// are answered in context 100 + n, too.
fn crowd(kind: u32, read: impl Fn(u64) -> u64, call: impl Fn(&mut Script, u64, Wire)) -> Script {
    let mut script = Script::new();
    let wires = wires(&mut script);
    // Whoever opened the connections is gone: they have carried a request before.
    for wire in &wires {
        script.call(task(20), BACK, wire.1, "/before", "");
    }
    script.wait(60 * SECOND);
    for (n, wire) in (0..).zip(&wires) {
        script.ask(CLIENT, wire.0, &format!("/in/{n}"));
        script.run(any(n), kind, read(n), 0);
        script.hear(any(n), wire.0);
    }
    for n in [3, 1, 4, 0, 2] {
        call(&mut script, n, wires[n as usize].1);
    }
    for (n, wire) in (0..).zip(&wires) {
        script.run(any(n + 1), kind, 100 + n, 0);
        script.answer(any(n + 1), wire.0);
        script.learn(CLIENT, wire.0);
    }
    script
}

fn request(script: &mut Script, by: Task, n: u64, wire: Wire) {
    script.call(by, BACK, wire, &format!("/out/{n}"), "");
}

fn assert_right(script: &Script) {
    let outcome = Outcome::of(script);
    for n in 0..5 {
        let (call, request) =
            (outcome.client(&format!("/out/{n}")), outcome.server(&format!("/in/{n}")));
        outcome.assert_edge(call, request, "context");
    }
}

fn assert_orphans(script: &Script) {
    let outcome = Outcome::of(script);
    for n in 0..5 {
        let call = outcome.client(&format!("/out/{n}"));
        assert!(call.parent.is_none(), "{n}: {:?}", call.parent);
    }
}

#[test]
fn who_writes_in_the_context_that_read_the_request_belongs_to_it() {
    assert_right(&crowd(
        FLOW_GOROUTINE,
        |n| 100 + n,
        |script, n, wire| {
            script.run(any(n), FLOW_GOROUTINE, 100 + n, 0);
            request(script, any(n), n, wire);
        },
    ));
}

#[test]
fn the_context_that_answers_tells_where_another_read_the_request() {
    assert_right(&crowd(
        FLOW_PYTHON,
        |_| 7,
        |script, n, wire| {
            script.run(any(0), FLOW_PYTHON, 100 + n, 0);
            request(script, any(0), n, wire);
        },
    ));
}

#[test]
fn who_was_started_by_the_context_belongs_to_it_too() {
    assert_right(&crowd(
        FLOW_PYTHON,
        |_| 7,
        |script, n, wire| {
            script.run(any(0), FLOW_PYTHON, 100 + n, 0);
            script.begin(any(0), 200 + n);
            script.run(any(0), FLOW_PYTHON, 200 + n, 0);
            script.begin(any(0), 300 + n);
            script.run(any(0), FLOW_PYTHON, 300 + n, 0);
            request(script, any(0), n, wire);
        },
    ));
}

#[test]
fn a_goroutine_that_writes_for_others_belongs_to_who_asked() {
    assert_right(&crowd(
        FLOW_GOROUTINE,
        |n| 100 + n,
        |script, n, wire| {
            // Asked for in a goroutine that the handler started, written by the connection's own.
            script.run(any(n), FLOW_GOROUTINE, 200 + n, 100 + n);
            script.ask_on(any(n), wire);
            script.run(any(2), FLOW_GOROUTINE, 50, 100);
            request(script, any(2), n, wire);
        },
    ));
}

#[test]
fn the_starter_of_a_pooled_connection_says_nothing_of_its_later_requests() {
    assert_orphans(&crowd(
        FLOW_GOROUTINE,
        |n| 100 + n,
        |script, n, wire| {
            script.run(any(2), FLOW_GOROUTINE, 50 + n, 100);
            request(script, any(2), n, wire);
        },
    ));
}

/// A call on a connection of its own, opened in one context and written in another.
fn dial(opens: u64, writes: u64) -> Script {
    crowd(
        FLOW_GOROUTINE,
        |n| 100 + n,
        |script, n, _| {
            script.run(any(n), FLOW_GOROUTINE, opens + n, 100 + n);
            let wire = script.connect(any(n), 81);
            let parent = if opens == writes { 100 } else { opens };
            script.run(any(2), FLOW_GOROUTINE, writes + n, parent + n);
            request(script, any(2), n, wire);
        },
    )
}

#[test]
fn who_writes_on_a_connection_that_it_opened_belongs_to_its_starter() {
    assert_right(&dial(200, 200));
}

#[test]
fn who_writes_on_a_connection_that_another_opened_may_write_for_anybody() {
    assert_orphans(&dial(200, 300));
}

#[test]
fn a_context_that_serves_several_requests_at_once_names_none() {
    assert_orphans(&crowd(
        FLOW_PYTHON,
        |_| 7,
        |script, n, wire| {
            script.run(any(0), FLOW_PYTHON, 7, 0);
            request(script, any(0), n, wire);
        },
    ));
}

#[test]
fn on_a_new_connection_the_loop_writes_for_who_opened_it() {
    assert_right(&crowd(
        FLOW_PROMISE,
        |_| 0,
        |script, n, _| {
            script.run(any(0), FLOW_PROMISE, 100 + n, 0);
            let wire = script.connect(any(0), 81);
            script.run(any(0), FLOW_PROMISE, 100 + (n + 1) % 5, 0);
            request(script, any(0), n, wire);
        },
    ));
}

#[test]
fn whose_turn_is_first_of_two_who_ask_is_not_guessed() {
    assert_orphans(&crowd(
        FLOW_GOROUTINE,
        |n| 100 + n,
        |script, n, wire| {
            for asker in [n, (n + 1) % 5] {
                script.run(any(n), FLOW_GOROUTINE, 100 + asker, 0);
                script.ask_on(any(n), wire);
            }
            script.run(any(2), FLOW_GOROUTINE, 50, 100);
            request(script, any(2), n, wire);
        },
    ));
}

/// Requests come on connections of their own, whose tasks have no name before they answer; tasks of the
/// pooled connections write for them.
#[test]
fn who_waits_for_a_call_belongs_to_the_connection_that_is_answered() {
    assert_right(&crowd(
        FLOW_TASK,
        |_| 0,
        |script, n, wire| {
            script.run(any(0), FLOW_TASK, 100 + n, 0);
            request(script, any(0), n, wire);
        },
    ));
}

#[test]
fn a_task_that_is_waited_for_only_by_the_response_belongs_to_who_waits_then() {
    assert_right(&crowd(
        FLOW_TASK,
        |_| 0,
        |script, n, wire| {
            script.run(any(0), FLOW_TASK, 200 + n, 0);
            script.ask(any(0), wire, &format!("/out/{n}"));
            script.hear(BACK, wire);
            script.answer(BACK, wire);
            script.run(any(1), FLOW_TASK, 100 + n, 0);
            script.learn(any(1), wire);
        },
    ));
}

/// The task serves one request after the other, and nobody waits for what one has left behind.
#[test]
fn a_task_that_nobody_waits_for_belongs_to_nothing() {
    assert_orphans(&crowd(
        FLOW_TASK,
        |_| 0,
        |script, n, wire| {
            script.run(any(0), FLOW_TASK, 200 + n, 0);
            request(script, any(0), n, wire);
        },
    ));
}

/// Calls are written by one thread and their responses read by another, for what `waits` names.
fn futures(waits: impl Fn(u64) -> u64) -> Script {
    crowd(
        FLOW_FUTURE,
        |_| 0,
        |script, n, wire| {
            script.run(any(0), FLOW_FUTURE, 0, 0);
            script.ask(any(0), wire, &format!("/out/{n}"));
            script.hear(BACK, wire);
            script.answer(BACK, wire);
            script.run(any(1), FLOW_FUTURE, waits(n), 0);
            script.learn(any(1), wire);
        },
    )
}

#[test]
fn who_waits_for_a_response_may_be_told_when_it_comes() {
    assert_right(&futures(|n| 100 + n));
}

#[test]
fn what_nobody_is_told_to_wait_for_has_no_parent() {
    assert_orphans(&futures(|_| 0));
}

#[test]
fn what_waits_for_a_response_and_answers_nobody_is_no_parent() {
    assert_orphans(&futures(|n| 900 + n));
}

/// Two clients send three requests each in one piece; a proxy on one thread passes them on, in order for
/// each client, and says for which connection. The last thing it read is the other client's.
#[test]
fn calls_for_a_connection_belong_to_the_first_of_its_requests_that_is_not_answered() {
    let mut script = Script::new();
    let wires = &wires(&mut script)[..2];
    let proxy = any(0);
    script.wait(60 * SECOND);
    for (n, wire) in (0..).zip(wires) {
        let requests = (0..3).flat_map(|turn| get(&format!("/in/{n}{turn}"), ""));
        script.send(CLIENT, wire.0, End::Opener, &requests.collect::<Vec<_>>());
        script.run(proxy, FLOW_CONNECTION, 100 + n, 0);
        script.hear(proxy, wire.0);
    }
    for turn in 0..3 {
        for (n, wire) in (0..).zip(wires) {
            script.run(proxy, FLOW_CONNECTION, 100 + n, 0);
            script.call(proxy, BACK, wire.1, &format!("/out/{n}{turn}"), "");
            // Each call has been decided by the time of the response.
            script.wait(2 * SECOND);
        }
        for (n, wire) in (0..).zip(wires) {
            script.run(proxy, FLOW_CONNECTION, 100 + n, 0);
            script.answer(proxy, wire.0);
            script.learn(CLIENT, wire.0);
        }
    }
    let outcome = Outcome::of(&script);
    for name in ["00", "01", "02", "10", "11", "12"] {
        let call = outcome.client(&format!("/out/{name}"));
        outcome.assert_edge(call, outcome.server(&format!("/in/{name}")), "context");
    }
}
