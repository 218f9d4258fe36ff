//! What is lost is counted by name, and marked on the spans that it touched and on no other.

use tracer_user::pipeline::Settings;
use tracer_user::protocol::http1::Limits;
use tracer_user::trace::{Kind, Span};

use crate::http::{OK, get};
use crate::outcome::{Outcome, feed, path, pipeline, settings, text};
use crate::script::{End, SECOND, Script, Task, Wire, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const FRONT: Task = Task { pid: 20, tid: 20 };
const BACK: Task = Task { pid: 30, tid: 30 };

fn incomplete(span: &Span) -> Option<&str> {
    text(span, "tracer.incomplete")
}

fn below(span: &Span) -> Option<&str> {
    text(span, "tracer.trace.incomplete")
}

/// Those that are marked, in order.
fn marked(outcome: &Outcome) -> Vec<(Kind, &str, &str)> {
    let mark = |span| incomplete(span).map(|why| (span.kind, path(span), why));
    let mut marked: Vec<_> = outcome.spans.iter().filter_map(|span| mark(span)).collect();
    marked.sort_by_key(|(kind, path, _)| (path.to_owned(), *kind == Kind::Server));
    marked
}

fn both<'a>(path: &'a str, why: &'a str) -> [(Kind, &'a str, &'a str); 2] {
    [(Kind::Client, path, why), (Kind::Server, path, why)]
}

#[test]
fn a_head_that_is_too_long_is_told_as_far_as_it_was_read() {
    for limits in [
        Limits { max_head: 200, ..Limits::default() },
        Limits { max_headers: 4, ..Limits::default() },
    ] {
        let mut script = Script::new();
        let wire = script.connect(CLIENT, 80);
        let many = "X-Filler: 0123456789abcdef0123456789abcdef\r\n".repeat(8);
        script.ask_with(CLIENT, wire, "/long-request", &many);
        script.hear(FRONT, wire);
        script.answer(FRONT, wire);
        script.learn(CLIENT, wire);
        script.ask(CLIENT, wire, "/long-response");
        script.hear(FRONT, wire);
        let head = format!("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n{many}\r\n");
        script.send(FRONT, wire, End::Acceptor, head.as_bytes());
        script.learn(CLIENT, wire);
        script.call(CLIENT, FRONT, wire, "/after", "");
        let outcome = Outcome::with(&script, Settings { http1: limits.clone(), ..settings() });
        assert_eq!(outcome.spans.len(), 6, "{limits:?}");
        let cut = ["/long-request", "/long-response"].map(|path| both(path, "head_cut"));
        let mut wanted = cut.concat();
        wanted.sort_by_key(|(_, path, _)| *path);
        assert_eq!(marked(&outcome), wanted, "{limits:?}");
        assert_eq!(outcome.server("/long-request").name, "GET /long-request");
        assert_eq!(text(outcome.server("/long-response"), "error.type"), Some("503"));
        let name = if limits.max_head == 200 { "head_too_long" } else { "too_many_headers" };
        assert_eq!(outcome.losses.get(name), Some(&4), "{:?}", outcome.losses);
    }
}

#[test]
fn a_target_that_is_too_long_is_cut() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    script.call(CLIENT, FRONT, wire, &format!("/{}", "x".repeat(500)), "");
    let limits = Limits { max_head: 200, max_target: 10, ..Limits::default() };
    let outcome = Outcome::with(&script, Settings { http1: limits, ..settings() });
    assert_eq!(outcome.spans.len(), 2);
    for span in &outcome.spans {
        assert!(path(span).ends_with("/xxxxxxxxx"), "{span:?}");
        assert_eq!(incomplete(span), Some("head_cut"));
    }
}

#[test]
fn a_gap_marks_the_exchange_that_it_hit() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    script.call(CLIENT, FRONT, wire, "/before", "");
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab";
    script.ask(CLIENT, wire, "/hit");
    script.hear(FRONT, wire);
    script.send(FRONT, wire, End::Acceptor, chunked);
    script.send(FRONT, wire, End::Acceptor, b"cde\r\n5\r\nabc");
    script.records.pop();
    script.send(FRONT, wire, End::Acceptor, b"de\r\n0\r\n\r\n");
    script.learn(CLIENT, wire);
    script.call(CLIENT, FRONT, wire, "/after", "");
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.spans.len(), 6);
    assert_eq!(marked(&outcome), [(Kind::Server, "/hit", "bytes_lost")]);
    assert_eq!(outcome.losses.get("gap"), Some(&1), "{:?}", outcome.losses);
}

#[test]
fn a_message_that_cannot_be_followed_is_marked() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    script.ask_with(CLIENT, wire, "/two", "Content-Length: 5\r\nContent-Length: 6\r\n");
    script.hear(FRONT, wire);
    script.answer(FRONT, wire);
    script.learn(CLIENT, wire);
    script.call(CLIENT, FRONT, wire, "/after", "");
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.spans.len(), 4);
    assert_eq!(marked(&outcome), both("/two", "message_malformed"));
    assert_eq!(outcome.losses.get("content_length"), Some(&2), "{:?}", outcome.losses);
}

