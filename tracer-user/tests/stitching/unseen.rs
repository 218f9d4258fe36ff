//! Bytes that move without being seen, connections that are closed by halves or held by several
//! processes, and a table that is full.

use tracer_user::pipeline::Settings;
use tracer_user::trace::{Span, Value};

use crate::http::{OK, get};
use crate::outcome::{Outcome, feed, pipeline, settings, text};
use crate::recording::{recorded, recorded_with};
use crate::script::{End, SECOND, Script, Task, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const SERVER: Task = Task { pid: 20, tid: 20 };
const BACK: Task = Task { pid: 30, tid: 30 };
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";

fn size(span: &Span, which: &str) -> Option<i64> {
    let key = format!("http.{which}.body.size");
    span.attributes.iter().find_map(|(name, value)| match value {
        Value::Int(number) if *name == key => Some(*number),
        _ => None,
    })
}

#[track_caller]
fn whole(span: &Span, request: i64, response: i64) {
    assert_eq!(text(span, "tracer.incomplete"), None);
    assert_eq!((size(span, "request"), size(span, "response")), (Some(request), Some(response)));
}

/// The body of the response is spliced out by the client, all but `seen` bytes of it.
fn spliced_response(script: &mut Script, seen: usize) -> Outcome {
    let wire = script.connect(CLIENT, 80);
    for path in ["/a", "/b"] {
        script.ask(CLIENT, wire, path);
        script.hear(SERVER, wire);
        script.send(SERVER, wire, End::Acceptor, &[HEAD, &[b'x'; 5000]].concat());
        script.receive_some(CLIENT, wire, End::Opener, HEAD.len() + seen);
        script.splice(wire, End::Opener, 5000 - seen);
        script.wait(SECOND);
    }
    script.call(CLIENT, SERVER, wire, "/c", "");
    recorded(script)
}

#[test]
fn a_body_that_is_spliced_out_counts_and_ends_with_the_next_send() {
    for seen in [0, 1, 2500, 4999] {
        let mut script = Script::new();
        let outcome = spliced_response(&mut script, seen);
        assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
        for path in ["/a", "/b"] {
            whole(outcome.client(path), 0, 5000);
            whole(outcome.server(path), 0, 5000);
            outcome.assert_edge(outcome.server(path), outcome.client(path), "pair");
        }
        assert_eq!(outcome.client("/a").end, outcome.client("/b").start);
        assert!(outcome.server("/a").end + SECOND / 2 < outcome.server("/b").start);
    }
}

#[test]
fn a_body_that_is_spliced_out_may_end_with_the_stream() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    script.ask(CLIENT, wire, "/a");
    script.hear(SERVER, wire);
    script.send(SERVER, wire, End::Acceptor, &[HEAD, &[b'x'; 5000]].concat());
    script.receive_some(CLIENT, wire, End::Opener, HEAD.len());
    script.splice(wire, End::Opener, 5000);
    script.close_end(wire, End::Acceptor);
    script.receive_end(CLIENT, wire, End::Opener);
    script.close_end(wire, End::Opener);
    let outcome = recorded(&script);
    assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
    whole(outcome.client("/a"), 0, 5000);
}

#[test]
fn an_upload_that_is_spliced_out_is_over_before_its_answer() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    let head = b"PUT /up HTTP/1.1\r\nHost: there\r\nContent-Length: 1\r\n\r\n";
    for _ in 0..2 {
        script.send(CLIENT, wire, End::Opener, &[&head[..], b"u"].concat());
        script.receive_some(SERVER, wire, End::Acceptor, head.len());
        script.splice(wire, End::Acceptor, 1);
        script.answer(SERVER, wire);
        script.learn(CLIENT, wire);
    }
    let outcome = recorded(&script);
    assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
    assert_eq!(outcome.spans.len(), 4);
    outcome.spans.iter().for_each(|span| whole(span, 1, 2));
}

/// The send tells of a read whose record comes later (another thread's): nothing is counted twice,
/// and the request that was in it is found.
#[test]
fn what_only_comes_late_is_not_passed_over() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    script.ask(CLIENT, wire, "/a");
    script.hear(SERVER, wire);
    script.ask(CLIENT, wire, "/b");
    script.hear(Task { pid: 20, tid: 21 }, wire);
    let late = script.records.pop().expect("the second read");
    script.answer(SERVER, wire);
    script.records.push(late);
    script.answer(SERVER, wire);
    script.learn(CLIENT, wire);
    let outcome = recorded(&script);
    assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
    for path in ["/a", "/b"] {
        whole(outcome.server(path), 0, 2);
        outcome.assert_edge(outcome.server(path), outcome.client(path), "pair");
    }
}

/// A server that sends files is seen as well as any other: its calls are joined.
#[test]
fn a_body_that_is_spliced_out_last_of_all_is_whole_when_the_connection_closes() {
    for seen in [0, 1, 4999] {
        let mut script = Script::new();
        let wire = script.connect(CLIENT, 80);
        script.ask(CLIENT, wire, "/a");
        script.hear(SERVER, wire);
        script.send(SERVER, wire, End::Acceptor, &[HEAD, &[b'x'; 5000]].concat());
        script.receive_some(CLIENT, wire, End::Opener, HEAD.len() + seen);
        script.splice(wire, End::Opener, 5000 - seen);
        script.close(wire);
        let outcome = recorded(&script);
        assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
        whole(outcome.client("/a"), 0, 5000);
    }
}

