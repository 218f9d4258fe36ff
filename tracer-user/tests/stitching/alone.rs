//! Alone in flight: believed only where nothing else can have been the cause.

use tracer_common::record::{VERDICT_OTHER, VERDICT_UNDECIDED};
use tracer_user::pipeline::{Pipeline, Settings};

use crate::outcome::{Outcome, Paper, feed, pipeline, settings};
use crate::script::{End, SECOND, Script, Task, Wire, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const NEXT: Task = Task { pid: 30, tid: 30 };

/// The service's threads: one reads and answers, another calls.
fn front() -> (Task, Task) {
    (Task { pid: 20, tid: 21 }, Task { pid: 20, tid: 22 })
}

/// A request to the service, and its call, by another thread, so that nothing but being alone
/// speaks for it.
fn hand_over(script: &mut Script) {
    let (reader, caller) = front();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(caller, 81));
    hand_over_on(script, one, two, reader, caller);
}

fn hand_over_on(script: &mut Script, one: Wire, two: Wire, reader: Task, caller: Task) {
    script.ask(CLIENT, one, "/in");
    script.hear(reader, one);
    script.call(caller, NEXT, two, "/out", "");
    script.answer(reader, one);
    script.learn(CLIENT, one);
}

fn assert_silent(outcome: &Outcome) {
    assert_eq!(outcome.client("/out").parent, None);
    assert_ne!(outcome.client("/out").trace_id, outcome.server("/in").trace_id);
}

fn assert_told(outcome: &Outcome) {
    outcome.assert_edge(outcome.client("/out"), outcome.server("/in"), "alone");
}

/// Plays the script after something was done to the pipeline.
fn after(script: &Script, act: impl FnOnce(&mut Pipeline<Paper>)) -> Outcome {
    let mut pipeline = pipeline(settings());
    act(&mut pipeline);
    feed(&mut pipeline, script, 0);
    Outcome::end(pipeline, script)
}

#[test]
fn it_is_the_cause() {
    let mut script = Script::new();
    hand_over(&mut script);
    assert_told(&Outcome::of(&script));
}

#[test]
fn it_says_nothing_of_two() {
    let mut script = Script::new();
    let other = script.connect(task(11), 80);
    script.ask(task(11), other, "/other");
    script.hear(front().0, other);
    hand_over(&mut script);
    script.answer(front().0, other);
    assert_silent(&Outcome::of(&script));
}

#[test]
fn it_says_nothing_after_the_answer() {
    let mut script = Script::new();
    let (reader, caller) = front();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(caller, 81));
    script.call(CLIENT, reader, one, "/in", "");
    script.call(caller, NEXT, two, "/out", "");
    assert_silent(&Outcome::of(&script));
}

#[test]
fn it_says_nothing_while_an_old_connection_has_not_been_seen() {
    let mut script = Script::new();
    let old = script.opened_before(80, (500, 500));
    let ends = script.ends(old, End::Acceptor);
    hand_over(&mut script);
    assert_silent(&after(&script, |pipeline| pipeline.existing([(ends, 20)], true)));
}

#[test]
fn it_speaks_again_once_the_old_connection_was_seen_or_is_gone() {
    let mut script = Script::new();
    let old = script.opened_before(80, (500, 500));
    let ends = script.ends(old, End::Acceptor);
    script.call(CLIENT, front().0, old, "/old", "");
    hand_over(&mut script);
    assert_told(&after(&script, |pipeline| pipeline.existing([(ends, 20)], true)));

    let mut script = Script::new();
    hand_over(&mut script);
    assert_told(&after(&script, |pipeline| {
        pipeline.existing([(ends, 20)], true);
        pipeline.existing([], false);
        assert!(!pipeline.waits_for_existing());
    }));
}

/// A request that began before the tracer shows itself by its response only, perhaps after the
/// call that it made.
#[test]
fn it_says_nothing_of_the_time_before_the_old_connection_was_seen() {
    let mut script = Script::new();
    let old = script.opened_before(80, (500, 500));
    let ends = script.ends(old, End::Acceptor);
    hand_over(&mut script);
    script.answer(front().0, old);
    assert_silent(&after(&script, |pipeline| pipeline.existing([(ends, 20)], true)));
}

#[test]
fn it_says_nothing_when_records_were_lost() {
    let mut script = Script::new();
    hand_over(&mut script);
    let mut pipeline = pipeline(settings());
    feed(&mut pipeline, &script, 0);
    pipeline.lost_records(script.now, script.now);
    assert_silent(&Outcome::end(pipeline, &script));
}

/// What was lost may be the beginning of a request that is still open.
#[test]
fn it_says_nothing_soon_after_records_were_lost() {
    let mut script = Script::new();
    let wire = script.connect(task(11), 80);
    script.call(task(11), front().0, wire, "/before", "");
    let mut pipeline = pipeline(settings());
    let done = feed(&mut pipeline, &script, 0);
    pipeline.lost_records(script.now, script.now);
    script.wait(SECOND);
    hand_over(&mut script);
    feed(&mut pipeline, &script, done);
    assert_silent(&Outcome::end(pipeline, &script));
}

