//! HTTP/2's streams: whoever was told to ask for one or to answer it, whatever goroutines write and read.

use tracer_common::record::{COURSE_CALLS, COURSE_SERVES, COURSE_WRITES, FLOW_GOROUTINE};

use crate::outcome::Outcome;
use crate::recording::recorded;
use crate::script::{End, SECOND, Script, Task, Wire};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const BACK: Task = Task { pid: 30, tid: 30 };
/// What all the streams of a connection are read and written by.
const READER: u64 = 7;
const WRITER: u64 = 8;

/// Any of the front service's threads: none of them tells anything.
fn any(n: u64) -> Task {
    Task { pid: 20, tid: 200 + (n % 3) as u32 }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = &(payload.len() as u32).to_be_bytes()[1..];
    [len, &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Preface and SETTINGS.
fn begin(script: &mut Script, from: Task, wire: Wire) {
    let preface = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[])].concat();
    script.send(from, wire, End::Opener, &preface);
}

/// A GET, without Huffman's code and without the dynamic table (RFC 7541 section 6.2.2).
fn ask(script: &mut Script, by: Task, wire: Wire, stream: u32, path: &str) {
    let text = |index: u8, text: &str| [&[index, text.len() as u8], text.as_bytes()].concat();
    let block = [vec![0x82, 0x86], text(4, path), text(1, "there")].concat();
    script.send(by, wire, End::Opener, &frame(1, 5, stream, &block));
}

/// A 200 without a body.
fn answer(script: &mut Script, by: Task, wire: Wire, stream: u32) {
    script.send(by, wire, End::Acceptor, &frame(1, 5, stream, &[0x88]));
}

/// A call that the process at the other end answers at once.
fn call(script: &mut Script, by: Task, wire: Wire, stream: u32, path: &str) {
    ask(script, by, wire, stream, path);
    script.receive(BACK, wire, End::Acceptor);
    answer(script, BACK, wire, stream);
    script.run(any(0), FLOW_GOROUTINE, READER, 0);
    script.receive(any(0), wire, End::Opener);
}

fn stream(n: u64) -> u32 {
    2 * n as u32 + 1
}

/// Five requests at once on one connection, each answered in goroutine 100 + n; `act` makes the call of
/// number n on the other connection, in another order, as this stream.
fn crowd(act: impl Fn(&mut Script, u64, Wire, u32)) -> Outcome {
    let mut script = Script::new();
    let front = script.connect(CLIENT, 80);
    script.run(any(0), FLOW_GOROUTINE, 99, 0);
    let back = script.connect(any(0), 81);
    begin(&mut script, CLIENT, front);
    script.run(any(0), FLOW_GOROUTINE, WRITER, 99);
    begin(&mut script, any(0), back);
    script.wait(SECOND);
    for n in 0..5 {
        ask(&mut script, CLIENT, front, stream(n), &format!("/in/{n}"));
    }
    script.run(any(0), FLOW_GOROUTINE, READER, 0);
    script.receive(any(0), front, End::Acceptor);
    script.receive(BACK, back, End::Acceptor);
    for n in 0..5 {
        script.run(any(n), FLOW_GOROUTINE, 100 + n, READER);
        script.stream(any(n), COURSE_SERVES, front, End::Acceptor, stream(n));
    }
    for (place, n) in (0..).zip([3, 1, 4, 0, 2]) {
        act(&mut script, n, back, stream(place));
    }
    for n in 0..5 {
        script.run(any(n), FLOW_GOROUTINE, WRITER, 0);
        answer(&mut script, any(n), front, stream(n));
    }
    script.receive(CLIENT, front, End::Opener);
    Outcome::of(&script)
}

fn assert_right(outcome: &Outcome) {
    for n in 0..5 {
        let (call, request) =
            (outcome.client(&format!("/out/{n}")), outcome.server(&format!("/in/{n}")));
        outcome.assert_edge(call, request, "context");
    }
}

#[test]
fn who_asks_for_a_stream_is_told_before_or_after_it_is_written() {
    for before in [true, false] {
        assert_right(&crowd(|script, n, wire, stream| {
            let tell = |script: &mut Script| {
                script.run(any(n), FLOW_GOROUTINE, 100 + n, READER);
                script.stream(any(n), COURSE_CALLS, wire, End::Opener, stream);
            };
            if before {
                tell(script);
            }
            script.run(any(n), FLOW_GOROUTINE, WRITER, 99);
            ask(script, any(n), wire, stream, &format!("/out/{n}"));
            if !before {
                tell(script);
            }
            script.receive(BACK, wire, End::Acceptor);
            answer(script, BACK, wire, stream);
            script.receive(any(0), wire, End::Opener);
        }));
    }
}

#[test]
fn a_goroutine_that_writes_one_request_belongs_to_who_started_it() {
    assert_right(&crowd(|script, n, wire, stream| {
        script.run(any(n), FLOW_GOROUTINE, 300 + n, 100 + n);
        script.stream(any(n), COURSE_WRITES, wire, End::Opener, 0);
        call(script, any(n), wire, stream, &format!("/out/{n}"));
    }));
}

