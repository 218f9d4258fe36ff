//! Every system call that moves bytes over TCP, in every split.

use std::fs::{self, File};
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};

use anyhow::{Result, ensure};
use tests::exchanges;
use tests::span::Side;
use tests::traced::ToFile;

use crate::conversation::{Body, Conversation, large, small};
use crate::mover::{Case, found, traced};

/// `(case, put, take)`: both sides use the same calls. A call is `NAME[:MOST[:VECTOR]]`, of at most
/// so many bytes an operation and an iovec.
pub(crate) type Calls = (&'static str, &'static str, &'static str);

pub(crate) fn alike(calls: &[Calls], conversation: fn(&str) -> Conversation) -> Vec<Case> {
    calls.iter().map(|(name, put, take)| Case::alike(conversation(name), put, take)).collect()
}

#[test]
fn flat_buffers() -> Result<()> {
    let calls = [
        ("read-write", "write", "read"),
        ("send-recv", "send", "recv"),
        ("sendto-recvfrom", "sendto", "recvfrom"),
        ("peek", "send", "peek"),
        ("peek-few", "send:100", "peek:10"),
        ("waitall", "send:7", "waitall"),
        ("more", "more:50", "recv"),
        ("zerocopy", "zerocopy", "recv"),
        ("nonblocking", "nonblocking", "nonblocking"),
        ("few", "write:13", "read:11"),
        ("one-byte", "send:1", "recv:1"),
        ("one-byte-writes", "write:1", "recv"),
        ("one-byte-reads", "write", "read:1"),
    ];
    found("flat", &alike(&calls, small))
}

#[test]
fn vectors() -> Result<()> {
    let calls = [
        ("writev", "writev", "readv"),
        ("writev-few", "writev:0:11", "readv:0:13"),
        ("writev-single", "writev:0:1", "readv:0:1"),
        ("pwritev", "pwritev2:0:17", "preadv2:0:5"),
        ("sendmsg", "sendmsg", "recvmsg"),
        ("sendmsg-few", "sendmsg:0:11", "recvmsg:0:13"),
        ("sendmsg-single", "sendmsg:0:1", "recvmsg:0:1"),
        ("sendmsg-short", "sendmsg:40:3", "recvmsg:30:7"),
        ("vectors-to-bytes", "writev:0:9", "recv:1"),
        ("bytes-to-vectors", "send:1", "readv:0:9"),
    ];
    found("vectors", &alike(&calls, small))
}

#[test]
fn several_messages_a_call() -> Result<()> {
    let calls = [
        ("sendmmsg", "sendmmsg", "recvmmsg"),
        ("sendmmsg-few", "sendmmsg:60:13", "recvmmsg:50:11"),
        ("sendmmsg-single", "sendmmsg:1", "recvmmsg:1"),
        ("sendmmsg-vectors", "sendmmsg:0:90", "waitforone:0:70"),
        ("waitforone", "send:100", "waitforone:30"),
        ("sendmmsg-to-recv", "sendmmsg:100", "recv"),
        ("send-to-recvmmsg", "send", "recvmmsg:10"),
    ];
    let large_too = [
        ("large-sendmmsg", "sendmmsg:100000:10000", "recvmmsg:65536"),
        ("large-sendmmsg-one", "sendmmsg", "waitforone:10000"),
    ];
    found("several", &[alike(&calls, small), alike(&large_too, large)].concat())
}

#[test]
fn megabytes() -> Result<()> {
    let calls = [
        ("large-write", "write", "read"),
        ("large-pieces", "send:65536", "recv:4096"),
        ("large-writev", "writev:0:5000", "readv:0:3000"),
        ("large-sendmsg", "sendmsg:100000:1000", "recvmsg:0:1000"),
        ("large-waitall", "send", "waitall"),
        ("large-zerocopy", "zerocopy:300000", "recv"),
        ("large-nonblocking", "nonblocking", "nonblocking"),
    ];
    found("megabytes", &alike(&calls, large))
}

/// The length counts, and there are no bytes to read.
#[test]
fn bodies_without_a_buffer() -> Result<()> {
    let calls = [
        ("sendfile", "sendfile", "recv"),
        ("sendfile-few", "sendfile:100", "recv"),
        ("splice-in", "splice", "recv"),
        ("tee-in", "tee", "recv"),
        ("trunc", "send", "trunc"),
        ("splice-out", "send", "splice"),
        ("tee-out", "send", "tee"),
        ("splice-both", "splice", "splice"),
        ("sendfile-to-splice", "sendfile", "splice"),
    ];
    let large_too = [
        ("large-sendfile", "sendfile", "recv"),
        ("large-splice-in", "splice", "recv"),
        ("large-splice-out", "send", "splice"),
        ("large-splice-both", "splice", "splice"),
        ("large-trunc", "send", "trunc"),
    ];
    found("unread", &[alike(&calls, small), alike(&large_too, large)].concat())
}

/// Nobody can know what such a response says: that is a loss with a name, of this message alone.
#[test]
fn a_head_without_a_buffer() -> Result<()> {
    let turn = [("GET", Body::None, 200, Body::Length(3000))];
    let conversation = Conversation::new("no-head").turn(&turn).turn(&turn).turn(&turn);
    let targets: Vec<String> = (0..3).map(|number| conversation.target(number)).collect();
    let case = Case {
        server: "alone,sendfile_all,recv".into(),
        ..Case::alike(conversation, "send", "recv")
    };
    let seen = traced("no-head", &[case])?;
    for target in &targets {
        let client = exchanges::one(&seen.spans, Side::Client, target)?;
        let server = exchanges::one(&seen.spans, Side::Server, target)?;
        ensure!(client.number("http.response.body.size") == Some(3000), "{client:#?}");
        ensure!(client.get("tracer.incomplete").is_none(), "{client:#?}");
        ensure!(server.get("http.response.status_code").is_none(), "{server:#?}");
        ensure!(server.get("tracer.incomplete") == Some("bytes_lost"), "{server:#?}");
        ensure!(server.parent == client.id, "{server:#?} is not below {client:#?}");
    }
    ensure!(seen.spans.len() == 6, "{}", exchanges::list(&seen.spans));
    let losses = "lost: 1 message_start_unseen\nlost: 3 messages_abandoned";
    ensure!(seen.summary.ends_with(losses), "{}", seen.summary);
    Ok(())
}

/// Whether a connection that begins with bytes from a file carries HTTP, no probe can tell.
#[test]
fn what_cannot_be_read_is_counted_by_process() -> Result<()> {
    let tracer = ToFile::start("sockets-unread", &["--pid", &std::process::id().to_string()])?;
    let path = tracer.file.with_extension("bytes");
    fs::write(&path, [b'x'; 5000])?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut receiver = TcpStream::connect(listener.local_addr()?)?;
    let sender = listener.accept()?.0;
    ensure!(rustix::fs::sendfile(&sender, File::open(&path)?, None, 5000)? == 5000);
    drop(sender);
    ensure!(receiver.read_to_end(&mut vec![])? == 5000);
    let summary = tracer.stop()?.summary;
    let process = format!("(pid {})", std::process::id());
    let unread = summary.lines().find(|line| line.starts_with("unread: "));
    ensure!(unread.is_some_and(|line| line.ends_with(&process)), "{summary}");
    Ok(())
}
