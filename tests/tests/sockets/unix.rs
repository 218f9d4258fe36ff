//! The same over unix stream sockets. They throw nothing away (`MSG_TRUNC`), and have no files sent
//! or spliced out of them here: nothing tells of bytes that pass unseen.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use anyhow::{Result, ensure};
use tests::exchanges;
use tests::export;
use tests::poll;
use tests::span::Side;
use tests::traced::ToFile;

use crate::calls::{Calls, alike};
use crate::conversation::{large, small};
use crate::mover::{Case, check, traced_unix};

const CALLS: [Calls; 11] = [
    ("unix-read-write", "write", "read"),
    ("unix-send-recv", "send", "recv"),
    ("unix-sendto-recvfrom", "sendto", "recvfrom"),
    ("unix-writev", "writev:0:11", "readv:0:13"),
    ("unix-pwritev", "pwritev2:0:17", "preadv2:0:5"),
    ("unix-sendmsg", "sendmsg:0:11", "recvmsg:0:13"),
    ("unix-sendmmsg", "sendmmsg:60:13", "waitforone:50:11"),
    ("unix-peek", "send:100", "peek:10"),
    ("unix-waitall", "send:7", "waitall"),
    ("unix-nonblocking", "nonblocking", "nonblocking"),
    ("unix-one-byte", "send:1", "recv:1"),
];

#[test]
fn by_uring() -> Result<()> {
    let calls = [
        ("unix-uring", "send", "recv"),
        ("unix-uring-sendmsg", "sendmsg:0:11", "recvmsg:0:13"),
        ("unix-uring-async", "async", "async"),
        ("unix-uring-multishot", "write", "multishot"),
    ];
    let cases = crate::uring::by_uring(&calls, small);
    check(&traced_unix("unix-uring", "path", &cases)?, &cases)
}

fn moved(group: &str, kind: &str) -> Result<()> {
    let cases = alike(&CALLS, small);
    check(&traced_unix(group, kind, &cases)?, &cases)
}

#[test]
fn by_path() -> Result<()> {
    moved("unix-path", "path")
}

#[test]
fn by_abstract_name() -> Result<()> {
    moved("unix-abstract", "abstract")
}

#[test]
fn as_a_pair() -> Result<()> {
    moved("unix-pair", "pair")
}

#[test]
fn megabytes() -> Result<()> {
    let calls = [
        ("unix-large", "send", "recv"),
        ("unix-large-writev", "writev:0:5000", "readv:0:3000"),
        ("unix-large-sendfile", "sendfile", "recv"),
        ("unix-large-splice", "splice", "recv"),
    ];
    let cases = alike(&calls, large);
    check(&traced_unix("unix-large", "path", &cases)?, &cases)
}

/// Nobody but the processes' ends tells of the ends of connections.
#[test]
fn shared() -> Result<()> {
    let case = |how: &str| Case::shared(small(&format!("unix-{how}")), how, how);
    let cases = ["child", "turns", "rights", "dup", "dup2", "thread"].map(case);
    check(&traced_unix("unix-shared", "path", &cases)?, &cases)
}

#[test]
fn each_side_says_the_name_of_the_socket() -> Result<()> {
    let cases = alike(&[("unix-named", "send", "recv")], small);
    let seen = traced_unix("unix-named", "path", &cases)?;
    check(&seen, &cases)?;
    for span in &seen.spans {
        let name = span.get("server.address").unwrap_or_default();
        ensure!(name.ends_with("unix-named-0.socket"), "{span:#?}");
    }
    Ok(())
}

/// Neither process ends, and nothing but an operation on the other end shows that one is closed.
#[test]
fn one_side_goes_away() -> Result<()> {
    let tracer = ToFile::start("sockets-unix-gone", &["--pid", &std::process::id().to_string()])?;
    let path = tracer.file.with_extension("socket");
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    let mut buffer = [0; 100];
    let mut ask = |target: &str| -> Result<(UnixStream, UnixStream)> {
        let mut client = UnixStream::connect(&path)?;
        write!(client, "GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")?;
        let mut server = listener.accept()?.0;
        ensure!(server.read(&mut buffer)? > 0);
        Ok((client, server))
    };
    let (client, mut server) = ask("/unread")?;
    drop(client);
    ensure!(server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err());
    let (client, mut server) = ask("/given-up")?;
    drop(client);
    ensure!(server.read(&mut [0])? == 0);
    let (mut client, server) = ask("/unanswered")?;
    drop(server);
    ensure!(client.read(&mut [0])? == 0);
    poll::until("all of them to be told", Duration::from_secs(20), || {
        let spans = export::read(&tracer.file)?;
        for target in ["/unread", "/given-up", "/unanswered"] {
            for side in [Side::Client, Side::Server] {
                let span = exchanges::one(&spans, side, target)?;
                ensure!(span.get("tracer.incomplete") == Some("connection_closed"), "{span:#?}");
            }
        }
        Ok(())
    })?;
    tracer.stop()?;
    Ok(())
}
