//! What services ask databases and caches, from both ends' records to spans.

use tracer_user::trace::{Kind, Span};

use crate::outcome::{Outcome, settings, text};
use crate::script::{End, MICROSECOND, SECOND, Script, Task, Wire, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const SERVICE: Task = Task { pid: 20, tid: 21 };
const DATABASE: Task = Task { pid: 30, tid: 30 };

fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32 + 4).to_be_bytes();
    [&[kind][..], &length, content].concat()
}

fn query(sql: &str) -> Vec<u8> {
    message(b'Q', &[sql.as_bytes(), &[0]].concat())
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

fn rows(count: usize) -> Vec<u8> {
    let row = message(b'D', b"\0\x01\0\0\0\x01x");
    let done = message(b'C', format!("SELECT {count}\0").as_bytes());
    [message(b'T', b"\0\0"), row.repeat(count), done, ready()].concat()
}

fn exchange(script: &mut Script, wire: Wire, asks: &[u8], says: &[u8]) {
    script.send(SERVICE, wire, End::Opener, asks);
    script.receive(DATABASE, wire, End::Acceptor);
    script.send(DATABASE, wire, End::Acceptor, says);
    script.receive(SERVICE, wire, End::Opener);
}

fn login(script: &mut Script, wire: Wire) {
    let content = b"\0\x03\0\0user\0shop\0database\0orders\0\0";
    let length = (content.len() as u32 + 4).to_be_bytes();
    let admitted = [message(b'R', &[0; 4]), ready()].concat();
    exchange(script, wire, &[&length[..], content].concat(), &admitted);
}

fn calls<'a>(outcome: &'a Outcome, system: &str) -> Vec<&'a Span> {
    let mut calls: Vec<&Span> = (outcome.spans.iter())
        .filter(|span| text(span, "db.system.name") == Some(system))
        .map(|span| &**span)
        .collect();
    calls.sort_by_key(|span| span.start);
    calls
}

#[test]
fn a_statement_is_below_the_request_for_which_it_is_made() {
    let mut script = Script::new();
    let wire = script.connect(SERVICE, 5432);
    login(&mut script, wire);
    script.request((CLIENT, SERVICE), "/orders", |script| {
        exchange(script, wire, &query("SELECT a FROM orders WHERE secret = 'x'"), &rows(2));
        let failed = [message(b'E', b"C42P01\0\0"), ready()].concat();
        exchange(script, wire, &query("DELETE FROM nothing"), &failed);
    });
    let outcome = Outcome::of(&script);
    let [select, delete] = calls(&outcome, "postgresql")[..] else { panic!("not two calls") };
    for (call, name) in [(select, "SELECT orders"), (delete, "DELETE nothing")] {
        outcome.assert_edge(call, outcome.server("/orders"), "thread");
        assert_eq!((call.kind, &*call.name), (Kind::Client, name));
        assert_eq!(text(call, "db.namespace"), Some("orders"));
        assert_eq!(call.remote.service.as_deref(), Some("postgresql"));
    }
    assert_eq!(text(select, "db.query.text"), Some("SELECT a FROM orders WHERE secret = ?"));
    assert_eq!((select.is_error(), delete.is_error()), (false, true));
    assert_eq!(text(delete, "db.response.status_code"), Some("42P01"));
    assert!(select.end - select.start >= 10 * MICROSECOND);
}

#[test]
fn a_database_tells_of_itself_only_when_asked_to() {
    let mut script = Script::new();
    let wire = script.connect(SERVICE, 5432);
    login(&mut script, wire);
    script.request((CLIENT, SERVICE), "/orders", |script| {
        exchange(script, wire, &query("SELECT 1"), &rows(1))
    });
    let mut asked = settings();
    asked.backing.servers = true;
    let outcome = Outcome::with(&script, asked);
    let [one, other] = calls(&outcome, "postgresql")[..] else { panic!("not two spans") };
    let (client, server) = if one.kind == Kind::Client { (one, other) } else { (other, one) };
    outcome.assert_edge(server, client, "pair");
}

#[test]
fn protocols_that_are_not_wanted_are_left_alone() {
    let mut script = Script::new();
    let wire = script.connect(SERVICE, 5432);
    login(&mut script, wire);
    script.request((CLIENT, SERVICE), "/orders", |script| {
        exchange(script, wire, &query("SELECT 1"), &rows(1))
    });
    let mut without = settings();
    without.backing.protocols = 0;
    let outcome = Outcome::with(&script, without);
    assert!(calls(&outcome, "postgresql").is_empty());
    assert_eq!(outcome.spans.len(), 2);
}