#[test]
fn what_is_abandoned_is_counted() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    script.send(CLIENT, wire, End::Opener, &[get("/a", ""), get("/b", "")].concat());
    script.hear(FRONT, wire);
    script.send(FRONT, wire, End::Acceptor, OK);
    script.records.pop();
    script.send(FRONT, wire, End::Acceptor, OK);
    script.learn(CLIENT, wire);
    let outcome = Outcome::of(&script);
    let lost = [(Kind::Server, "/a", "bytes_lost"), (Kind::Server, "/b", "bytes_lost")];
    assert_eq!(marked(&outcome), lost);
    assert_eq!(outcome.losses.get("messages_abandoned"), Some(&2), "{:?}", outcome.losses);
}

/// A request that makes a call, between one that is over before and one that begins after; and
/// when its call was under way.
fn three(script: &mut Script) -> u64 {
    let (one, two) = (script.connect(CLIENT, 80), script.connect(FRONT, 81));
    script.call(CLIENT, FRONT, one, "/before", "");
    script.wait(SECOND);
    script.ask(CLIENT, one, "/open");
    script.hear(FRONT, one);
    script.ask(FRONT, two, "/call");
    script.hear(BACK, two);
    script.wait(SECOND / 100);
    let now = script.now;
    script.answer(BACK, two);
    script.learn(FRONT, two);
    script.wait(SECOND / 10);
    script.answer(FRONT, one);
    script.learn(CLIENT, one);
    script.wait(SECOND);
    script.call(CLIENT, FRONT, one, "/after", "");
    now
}

/// It is noticed late, when most of what it touched is over.
#[test]
fn lost_records_mark_all_that_was_open() {
    let mut script = Script::new();
    let now = three(&mut script);
    let mut pipeline = pipeline(settings());
    let noticed = now + SECOND / 5;
    for record in &script.records {
        if record.time > noticed {
            pipeline.lost_records(now, now);
        }
        pipeline.record(&record.bytes);
    }
    let outcome = Outcome::end(pipeline, &script);
    assert_eq!(outcome.spans.len(), 8);
    let wanted = [both("/call", "ring_full"), both("/open", "ring_full")].concat();
    assert_eq!(marked(&outcome), wanted);
    assert_eq!(below(outcome.client("/open")), Some("ring_full"));
    assert_eq!(below(outcome.client("/after")), None);
}

/// The clock is set by an hour while a request is open.
#[test]
fn a_step_of_the_wall_clock_marks_what_was_open_and_holds_for_what_comes_after() {
    const HOUR: u64 = 3600 * SECOND;
    let mut script = Script::new();
    let now = three(&mut script);
    let mut pipeline = pipeline(settings());
    let mut told = false;
    pipeline.clock(0, 5, 5 + SECOND / 20);
    for record in &script.records {
        if record.time > now && !std::mem::replace(&mut told, true) {
            pipeline.clock(now - 1000, now, now + HOUR);
            pipeline.clock(now, now + 1000, now + 1000 + HOUR);
        }
        pipeline.record(&record.bytes);
    }
    let outcome = Outcome::end(pipeline, &script);
    let wanted = [both("/call", "clock_step"), both("/open", "clock_step")].concat();
    assert_eq!(marked(&outcome), wanted);
    assert_eq!(outcome.losses.get("clock_steps"), Some(&1));
    let (open, call) = (outcome.server("/open"), outcome.client("/call"));
    assert!(open.start <= call.start && call.end <= open.end, "one clock for a trace");
    assert!(open.end - open.start < SECOND && open.end < HOUR);
    for span in [outcome.client("/after"), outcome.server("/after")] {
        assert!(span.start > HOUR && span.end - span.start < SECOND, "{span:?}");
    }
}

/// A call made behind the step belongs to a trace that began before it.
#[test]
fn a_trace_keeps_its_clock_after_a_step() {
    let mut script = Script::new();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(FRONT, 81));
    script.ask(CLIENT, one, "/open");
    script.hear(FRONT, one);
    let mut pipeline = pipeline(settings());
    let done = feed(&mut pipeline, &script, 0);
    pipeline.clock(script.now, script.now, 1);
    script.wait(SECOND);
    script.call(FRONT, BACK, two, "/late", "");
    script.answer(FRONT, one);
    script.learn(CLIENT, one);
    feed(&mut pipeline, &script, done);
    let outcome = Outcome::end(pipeline, &script);
    let (open, late) = (outcome.server("/open"), outcome.client("/late"));
    outcome.assert_edge(late, open, "thread");
    assert_eq!(incomplete(late), Some("clock_step"));
    assert!(open.start <= late.start && late.end <= open.end);
}

