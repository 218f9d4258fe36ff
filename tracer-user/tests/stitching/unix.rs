//! Unix sockets: no sequence numbers, no addresses, nobody tells that they open or close.

use tracer_user::trace::Value;

use crate::http::OK;
use crate::outcome::{Outcome, text};
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
    let outcome = Outcome::of(&script);
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
    let outcome = Outcome::of(&script);
    for path in ["/a", "/b", "/c"] {
        assert_eq!(outcome.client(path).parent, None);
        assert_eq!(outcome.server(path).parent, None, "{path}");
    }
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
    let outcome = Outcome::of(&script);
    outcome.assert_edge(outcome.server("/a"), outcome.client("/a"), "pair");
    assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
}