#[test]
fn what_is_sent_in_one_go_is_one_call() {
    let mut script = Script::new();
    let (sql, cache) = (script.connect(SERVICE, 5432), script.connect(SERVICE, 6379));
    login(&mut script, sql);
    script.request((CLIENT, SERVICE), "/orders", |script| {
        let both = [query("BEGIN"), query("SELECT a FROM orders")].concat();
        let begun = [message(b'C', b"BEGIN\0"), message(b'Z', b"T")].concat();
        exchange(script, sql, &both, &[begun, rows(3)].concat());
        let commands = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n";
        exchange(script, cache, commands, b"$1\r\nx\r\n$-1\r\n");
    });
    let outcome = Outcome::of(&script);
    let [select] = calls(&outcome, "postgresql")[..] else { panic!("not one statement") };
    assert_eq!((&*select.name, text(select, "db.operation.batch.size")), ("SELECT orders", None));
    let [gets] = calls(&outcome, "redis")[..] else { panic!("not one pipeline") };
    assert_eq!((&*gets.name, text(gets, "db.query.text")), ("PIPELINE GET", Some("GET a; GET b")));
    assert!(gets.attribute("db.operation.batch.size").is_some());
}

/// Nor does it come apart where it is not known whose answer comes first.
#[test]
fn the_first_pipeline_of_an_older_connection_is_one_call() {
    let mut script = Script::new();
    let wire = script.opened_before(6379, (100, 200));
    script.request((CLIENT, SERVICE), "/orders", |script| {
        for _ in 0..2 {
            let commands = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n".repeat(5);
            exchange(script, wire, &commands, &b"$1\r\nx\r\n".repeat(5));
        }
    });
    let outcome = Outcome::of(&script);
    let calls = calls(&outcome, "redis");
    let names: Vec<_> = calls.iter().map(|call| &*call.name).collect();
    assert_eq!(names, ["PIPELINE GET", "PIPELINE GET"]);
}

/// Several requests share it, so that it is never seen to wait for nothing.
#[test]
fn all_that_a_shared_connection_does_after_a_silence_is_told() {
    const REDIS: (&str, u16, &[u8], &[u8]) =
        ("redis", 6379, b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n", b"$1\r\nx\r\n");
    const MEMCACHED: (&str, u16, &[u8], &[u8]) = ("memcached", 11_211, b"get a\r\n", b"END\r\n");
    for ((system, port, request, answer), silent, told) in
        [(REDIS, false, 0), (REDIS, true, 20), (MEMCACHED, false, 0), (MEMCACHED, true, 20)]
    {
        let mut script = Script::new();
        let wire = script.opened_before(port, (100, 200));
        // Operations are seen from here on.
        let other = script.connect(CLIENT, 80);
        script.call(CLIENT, SERVICE, other, "/ready", "");
        script.wait(SECOND);
        if silent {
            script.silent(wire);
        }
        let get = |script: &mut Script| {
            script.send(SERVICE, wire, End::Opener, request);
        };
        get(&mut script);
        for _ in 0..20 {
            get(&mut script);
            script.receive(DATABASE, wire, End::Acceptor);
            script.send(DATABASE, wire, End::Acceptor, answer);
            script.receive(SERVICE, wire, End::Opener);
        }
        let outcome = Outcome::of(&script);
        let answered = |span: &&&Span| text(span, "tracer.incomplete").is_none();
        let count = calls(&outcome, system).iter().filter(answered).count();
        assert_eq!(count, told, "{system} {silent}");
    }
}

#[test]
fn a_lost_answer_is_given_to_no_other_statement() {
    let mut script = Script::new();
    let wire = script.connect(SERVICE, 5432);
    login(&mut script, wire);
    script.request((CLIENT, SERVICE), "/orders", |script| {
        script.send(SERVICE, wire, End::Opener, &query("SELECT a FROM first"));
        script.receive(DATABASE, wire, End::Acceptor);
        let failed = [message(b'E', b"C42P01\0\0"), ready()].concat();
        script.send(DATABASE, wire, End::Acceptor, &failed);
        script.receive(SERVICE, wire, End::Opener);
        // Its record is lost.
        script.records.pop();
        for table in ["second", "third", "fourth", "fifth"] {
            exchange(script, wire, &query(&format!("SELECT a FROM {table}")), &rows(1));
        }
    });
    let outcome = Outcome::of(&script);
    let calls = calls(&outcome, "postgresql");
    assert_eq!(calls.len(), 5);
    let whole = |call: &Span| text(call, "tracer.incomplete").is_none();
    assert!(!whole(calls[0]) && calls.iter().all(|call| !call.is_error()), "{calls:#?}");
    assert!(whole(calls[4]), "it is not known again which answer is whose: {calls:#?}");
}

#[test]
fn other_protocols_become_no_spans() {
    let mut script = Script::new();
    let wire = script.connect(task(20), 9000);
    script.request((CLIENT, SERVICE), "/orders", |script| {
        exchange(script, wire, b"\0\0\0\x05hello", b"\0\0\0\x05there");
        // What begins like a query and goes on like nothing that is known.
        exchange(script, wire, b"Q\xff\xff\xff\xff garbage", &[0; 40]);
    });
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.spans.len(), 2);
}