/// Two requests are open in one process, and there is room for one of them.
fn crowded(script: &mut Script) -> [Wire; 3] {
    let [one, two] = [(); 2].map(|()| script.outsider(80));
    let three = script.connect(FRONT, 81);
    script.ask(CLIENT, one, "/kept");
    script.hear(FRONT, one);
    script.ask(CLIENT, two, "/refused");
    script.hear(FRONT, two);
    [one, two, three]
}

#[test]
fn a_full_table_of_exchanges_marks_what_may_lack_something() {
    let mut script = Script::new();
    let [one, two, three] = crowded(&mut script);
    script.answer(FRONT, two);
    script.answer(FRONT, one);
    script.wait(SECOND);
    script.call(FRONT, BACK, three, "/after", "");
    let outcome = Outcome::with(&script, Settings { open_exchanges: 1, ..settings() });
    assert_eq!(marked(&outcome), [(Kind::Server, "/kept", "table_full")]);
    // `/after` finds room for one of its sides.
    assert_eq!(outcome.losses.get("open_exchanges_full"), Some(&2), "{:?}", outcome.losses);
    assert_eq!(outcome.spans.len(), 2);
}

/// The call may have been made for the request that there was no room for.
#[test]
fn what_there_is_no_room_for_gives_its_calls_to_no_other() {
    let mut script = Script::new();
    let [one, two, three] = crowded(&mut script);
    script.call(FRONT, task(40), three, "/call", "");
    script.answer(FRONT, two);
    script.answer(FRONT, one);
    let mut kept = 0;
    for open_exchanges in [2, 3, 100] {
        let outcome = Outcome::with(&script, Settings { open_exchanges, ..settings() });
        if let Some(call) = outcome.spans.iter().find(|span| span.kind == Kind::Client) {
            assert_eq!(call.parent, None, "{open_exchanges}");
            kept += 1;
        }
    }
    assert_eq!(kept, 2);
    // The first request keeps its place while the second one is refused, and there is room again
    // when the call is made.
    let mut script = Script::new();
    let other = script.outsider(82);
    script.ask(CLIENT, other, "/other");
    script.hear(BACK, other);
    let [one, two, three] = crowded(&mut script);
    script.answer(BACK, other);
    script.call(FRONT, task(40), three, "/call", "");
    script.answer(FRONT, two);
    script.answer(FRONT, one);
    let outcome = Outcome::with(&script, Settings { open_exchanges: 2, ..settings() });
    assert_eq!(outcome.client("/call").parent, None);
    assert_eq!(incomplete(outcome.server("/kept")), Some("table_full"));
    assert_eq!(incomplete(outcome.server("/other")), None, "another process");
}

#[test]
fn a_full_table_of_connections_marks_what_may_lack_something() {
    let mut script = Script::new();
    let [one, two] = [(); 2].map(|()| script.outsider(80));
    script.ask(CLIENT, one, "/kept");
    script.hear(FRONT, one);
    script.ask(CLIENT, two, "/refused");
    script.hear(FRONT, two);
    script.answer(FRONT, two);
    script.answer(FRONT, one);
    script.ask(CLIENT, one, "/after");
    script.hear(FRONT, one);
    script.answer(FRONT, one);
    let outcome = Outcome::with(&script, Settings { connections: 1, ..settings() });
    assert_eq!(marked(&outcome), [(Kind::Server, "/kept", "table_full")]);
    assert!(outcome.losses.contains_key("connections_full"), "{:?}", outcome.losses);
    assert_eq!(outcome.spans.len(), 2);
}

/// What is missing in the trace below it is told by the outermost span, beside what it lacks itself.
#[test]
fn the_top_of_a_trace_tells_what_is_missing_below() {
    let mut script = Script::new();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(FRONT, 81));
    script.ask(CLIENT, one, "/top");
    script.hear(FRONT, one);
    script.ask(FRONT, two, "/cut");
    script.hear(BACK, two);
    script.close(two);
    script.answer(FRONT, one);
    script.learn(CLIENT, one);
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.client("/cut").parent, Some(outcome.server("/top").span_id));
    assert_eq!(marked(&outcome), both("/cut", "connection_closed"));
    assert_eq!(below(outcome.client("/top")), Some("connection_closed"));
    for span in [outcome.server("/top"), outcome.client("/cut"), outcome.server("/cut")] {
        assert_eq!(below(span), None);
    }
}

#[test]
fn what_only_began_like_a_request_is_no_span() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 6379);
    for _ in 0..2 {
        script.send(CLIENT, wire, End::Opener, b"GET key\r\n");
        script.receive(FRONT, wire, End::Acceptor);
        script.send(FRONT, wire, End::Acceptor, b"$5\r\nvalue\r\n");
        script.receive(CLIENT, wire, End::Opener);
    }
    script.close(wire);
    let outcome = Outcome::of(&script);
    assert!(outcome.spans.is_empty(), "{:?}", outcome.spans);
    assert!(outcome.losses.contains_key("request_head"), "{:?}", outcome.losses);
}
