//! Who is recorded, doing what. `tracer-user/tests/recordings` has the trees that must come of it.

use std::fs;
use std::process::Command;

use anyhow::Result;
use tests::process::{Process, run};

use crate::place::{Packages, Place, wait_for_socket};

/// One recording.
pub(crate) struct Scene {
    /// The file's name.
    pub(crate) name: &'static str,
    /// Requests of the client, each with an id of its own in its path.
    pub(crate) requests: u32,
    /// Those at once.
    concurrency: u32,
    /// Starts the services.
    pub(crate) open: fn(&Place) -> Result<Vec<Process>>,
    /// Makes the requests.
    pub(crate) play: fn(&Place, &Scene) -> Result<()>,
}

/// All of them. The network namespace is the recordings' own, so every port is free.
pub(crate) const SCENES: [Scene; 6] = [
    Scene { name: "nginx-flask", requests: 40, concurrency: 8, open: nginx_flask, play: ask },
    Scene { name: "go-fanout", requests: 30, concurrency: 1, open: go_fanout, play: ask },
    Scene { name: "gunicorn", requests: 48, concurrency: 8, open: gunicorn, play: ask },
    Scene { name: "py-zipkin", requests: 24, concurrency: 4, open: py_zipkin, play: ask },
    Scene { name: "unix-socket", requests: 40, concurrency: 4, open: unix_socket, play: ask },
    Scene { name: "io-uring", requests: 30, concurrency: 1, open: |_| Ok(vec![]), play: converse },
];

const FRONT: u16 = 8080;
/// The first request's id; those of the requests that open pools before the recording are lower.
const FIRST: u32 = 1000;

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn client(place: &Place, first: u32, count: u32, concurrency: u32) -> Result<()> {
    let arguments = [u32::from(FRONT), first, count, concurrency].map(|it| it.to_string());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut python =
        place.python(Packages::Plain, &[&["/srv/client.py"], &arguments[..]].concat())?;
    run("client", python.env("OTEL_SERVICE_NAME", "client")).map(drop)
}

fn ask(place: &Place, scene: &Scene) -> Result<()> {
    client(place, FIRST, scene.requests, scene.concurrency)
}

fn flask(place: &Place, name: &str, port: u16, calls: &str) -> Result<Process> {
    let script = place.python(Packages::Plain, &["/srv/flask_service.py"])?;
    place.serve(name, port, calls, script)
}

/// Flask behind nginx, with pools on both sides that are open before the tracer comes.
fn nginx_flask(place: &Place) -> Result<Vec<Process>> {
    let back = flask(place, "back", 8082, "")?;
    let front = flask(place, "front", 8081, &url(8082))?;
    let nginx = place.nginx(FRONT, "127.0.0.1:8081")?;
    client(place, 1, 16, 8)?;
    Ok(vec![back, front, nginx])
}

/// Go, which calls Flask and then Go.
fn go_fanout(place: &Place) -> Result<Vec<Process>> {
    let go = || Command::new(Place::path("relay"));
    let users = flask(place, "users", 8081, "")?;
    let stock = place.serve("stock", 8082, "", go())?;
    let calls = format!("{} {}", url(8081), url(8082));
    Ok(vec![users, stock, place.serve("gateway", FRONT, &calls, go())?])
}

fn ledger(place: &Place, bind: &str) -> Result<Command> {
    let threads = ["--worker-class", "gthread", "--workers", "2", "--threads", "8"];
    let rest = ["--keep-alive", "75", "--worker-tmp-dir", "/srv", "--bind", bind, "ledger:app"];
    place.python(Packages::Plain, &[&["-m", "gunicorn"], &threads[..], &rest[..]].concat())
}

/// gunicorn's threads, which call Flask.
fn gunicorn(place: &Place) -> Result<Vec<Process>> {
    let archive = flask(place, "archive", 8081, "")?;
    let command = ledger(place, &format!("127.0.0.1:{FRONT}"))?;
    Ok(vec![archive, place.serve("ledger", FRONT, &url(8081), command)?])
}

/// The two services of py_zipkin's tutorial, and somebody who takes their spans.
fn py_zipkin(place: &Place) -> Result<Vec<Process>> {
    let tutorial = |script| {
        let mut python = place.python(Packages::Instrumented, &[script])?;
        python.env("ZIPKIN", url(8082));
        anyhow::Ok(python)
    };
    let arguments = ["/srv/collector.py", "127.0.0.1", "8082", "/dev/null"];
    let sink = place.serve("sink", 8082, "", place.python(Packages::Plain, &arguments)?)?;
    let service1 = place.serve("service1", 8081, "", tutorial("/srv/service1.py")?)?;
    let webapp = place.serve("webapp", FRONT, &url(8081), tutorial("/srv/webapp.py")?)?;
    Ok(vec![sink, service1, webapp])
}

/// nginx before gunicorn's unix socket.
fn unix_socket(place: &Place) -> Result<Vec<Process>> {
    let archive = flask(place, "archive", 8081, "")?;
    let mut command = ledger(place, "unix:/srv/ledger.sock")?;
    let mut gunicorn = place.start("ledger", &url(8081), &mut command)?;
    wait_for_socket(&mut gunicorn, &Place::path("ledger.sock"))?;
    Ok(vec![archive, gunicorn, place.nginx(FRONT, "unix:/srv/ledger.sock")?])
}

/// A client and a server that use io_uring, the server with multishot receives.
/// The conversation's format: tests/programs/mover/conversation.c.
fn converse(place: &Place, scene: &Scene) -> Result<()> {
    let mut conversation = String::new();
    for id in FIRST..FIRST + scene.requests {
        let request = format!("GET /orders/{id} HTTP/1.1\r\nHost: uring.test\r\n\r\n");
        let response = format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{id}");
        for (who, bytes) in [('C', request), ('S', response)] {
            conversation.push_str(&format!("{who} h {}\n{bytes}", bytes.len()));
        }
        if id == FIRST {
            // All is over in milliseconds, and who they are has to be read while they run.
            conversation.push_str("C p 500\n");
        }
    }
    let file = Place::path("conversation");
    fs::write(&file, conversation)?;
    let mut uring = Command::new(Place::path("uring"));
    uring.arg(file).arg(format!("tcp:127.0.0.1:{FRONT}"));
    uring.args(["both", "alone,send,recv", "alone,send,multishot"]);
    let mut process = place.start("uring", "", &mut uring)?;
    process.wait(std::time::Duration::from_secs(30)).map(drop)
}
