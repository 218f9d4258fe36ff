//! Tasks of an event loop: their contexts begin and end while requests come and go, and the names of
//! those that are gone are used again. One thread does it all.

use tracer_common::record::FLOW_PYTHON;

use crate::outcome::{Outcome, feed, method, pipeline, settings};
use crate::script::{End, SECOND, Script, Task, Wire};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const LOOP: Task = Task { pid: 20, tid: 20 };
const BACK: Task = Task { pid: 30, tid: 30 };

/// The context in which the loop reads.
const READING: u64 = 7;

/// The loop, two connections from the client, and two pooled ones to the back service.
struct World {
    script: Script,
    front: [Wire; 2],
    back: [Wire; 2],
}

impl World {
    fn new() -> Self {
        let mut script = Script::new();
        let front = [0; 2].map(|_| script.connect(CLIENT, 80));
        let back = [0; 2].map(|_| script.connect(LOOP, 81));
        for wire in back {
            script.call(LOOP, BACK, wire, "/before", "");
        }
        script.wait(60 * SECOND);
        Self { script, front, back }
    }

    fn enter(&mut self, context: u64) {
        self.script.run(LOOP, FLOW_PYTHON, context, 0);
    }

    /// A task in a context of its own, started by another one.
    fn start(&mut self, context: u64, by: u64) {
        self.enter(by);
        self.script.begin(LOOP, context);
    }

    fn read(&mut self, wire: usize, path: &str) {
        self.script.ask(CLIENT, self.front[wire], path);
        self.enter(READING);
        self.script.hear(LOOP, self.front[wire]);
    }

    fn call(&mut self, context: u64, wire: usize, path: &str) {
        self.enter(context);
        self.script.call(LOOP, BACK, self.back[wire], path, "");
    }

    fn answer(&mut self, context: u64, wire: usize) {
        self.enter(context);
        self.script.answer(LOOP, self.front[wire]);
        self.script.learn(CLIENT, self.front[wire]);
        self.script.wait(SECOND / 100);
    }

    fn outcome(&self) -> Outcome {
        Outcome::of(&self.script)
    }
}

#[test]
fn a_task_that_outlives_its_request_does_nothing_for_the_next_of_the_connection() {
    let mut world = World::new();
    // As in aiohttp, one task serves the connection.
    world.start(100, READING);
    world.read(0, "/in/1");
    world.start(200, 100);
    world.answer(100, 0);
    world.read(0, "/in/2");
    world.call(200, 0, "/out/1");
    world.call(100, 1, "/out/2");
    world.answer(100, 0);
    let outcome = world.outcome();
    assert_eq!(outcome.client("/out/1").parent, None);
    outcome.assert_edge(outcome.client("/out/2"), outcome.server("/in/2"), "context");
}

#[test]
fn a_task_that_outlives_its_request_for_long_does_nothing_for_the_only_one_that_is_open() {
    let mut world = World::new();
    world.read(0, "/in/1");
    world.start(100, READING);
    world.start(200, 100);
    world.answer(100, 0);
    // Meanwhile the request is forgotten.
    world.script.wait(600 * SECOND);
    world.read(1, "/in/2");
    world.start(300, READING);
    world.call(200, 0, "/out/1");
    world.answer(300, 1);
    assert_eq!(world.outcome().client("/out/1").parent, None);
}

#[test]
fn a_context_is_not_the_one_that_had_its_place_before() {
    let mut world = World::new();
    world.read(0, "/in/1");
    world.start(100, READING);
    // Read, and not yet begun.
    world.read(1, "/in/2");
    world.start(200, 100);
    world.call(200, 0, "/out/1");
    // The child is gone; the second request's task gets its place.
    world.start(200, READING);
    world.call(200, 1, "/out/2");
    world.answer(200, 1);
    world.answer(100, 0);
    let outcome = world.outcome();
    outcome.assert_edge(outcome.client("/out/1"), outcome.server("/in/1"), "context");
    outcome.assert_edge(outcome.client("/out/2"), outcome.server("/in/2"), "context");
}

#[test]
fn who_has_a_task_of_its_own_answer_is_served_by_both() {
    let mut world = World::new();
    world.start(50, READING);
    for (wire, path) in ["/in/0", "/in/1"].into_iter().enumerate() {
        world.read(wire, path);
        world.start(100 + wire as u64, 50);
    }
    for (wire, path) in ["/out/0", "/out/1"].into_iter().enumerate() {
        world.call(100 + wire as u64, wire, path);
    }
    // As Starlette streams a response.
    for wire in [1, 0] {
        world.start(200 + wire as u64, 100 + wire as u64);
        world.answer(200 + wire as u64, wire);
    }
    let outcome = world.outcome();
    outcome.assert_edge(outcome.client("/out/0"), outcome.server("/in/0"), "context");
    outcome.assert_edge(outcome.client("/out/1"), outcome.server("/in/1"), "context");
}

/// One connection brings two requests, and the second call is made when the first one is answered.
fn pipelined() -> World {
    let mut world = World::new();
    world.start(100, READING);
    let both = ["/in/1", "/in/2"].map(|path| format!("GET {path} HTTP/1.1\r\nhost: there\r\n\r\n"));
    world.script.send(CLIENT, world.front[0], End::Opener, both.concat().as_bytes());
    world.enter(READING);
    world.script.receive(LOOP, world.front[0], End::Acceptor);
    world.call(100, 0, "/out/1");
    world.answer(100, 0);
    world.call(100, 1, "/out/2");
    world.answer(100, 0);
    world
}

#[test]
fn requests_that_wait_on_one_connection_are_served_in_turn() {
    let outcome = pipelined().outcome();
    outcome.assert_edge(outcome.client("/out/1"), outcome.server("/in/1"), "context");
    outcome.assert_edge(outcome.client("/out/2"), outcome.server("/in/2"), "context");
}

/// Or the first had been answered, and that was lost.
#[test]
fn of_requests_that_wait_on_one_connection_after_a_loss_none_is_first() {
    let script = pipelined().script;
    let mut pipeline = pipeline(settings());
    pipeline.advance(script.now - SECOND);
    pipeline.lost_records(script.now - SECOND, script.now - SECOND);
    feed(&mut pipeline, &script, 0);
    let outcome = Outcome::end(pipeline, &script);
    assert_eq!(outcome.client("/out/1").parent, None);
    outcome.assert_edge(outcome.client("/out/2"), outcome.server("/in/2"), "context");
}

#[test]
fn what_a_request_leaves_to_be_done_after_its_answer_is_nobodys_else() {
    let mut world = World::new();
    world.read(0, "/in/1");
    world.start(100, READING);
    world.answer(100, 0);
    world.read(1, "/in/2");
    world.start(200, READING);
    world.call(100, 0, "/out/1");
    world.answer(200, 1);
    let call = world.outcome();
    let call = call.client("/out/1");
    assert_eq!((call.parent, method(call)), (None, None));
}
