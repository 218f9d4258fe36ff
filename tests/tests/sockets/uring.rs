//! io_uring, on the submitter's thread, on the kernel's workers and on its polling thread.

use anyhow::Result;

use crate::calls::{Calls, alike};
use crate::conversation::{Conversation, large, small};
use crate::mover::{Case, Program, found};

pub(crate) fn by_uring(calls: &[Calls], conversation: fn(&str) -> Conversation) -> Vec<Case> {
    let cases = alike(calls, conversation).into_iter();
    cases.map(|case| Case { program: Program::Uring, ..case }).collect()
}

#[test]
fn one_operation_at_a_time() -> Result<()> {
    let calls = [
        ("uring-send-recv", "send", "recv"),
        ("uring-few", "send:100", "recv:30"),
        ("uring-one-byte", "send:1", "recv:1"),
        ("uring-write-read", "write", "read"),
        ("uring-writev-readv", "writev:0:11", "readv:0:13"),
        ("uring-sendmsg-recvmsg", "sendmsg:0:11", "recvmsg:0:13"),
        ("uring-sendmsg-single", "sendmsg:0:1", "recvmsg:0:1"),
        ("uring-waitall", "send:7", "waitall"),
        ("uring-zerocopy", "zerocopy", "recv"),
    ];
    found("uring-one", &by_uring(&calls, small))
}

#[test]
fn registered_files_and_buffers() -> Result<()> {
    let calls = [("uring-fixed", "fixed", "fixed"), ("uring-file", "file", "file")];
    found("uring-registered", &by_uring(&calls, small))
}

#[test]
fn on_workers() -> Result<()> {
    let calls = [
        ("uring-async", "async", "async"),
        ("uring-async-few", "async:100", "async:30"),
        ("uring-async-sendmsg", "async_sendmsg:0:11", "async_recvmsg:0:13"),
    ];
    found("uring-workers", &by_uring(&calls, small))
}

#[test]
fn on_the_polling_thread() -> Result<()> {
    let calls = [
        ("uring-polled", "polled", "polled"),
        ("uring-polled-sendmsg", "polled_sendmsg:0:11", "polled_recvmsg:0:13"),
    ];
    found("uring-polled", &by_uring(&calls, small))
}

#[test]
fn linked() -> Result<()> {
    found("uring-linked", &by_uring(&[("uring-linked", "linked", "linked")], small))
}

#[test]
fn buffers_that_the_kernel_chooses() -> Result<()> {
    found("uring-chosen", &by_uring(&[("uring-chosen", "send", "chosen")], small))
}

#[test]
fn multishot() -> Result<()> {
    let calls = [
        ("uring-multishot", "send", "multishot"),
        ("uring-multishot-few", "send:40", "multishot"),
        ("uring-message-multishot", "sendmsg", "message_multishot"),
    ];
    found("uring-multishot", &by_uring(&calls, small))
}

#[test]
fn megabytes() -> Result<()> {
    let calls = [
        ("uring-large", "send", "recv"),
        ("uring-large-zerocopy", "zerocopy:300000", "waitall"),
        ("uring-large-async", "async", "async"),
        ("uring-large-multishot", "send", "multishot"),
    ];
    found("uring-large", &by_uring(&calls, large))
}
