//! Every system call that moves bytes over TCP, in every split.

use anyhow::Result;

use crate::conversation::{Conversation, large, small};
use crate::mover::{Case, found};

/// `(case, put, take)`: both sides use the same calls. A call is `NAME[:MOST[:VECTOR]]`, of at most
/// so many bytes an operation and an iovec.
type Calls = (&'static str, &'static str, &'static str);

fn alike(calls: &[Calls], conversation: fn(&str) -> Conversation) -> Vec<Case> {
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
