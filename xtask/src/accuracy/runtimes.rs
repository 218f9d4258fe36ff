//! Which runtimes there are: the suite's, and those of `tests/services/accuracy`.

use e2e::accuracy::Own;

/// Runtimes that the same is asked of (docs/accuracy.md, floors).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// A thread works on one request from its beginning to its end.
    Blocking,
    Go,
    Asyncio,
    Greenlets,
    Node,
    Tokio,
    /// Thread pools that pass a request on from one to the other.
    Executors,
}

/// What has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A part of the suite's own preparation.
    Suite(&'static str),
    /// A service of this checkout.
    Own(Own),
}

/// A runtime.
#[derive(Debug)]
pub(crate) struct Runtime {
    pub(crate) name: &'static str,
    /// Server and client library.
    pub(crate) what: &'static str,
    pub(crate) family: Family,
    pub(crate) source: Source,
}

const fn suite(
    name: &'static str,
    what: &'static str,
    family: Family,
    part: &'static str,
) -> Runtime {
    Runtime { name, what, family, source: Source::Suite(part) }
}

const fn own(name: &'static str, what: &'static str, family: Family, own: Own) -> Runtime {
    Runtime { name, what, family, source: Source::Own(own) }
}

/// All of them, in the order of the table.
pub(crate) const RUNTIMES: [Runtime; 16] = [
    suite("flask", "Flask on werkzeug's threads, requests", Family::Blocking, "python"),
    suite("gunicorn", "Flask on gunicorn gthread 2x32, requests", Family::Blocking, "python"),
    own("java", "com.sun.net.httpserver, HttpURLConnection", Family::Blocking, Own::Java("url")),
    own("ruby", "puma, Net::HTTP", Family::Blocking, Own::Ruby),
    own("php", "PHP's own server with workers, curl", Family::Blocking, Own::Php),
    own("uwsgi", "Flask on uWSGI 4x16, requests", Family::Blocking, Own::Uwsgi),
    suite("go", "net/http", Family::Go, "go"),
    suite("fastapi", "FastAPI on uvicorn (uvloop, httptools), httpx", Family::Asyncio, "python"),
    suite("fastapi-h11", "the same on asyncio and h11", Family::Asyncio, "python"),
    suite("aiohttp", "aiohttp, both sides", Family::Asyncio, "python"),
    own("gevent", "Flask on gunicorn gevent 2, requests", Family::Greenlets, Own::Gevent),
    suite("express", "express, fetch", Family::Node, "node"),
    suite("nodehttp", "node:http, both sides", Family::Node, "node"),
    suite("rust", "axum, reqwest", Family::Tokio, "rust"),
    own(
        "java-send",
        "com.sun.net.httpserver, HttpClient.send",
        Family::Executors,
        Own::Java("send"),
    ),
    own(
        "java-async",
        "com.sun.net.httpserver, HttpClient.sendAsync, CompletableFuture",
        Family::Executors,
        Own::Java("async"),
    ),
];

/// The one of this name.
pub(crate) fn find(name: &str) -> Option<&'static Runtime> {
    RUNTIMES.iter().find(|runtime| runtime.name == name)
}

/// Where it stands in the table; those that are not known any more stand last.
pub(crate) fn place(name: &str) -> usize {
    RUNTIMES.iter().position(|runtime| runtime.name == name).unwrap_or(RUNTIMES.len())
}

/// Those that need nothing but the suite.
pub(crate) fn of_the_suite() -> Vec<String> {
    let suite = RUNTIMES.iter().filter(|it| matches!(it.source, Source::Suite(_)));
    suite.map(|runtime| runtime.name.to_owned()).collect()
}
