//! The server on a socket.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use super::*;
use crate::stats::Tally;

fn sources() -> Sources {
    crate::serve::testing::sources(&Arc::default())
}

fn start(token: Option<&Token>, sources: &Sources) -> Server {
    let page = Page { address: ([127, 0, 0, 1], 0).into(), chosen: true, open: token.is_none() };
    Listener::bind(&page, token.cloned(), "/nowhere".as_ref()).unwrap().serve(sources).unwrap()
}

/// Sends these bytes, and returns all that comes back until the server closes.
async fn talk(address: SocketAddr, text: String) -> String {
    let talk = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = vec![];
        // What comes before a reset counts.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::task::spawn_blocking(talk).await.unwrap()
}

async fn get(address: SocketAddr, target: &str) -> String {
    let head = format!("GET {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    talk(address, head).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_need_the_token_and_health_does_not() {
    let (token, sources) = (Token::random().unwrap(), sources());
    let server = start(Some(&token), &sources);
    let address = server.address();
    assert_eq!(server.url(), format!("http://{address}/?token={token}"));
    assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 503"));
    sources.vitals.tell(Tally::default());
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
    let refused = get(address, "/metrics").await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    assert!(refused.contains("/nowhere/ui-token"), "says where the token is: {refused}");
    let answer = get(address, &format!("/metrics?token={token}")).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("tracer_up 1"), "{answer}");
    server.shutdown(Duration::from_secs(30)).await;
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_bounded() {
    let server = start(None, &sources());
    let address = server.address();
    let long = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "x".repeat(2 * MAX_HEAD));
    let answer = talk(address, long).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    let nonsense = talk(address, "\u{16}\u{3}\u{1}\r\n\r\n".into()).await;
    assert!(nonsense.is_empty() || nonsense.starts_with("HTTP/1.1 400"), "{nonsense}");
    assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"), "it goes on");
    server.shutdown(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_do_not_hold_up_the_end() {
    let server = start(None, &sources());
    let address = server.address();
    let idle = TcpStream::connect(address).unwrap();
    assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"));
    let begun = Instant::now();
    server.shutdown(Duration::from_secs(60)).await;
    assert!(begun.elapsed() < Duration::from_secs(30));
    drop(idle);
}

#[tokio::test]
async fn a_taken_address_is_an_error_that_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let page = Page { address: taken.local_addr().unwrap(), chosen: true, open: true };
    let error = Listener::bind(&page, None, "/nowhere".as_ref()).err().unwrap();
    assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().starts_with("--ui: cannot listen on 127.0.0.1:"), "{error}");
}