/// The process is heard of after the loss for the first time.
#[test]
fn a_loss_counts_for_processes_not_yet_known() {
    let mut script = Script::new();
    hand_over(&mut script);
    assert_silent(&after(&script, |pipeline| {
        pipeline.advance(script.now - SECOND);
        pipeline.lost_records(script.now - SECOND, script.now - SECOND);
    }));
}

#[test]
fn it_speaks_again_long_after_a_loss() {
    let mut script = Script::new();
    let wire = script.connect(task(11), 80);
    script.call(task(11), front().0, wire, "/before", "");
    let mut pipeline = pipeline(settings());
    let done = feed(&mut pipeline, &script, 0);
    pipeline.lost_records(script.now, script.now);
    script.wait(600 * SECOND);
    hand_over(&mut script);
    feed(&mut pipeline, &script, done);
    assert_told(&Outcome::end(pipeline, &script));
}

/// One end of a connection speaks something that is not decoded.
fn undecoded(script: &mut Script) -> Wire {
    let wire = script.connect(task(11), 80);
    script.judge(wire, End::Acceptor, VERDICT_OTHER);
    script.announce(front().0, wire, End::Acceptor);
    wire
}

#[test]
fn it_says_nothing_while_an_undecoded_connection_is_open() {
    let mut script = Script::new();
    undecoded(&mut script);
    hand_over(&mut script);
    assert_silent(&Outcome::of(&script));
}

#[test]
fn it_says_nothing_if_the_undecoded_connection_closed_only_after_the_call() {
    let mut script = Script::new();
    let wire = undecoded(&mut script);
    hand_over(&mut script);
    script.close(wire);
    assert_silent(&Outcome::of(&script));
}

#[test]
fn it_speaks_again_after_the_undecoded_connection_is_gone() {
    let mut script = Script::new();
    let wire = undecoded(&mut script);
    script.close(wire);
    hand_over(&mut script);
    assert_told(&Outcome::of(&script));
}

/// Until an accepted unix socket shows what it carries, that may be a request that nobody sees.
#[test]
fn it_says_nothing_while_a_unix_socket_is_undecided() {
    for closed in [false, true] {
        let mut script = Script::new();
        let wire = script.unix(0);
        script.judge(wire, End::Acceptor, VERDICT_UNDECIDED);
        script.announce(front().0, wire, End::Acceptor);
        if closed {
            script.close(wire);
        }
        hand_over(&mut script);
        let outcome = Outcome::of(&script);
        if closed { assert_told(&outcome) } else { assert_silent(&outcome) }
    }
}

/// A WebSocket carries requests that nobody sees.
#[test]
fn it_says_nothing_while_an_upgraded_connection_is_open() {
    let mut script = Script::new();
    let wire = script.connect(task(11), 80);
    script.ask_with(task(11), wire, "/socket", "Upgrade: websocket\r\nConnection: upgrade\r\n");
    script.hear(front().0, wire);
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    script.send(front().0, wire, End::Acceptor, switch);
    script.learn(task(11), wire);
    hand_over(&mut script);
    assert_silent(&Outcome::of(&script));
}

#[test]
fn it_says_nothing_when_ports_are_left_out() {
    let mut script = Script::new();
    hand_over(&mut script);
    assert_silent(&Outcome::with(&script, Settings { ports_left_out: true, ..settings() }));
}

/// A pid that is used again stands for another process.
#[test]
fn a_process_with_the_pid_of_a_dead_one_starts_afresh() {
    let mut script = Script::new();
    let wire = script.connect(task(11), 80);
    script.ask(task(11), wire, "/never-answered");
    script.hear(front().0, wire);
    script.exit(20);
    script.wait(SECOND);
    let (reader, caller) = front();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(caller, 81));
    script.ask(CLIENT, one, "/in");
    script.hear(reader, one);
    // The dead one's time to be forgotten comes while the new one is at work.
    script.wait(70 * SECOND);
    script.call(caller, NEXT, two, "/out", "");
    script.answer(reader, one);
    script.learn(CLIENT, one);
    assert_told(&Outcome::of(&script));
}

/// A job in the background, which asks again and again.
#[test]
fn it_says_little_of_a_thread_that_calls_when_there_is_no_request_as_well() {
    let mut script = Script::new();
    let (_, caller) = front();
    let wire = script.connect(caller, 81);
    script.call(caller, NEXT, wire, "/poll", "");
    hand_over(&mut script);
    assert_silent(&Outcome::of(&script));

    let mut script = Script::new();
    let poller = Task { pid: 20, tid: 23 };
    let wire = script.connect(poller, 81);
    (0..5).for_each(|_| script.call(poller, NEXT, wire, "/poll", ""));
    hand_over(&mut script);
    assert_told(&Outcome::of(&script));
}

#[test]
fn it_says_little_of_a_call_for_which_the_request_did_not_wait() {
    let mut script = Script::new();
    let (reader, caller) = front();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(caller, 81));
    script.ask(CLIENT, one, "/in");
    script.hear(reader, one);
    script.ask(caller, two, "/out");
    script.hear(NEXT, two);
    script.answer(reader, one);
    script.learn(CLIENT, one);
    script.answer(NEXT, two);
    script.learn(caller, two);
    assert_silent(&Outcome::of(&script));
}
