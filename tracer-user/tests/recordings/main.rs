//! Recordings of real services (`tests/recordings`, where its README says which) make the trees that
//! are known from what was asked: each request had an id of its own in its path, which the services
//! pass on.

mod call;
mod contents;
mod explain;
mod flags;
mod replayed;

use call::{ALONE, Call, FIRST_CALL, LOOP, THREADS, call};
use replayed::replay;

/// Every request of the recording is one trace of exactly these spans; the same each time.
fn check(name: &str, requests: usize, tree: &Call) {
    let (spans, losses) = replay(name);
    assert!(losses.is_empty(), "{name}: {losses:?}");
    call::check(&spans, requests, tree);
    assert_eq!(replay(name).0, spans, "{name}: another time");
}

/// Eight at once, and all pools were open before the tracer came.
#[test]
fn flask_behind_nginx() {
    let tree = call("client", FIRST_CALL, "nginx")
        .with(call("nginx", LOOP, "front").with(call("front", THREADS, "back")));
    check("nginx-flask", 40, &tree);
}

/// One at a time: what runs on goroutines has no other witness yet.
#[test]
fn go_that_calls_two_services() {
    let tree = call("client", FIRST_CALL, "gateway")
        .with(call("gateway", ALONE, "users"))
        .with(call("gateway", ALONE, "stock"));
    check("go-fanout", 30, &tree);
}

/// Eight at once on two processes of eight threads.
#[test]
fn the_threads_of_gunicorn() {
    let tree = call("client", FIRST_CALL, "ledger").with(call("ledger", THREADS, "archive"));
    check("gunicorn", 48, &tree);
}

/// The tutorial's two services, four requests at once, and the spans that they send.
#[test]
fn services_with_py_zipkin() {
    let send = |from| call(from, THREADS, "sink").named("POST /api/v2/spans");
    let second = call("webapp", THREADS, "service1").with(send("service1"));
    let tree = call("client", FIRST_CALL, "webapp").with(second).with(send("webapp"));
    check("py-zipkin", 24, &tree);
}

/// From nginx to gunicorn over a unix socket, four at once.
#[test]
fn a_unix_socket_between_them() {
    let tree = call("client", FIRST_CALL, "nginx")
        .with(call("nginx", LOOP, "ledger").with(call("ledger", THREADS, "archive")));
    check("unix-socket", 40, &tree);
}

/// One kept-alive connection, the server's receives multishot.
#[test]
fn both_sides_by_io_uring() {
    check("io-uring", 30, &call("uring", FIRST_CALL, "uring"));
}
