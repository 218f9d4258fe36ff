//! What services ask of Elasticsearch and S3 over HTTP, from records to spans.

use tracer_user::trace::{Kind, Span};

use crate::http::OK;
use crate::outcome::{Outcome, settings, text};
use crate::recording::recorded;
use crate::script::{End, Script, Task, Wire};

const SERVICE: Task = Task { pid: 20, tid: 21 };
/// Nothing of what it does is told: it is on another host.
const THERE: Task = Task { pid: 30, tid: 30 };
const SECRET: &str = "AKIAIOSFODNN7EXAMPLE";

fn exchange(script: &mut Script, wire: Wire, request: &str, fields: &str, response: &[u8]) {
    let request = format!("{request} HTTP/1.1\r\n{fields}\r\n");
    script.send(SERVICE, wire, End::Opener, request.as_bytes());
    script.receive(THERE, wire, End::Acceptor);
    script.send(THERE, wire, End::Acceptor, response);
    script.receive(SERVICE, wire, End::Opener);
}

fn signed(service: &str) -> String {
    format!(
        "Host: minio:9000\r\nX-Amz-Date: 20130524T000000Z\r\nX-Amz-Content-Sha256: e3b0\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={SECRET}/20130524/us-east-1/{service}\
         /aws4_request, SignedHeaders=host;x-amz-date, Signature=hunter2\r\n"
    )
}

/// The calls in the order in which they were made.
fn calls(outcome: &Outcome) -> Vec<&Span> {
    let mut calls: Vec<&Span> = outcome.spans.iter().map(|span| &**span).collect();
    calls.sort_by_key(|span| span.start);
    assert!(calls.iter().all(|call| call.kind == Kind::Client));
    calls
}

fn searches() -> Script {
    let mut script = Script::new();
    let wire = script.abroad(SERVICE, 9200);
    let client = "Host: search:9200\r\nUser-Agent: elasticsearch-py/8.12.0 (Python/3.11)\r\n";
    exchange(&mut script, wire, "POST /products/_search?size=3", client, OK);
    let missing = b"HTTP/1.1 404 Not Found\r\nX-elastic-product: Elasticsearch\r\n\
                    Content-Length: 2\r\n\r\n{}";
    let curl = "Host: search:9200\r\nUser-Agent: curl/8.0\r\n";
    exchange(&mut script, wire, "GET /products/_doc/7", curl, missing);
    exchange(&mut script, wire, "POST /_bulk", curl, OK);
    exchange(&mut script, wire, "GET /products", curl, OK);
    let wire = script.abroad(SERVICE, 80);
    exchange(&mut script, wire, "GET /users/_search", "Host: api\r\n", OK);
    script
}

#[test]
fn searches_are_told_as_such() {
    let outcome = recorded(&searches());
    let [search, get, bulk, bare, rest] = calls(&outcome)[..] else { panic!("not five calls") };
    for (call, name, index) in [
        (search, "search products", Some("products")),
        (get, "get products", Some("products")),
        (bulk, "bulk", None),
    ] {
        assert_eq!((&*call.name, text(call, "db.collection.name")), (name, index));
        assert_eq!(text(call, "db.operation.name"), name.split(' ').next());
        assert_eq!(text(call, "db.system.name"), Some("elasticsearch"));
        assert_eq!(call.remote.service.as_deref(), Some("elasticsearch"));
        assert!(text(call, "http.request.method").is_some() && text(call, "url.full").is_some());
    }
    assert_eq!(text(get, "db.response.status_code"), Some("404"));
    assert_eq!((get.is_error(), text(search, "db.response.status_code")), (true, None));
    // One on Elasticsearch's port may be anything, and so may an endpoint of Elasticsearch's elsewhere.
    for (call, name) in [(bare, "GET /products"), (rest, "GET /users/_search")] {
        assert_eq!((&*call.name, text(call, "db.system.name")), (name, None));
        assert_eq!(call.remote.service, None);
    }
}

#[test]
fn objects_are_told_as_such() {
    let mut script = Script::new();
    let wire = script.abroad(SERVICE, 9000);
    let s3 = signed("s3");
    exchange(&mut script, wire, "GET /photos/a/b.jpg?x-id=GetObject", &s3, OK);
    exchange(&mut script, wire, "GET /photos?list-type=2", &s3, OK);
    exchange(&mut script, wire, "GET /photos/a", &signed("sqs"), OK);
    let aws = "Host: photos.s3.eu-west-1.amazonaws.com\r\n";
    let part = "PUT /big?partNumber=2&uploadId=u";
    exchange(&mut script, wire, part, aws, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let there = "photos.s3.eu-west-1.amazonaws.com:443";
    let request = format!("CONNECT {there}");
    exchange(&mut script, wire, &request, &format!("Host: {there}\r\n"), OK);
    let outcome = recorded(&script);
    let [get, list, queue, part, tunnel] = calls(&outcome)[..] else { panic!("not five calls") };
    for (call, method, key) in [
        (get, "GetObject", Some("a/b.jpg")),
        (list, "ListObjectsV2", None),
        (part, "UploadPart", Some("big")),
    ] {
        assert_eq!(
            (&*call.name, text(call, "rpc.method")),
            (&*format!("S3.{method}"), Some(method))
        );
        assert_eq!(text(call, "rpc.system.name"), Some("aws-api"));
        assert_eq!((text(call, "aws.s3.bucket"), text(call, "aws.s3.key")), (Some("photos"), key));
        assert_eq!(call.remote.service.as_deref(), Some("s3"));
    }
    assert_eq!((part.is_error(), text(part, "aws.s3.upload_id")), (true, Some("u")));
    assert_eq!((&*queue.name, text(queue, "rpc.service")), ("GET /photos/a", None));
    assert_eq!(text(tunnel, "rpc.service"), None);
    let told = format!("{:?}", outcome.spans);
    assert!(!told.contains(SECRET) && !told.contains("hunter2"));
}

#[test]
fn what_is_not_wanted_is_http() {
    let mut without = settings();
    without.backing.protocols = 0;
    let outcome = Outcome::with(&searches(), without);
    assert!(outcome.spans.iter().all(|span| text(span, "db.system.name").is_none()));
    assert_eq!(calls(&outcome)[0].name, "POST /products/_search");
}

#[test]
fn a_service_of_this_host_keeps_its_name() {
    let mut script = Script::new();
    let wire = script.connect(SERVICE, 9200);
    exchange(&mut script, wire, "GET /products/_count", "Host: there\r\n", OK);
    let outcome = Outcome::of(&script);
    let [client, server] =
        [Kind::Client, Kind::Server].map(|kind| outcome.span(kind, "/products/_count"));
    assert_eq!(
        (&*client.name, client.remote.service.as_deref()),
        ("count products", Some("pid-30"))
    );
    assert_eq!((&*server.name, text(server, "db.system.name")), ("GET /products/_count", None));
}
