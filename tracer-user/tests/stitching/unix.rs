//! Unix sockets: no sequence numbers, no addresses, nobody tells that they open or close.

use tracer_user::trace::Value;

use crate::http::OK;
use crate::outcome::text;
use crate::recording::recorded;
use crate::script::{End, MICROSECOND, Script, Task, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const SERVER: Task = Task { pid: 20, tid: 20 };

#[test]
fn requests_are_paired_and_named_by_the_socket() {
    let mut script = Script::new();
    let wire = script.unix(0);
    for path in ["/a", "/b"] {
        script.call(CLIENT, SERVER, wire, path, "");
    }
    let outcome = recorded(&script);
    for path in ["/a", "/b"] {
        let (client, server) = (outcome.client(path), outcome.server(path));
        outcome.assert_edge(server, client, "pair");
        for span in [client, server] {
            assert_eq!(text(span, "network.transport"), Some("unix"));
            assert_eq!(text(span, "server.address"), Some("/a.sock"));
            let port = |value: &Value| matches!(value, Value::Int(_));
            let ports =
                span.attributes.iter().filter(|(key, value)| key.ends_with("port") && port(value));
            assert_eq!(ports.count(), 0);
        }
        assert_eq!(text(client, "network.peer.address"), Some("/a.sock"));
        assert_eq!(text(server, "network.peer.address"), None);
    }
    assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
}

#[test]
fn what_was_in_flight_before_the_first_look_pairs_no_strangers() {
    // Every request is as long as what was in flight, so that the server counts the first one where
    // the client counts the second.
    let mut script = Script::new();
    let wire = script.unix(crate::http::get("/a", "").len() as u32);
    for path in ["/a", "/b", "/c"] {
        script.call(CLIENT, SERVER, wire, path, "");
        script.wait(5 * MICROSECOND);
    }
    let outcome = recorded(&script);
    for path in ["/a", "/b", "/c"] {
        assert_eq!(outcome.client(path).parent, None);
        assert_eq!(outcome.server(path).parent, None, "{path}");
    }
}

/// Nothing but the ends of processes tells of the ends of connections; those of others go on.
#[test]
fn a_process_ends_what_is_open_on_its_connection_and_no_more() {
    let mut script = Script::new();
    let wire = script.unix(0);
    for (number, path) in ["/a", "/b", "/c"].into_iter().enumerate() {
        let child = task(100 + number as u32);
        script.call(child, SERVER, wire, path, "");
        script.exit(child.pid);
    }
    script.ask(CLIENT, wire, "/open");
    script.hear(SERVER, wire);
    script.exit(SERVER.pid);
    let end = script.now;
    let outcome = recorded(&script);
    for path in ["/a", "/b", "/c"] {
        assert_eq!(text(outcome.client(path), "tracer.incomplete"), None);
        outcome.assert_edge(outcome.server(path), outcome.client(path), "pair");
    }
    let cut = outcome.server("/open");
    assert_eq!((text(cut, "tracer.incomplete"), cut.end), (Some("connection_closed"), end));
    assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
}

#[test]
fn a_response_may_be_read_before_the_requests_send_returns() {
    let mut script = Script::new();
    let wire = script.unix(0);
    let sending = script.send_slowly(CLIENT, wire, End::Opener, &crate::http::get("/a", ""));
    script.hear(SERVER, wire);
    script.send(SERVER, wire, End::Acceptor, OK);
    script.receive(task(CLIENT.pid), wire, End::Opener);
    script.complete(sending);
    let outcome = recorded(&script);
    outcome.assert_edge(outcome.server("/a"), outcome.client("/a"), "pair");
    assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
}

/// The first byte alone would not tell which side this is; the connection still knows.
#[test]
fn an_idle_connection_outlives_a_process_as_it_is() {
    let mut script = Script::new();
    let wire = script.unix(0);
    for path in ["/a", "/b"] {
        let (client, server) = (task(100 + script.records.len() as u32), task(20));
        script.send(client, wire, End::Opener, b"H");
        script.receive(server, wire, End::Acceptor);
        let rest = format!("EAD {path} HTTP/1.1\r\nHost: there\r\n\r\n");
        script.send(client, wire, End::Opener, rest.as_bytes());
        script.receive(server, wire, End::Acceptor);
        script.send(server, wire, End::Acceptor, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        script.receive(client, wire, End::Opener);
        script.call(client, server, wire, &format!("{path}/get"), "");
        script.exit(client.pid);
    }
    let outcome = recorded(&script);
    for path in ["/a/get", "/b", "/b/get"] {
        outcome.assert_edge(outcome.server(path), outcome.client(path), "pair");
    }
}