#[test]
fn what_nobody_tells_of_is_nobodys() {
    let outcome = crowd(|script, n, wire, stream| {
        // Whoever writes them all was started by one that serves a request.
        script.run(any(n), FLOW_GOROUTINE, WRITER, 102);
        call(script, any(n), wire, stream, &format!("/out/{n}"));
    });
    for n in 0..5 {
        assert_eq!(outcome.client(&format!("/out/{n}")).parent, None, "{n}");
    }
}

#[test]
fn what_is_told_of_other_streams_says_nothing() {
    let outcome = crowd(|script, n, wire, stream| {
        script.run(any(n), FLOW_GOROUTINE, 100 + n, READER);
        script.stream(any(n), COURSE_CALLS, wire, End::Opener, stream + 100);
        // As if it were answered here.
        script.stream(any(n), COURSE_SERVES, wire, End::Opener, stream);
        script.run(any(n), FLOW_GOROUTINE, WRITER, 99);
        call(script, any(n), wire, stream, &format!("/out/{n}"));
    });
    for n in 0..5 {
        assert_eq!(outcome.client(&format!("/out/{n}")).parent, None, "{n}");
    }
}

/// One goroutine takes one stream after the other; the end of what it did before is written later.
#[test]
fn a_worker_calls_for_what_it_has_taken_last() {
    let mut script = Script::new();
    let (front, back) = (script.connect(CLIENT, 80), script.connect(any(0), 81));
    begin(&mut script, CLIENT, front);
    begin(&mut script, any(0), back);
    for n in 0..3 {
        ask(&mut script, CLIENT, front, stream(n), &format!("/in/{n}"));
    }
    script.run(any(0), FLOW_GOROUTINE, READER, 0);
    script.receive(any(0), front, End::Acceptor);
    script.receive(BACK, back, End::Acceptor);
    for n in 0..3 {
        script.run(any(n), FLOW_GOROUTINE, 100, 99);
        script.stream(any(n), COURSE_SERVES, front, End::Acceptor, stream(n));
        script.stream(any(n), COURSE_CALLS, back, End::Opener, stream(n));
        script.run(any(n), FLOW_GOROUTINE, WRITER, 98);
        call(&mut script, any(n), back, stream(n), &format!("/out/{n}"));
    }
    for n in 0..3 {
        answer(&mut script, any(n), front, stream(n));
    }
    script.receive(CLIENT, front, End::Opener);
    let outcome = Outcome::of(&script);
    for n in 0..3 {
        let (call, request) =
            (outcome.client(&format!("/out/{n}")), outcome.server(&format!("/in/{n}")));
        outcome.assert_edge(call, request, "context");
    }
}

/// The goroutine's request is over, another one is open, and nothing else is known.
#[test]
fn what_a_goroutine_does_after_its_request_is_for_no_other() {
    let mut script = Script::new();
    let (front, back) = (script.connect(CLIENT, 80), script.connect(any(0), 81));
    begin(&mut script, CLIENT, front);
    begin(&mut script, any(0), back);
    ask(&mut script, CLIENT, front, 1, "/in/0");
    script.run(any(0), FLOW_GOROUTINE, READER, 0);
    script.receive(any(0), front, End::Acceptor);
    script.receive(BACK, back, End::Acceptor);
    script.run(any(1), FLOW_GOROUTINE, 100, READER);
    script.stream(any(1), COURSE_SERVES, front, End::Acceptor, 1);
    answer(&mut script, any(1), front, 1);
    script.receive(CLIENT, front, End::Opener);
    ask(&mut script, CLIENT, front, 3, "/in/1");
    script.receive(any(0), front, End::Acceptor);
    script.run(any(1), FLOW_GOROUTINE, 200, 100);
    script.stream(any(1), COURSE_CALLS, back, End::Opener, 1);
    call(&mut script, any(1), back, 1, "/out/0");
    answer(&mut script, any(1), front, 3);
    script.receive(CLIENT, front, End::Opener);
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.client("/out/0").parent, None);
}

/// A thread sends while another one's read, which ends a header block, has returned and is told of
/// later. (Where that was taken for bytes that passed unseen, a busy host lost requests.)
#[test]
fn what_another_thread_has_just_read_is_no_gap() {
    for cut in 1..40 {
        let mut script = Script::new();
        let wire = script.connect(CLIENT, 80);
        begin(&mut script, CLIENT, wire);
        script.receive(BACK, wire, End::Acceptor);
        ask(&mut script, CLIENT, wire, 1, "/in/with/a/long/path");
        script.receive_some(BACK, wire, End::Acceptor, cut);
        script.receive(Task { pid: 30, tid: 31 }, wire, End::Acceptor);
        let late = script.records.pop().expect("the second read");
        script.send(BACK, wire, End::Acceptor, &frame(4, 1, 0, &[]));
        script.records.push(late);
        answer(&mut script, BACK, wire, 1);
        script.receive(CLIENT, wire, End::Opener);
        let outcome = recorded(&script);
        assert!(outcome.losses.is_empty(), "{cut}: {:?}", outcome.losses);
        let path = "/in/with/a/long/path";
        outcome.assert_edge(outcome.server(path), outcome.client(path), "pair");
    }
}