#[test]
fn a_body_without_a_buffer_is_no_loss() {
    let mut script = Script::new();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(SERVER, 81));
    for path in ["/a", "/b"] {
        script.ask(CLIENT, one, path);
        script.hear(SERVER, one);
        script.call(Task { pid: 20, tid: 22 }, BACK, two, &format!("{path}/call"), "");
        script.send(SERVER, one, End::Acceptor, HEAD);
        script.sendfile(SERVER, one, End::Acceptor, &[b'x'; 5000]);
        script.learn(CLIENT, one);
    }
    let outcome = recorded(&script);
    assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
    whole(outcome.server("/b"), 0, 5000);
    outcome.assert_edge(outcome.client("/b/call"), outcome.server("/b"), "alone");
}

/// A head without a buffer is one: with a name, on the span, and for what is believed of the process.
#[test]
fn a_head_without_a_buffer_is_a_loss() {
    let mut script = Script::new();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(SERVER, 81));
    script.ask(CLIENT, one, "/a");
    script.hear(SERVER, one);
    script.sendfile(SERVER, one, End::Acceptor, OK);
    script.learn(CLIENT, one);
    script.ask(CLIENT, one, "/b");
    script.hear(SERVER, one);
    script.call(Task { pid: 20, tid: 22 }, BACK, two, "/b/call", "");
    script.answer(SERVER, one);
    script.learn(CLIENT, one);
    let outcome = recorded(&script);
    assert_eq!(
        outcome.losses.into_iter().collect::<Vec<_>>(),
        [("message_start_unseen", 1), ("messages_abandoned", 1)]
    );
    let outcome = Outcome { losses: Default::default(), ..recorded(&script) };
    assert_eq!(text(outcome.server("/a"), "tracer.incomplete"), Some("bytes_lost"));
    whole(outcome.client("/a"), 0, 2);
    whole(outcome.server("/b"), 0, 2);
    assert_eq!(outcome.client("/b/call").parent, None);
}

/// The peer's close ends a half-closed connection before its response has been read.
#[test]
fn what_is_read_after_the_end_belongs_to_the_exchange() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    script.ask(CLIENT, wire, "/a");
    script.close_sending(wire, End::Opener);
    script.hear(SERVER, wire);
    script.receive_end(SERVER, wire, End::Acceptor);
    script.send(SERVER, wire, End::Acceptor, b"HTTP/1.1 200 OK\r\n\r\n12345");
    script.close_end(wire, End::Acceptor);
    script.gone(wire, End::Opener);
    for _ in 0..5 {
        script.wait(SECOND / 2);
        script.receive_some(CLIENT, wire, End::Opener, 4);
    }
    script.learn(CLIENT, wire);
    let read = script.now;
    script.receive_end(CLIENT, wire, End::Opener);
    let outcome = recorded(&script);
    assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
    whole(outcome.client("/a"), 0, 5);
    whole(outcome.server("/a"), 0, 5);
    assert!(outcome.client("/a").end > read);
}

/// A reset ends a connection on which nobody reads any more, also if the tracer stops at once.
#[test]
fn what_is_not_read_after_the_end_is_cut_short_there() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    script.ask(CLIENT, wire, "/a");
    script.gone(wire, End::Opener);
    let end = script.now;
    for pause in [0, 100 * SECOND] {
        let mut pipeline = pipeline(settings());
        feed(&mut pipeline, &script, 0);
        pipeline.advance(end + pause);
        pipeline.stop(end + pause + 1);
        let spans = pipeline.take_spans();
        let [span] = &spans[..] else { panic!("{} spans", spans.len()) };
        assert_eq!((text(span, "tracer.incomplete"), span.end), (Some("connection_closed"), end));
    }
}

/// A parent and its children use one connection in turn; each child ends after its exchange, on
/// either side.
#[test]
fn a_process_that_ends_leaves_its_connection_to_others() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    for turn in 0..6 {
        let (client, server) = match turn % 2 {
            0 => (CLIENT, SERVER),
            _ => (task(100 + turn), task(200 + turn)),
        };
        script.call(client, server, wire, &format!("/{turn}"), "");
        if turn % 2 == 1 {
            script.exit(client.pid);
            script.exit(server.pid);
        }
    }
    // The first threads end, others go on.
    script.exit(CLIENT.pid);
    script.exit(SERVER.pid);
    let (client, server) = (Task { pid: 10, tid: 11 }, Task { pid: 20, tid: 21 });
    script.call(client, server, wire, "/after", "");
    script.close(wire);
    let outcome = recorded(&script);
    assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
    assert_eq!(outcome.spans.len(), 14);
    for path in (0..6).map(|turn| format!("/{turn}")).chain(["/after".to_owned()]) {
        whole(outcome.client(&path), 0, 2);
        whole(outcome.server(&path), 0, 2);
        outcome.assert_edge(outcome.server(&path), outcome.client(&path), "pair");
        assert!(text(outcome.client(&path), "network.peer.address").is_some());
    }
}

#[test]
fn a_full_table_forgets_what_is_idle_and_refuses_only_when_all_is_busy() {
    let mut script = Script::new();
    for number in 0..10 {
        let wire = script.connect(CLIENT, 80);
        script.call(CLIENT, SERVER, wire, &format!("/{number}"), "");
    }
    let outcome = recorded_with(&script, Settings { connections: 4, ..settings() });
    assert_eq!(outcome.spans.len(), 20);
    assert_eq!(outcome.losses.into_iter().collect::<Vec<_>>(), [("connections_evicted", 16)]);

    let mut script = Script::new();
    let wires: Vec<_> = (0..3).map(|_| script.connect(CLIENT, 80)).collect();
    for (number, wire) in wires.iter().enumerate() {
        script.send(CLIENT, *wire, End::Opener, &get(&format!("/{number}"), ""));
    }
    let outcome = recorded_with(&script, Settings { connections: 2, ..settings() });
    assert_eq!(outcome.spans.len(), 2);
    assert!(outcome.losses.contains_key("connections_full"), "{:?}", outcome.losses);
}
