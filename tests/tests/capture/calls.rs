//! Every system call that moves bytes, over each kind of address.

use anyhow::{Result, ensure};

use crate::expect::{self, Exchange};
use crate::run;

const CASES: [&str; 11] = [
    "read_write",
    "readv_writev",
    "send_recv",
    "sendto_recvfrom",
    "sendmsg_recvmsg",
    "one_byte",
    "partial_reads",
    "peek",
    "waitall",
    "vectors_to_bytes",
    "bytes_to_vectors",
];

fn calls(name: &str, address: &str, peer: &str) -> Result<()> {
    let seen = run::traced(name, "calls", address, &CASES)?;
    let exchange =
        |case: &&str| Exchange::new("POST", format!("/{case}"), 201).sizes(5, 7).times(2);
    expect::exactly(&seen.spans, &CASES.iter().map(exchange).collect::<Vec<_>>())?;
    for span in &seen.spans {
        ensure!(span.get("network.peer.address") == Some(peer), "not {peer}: {span:#?}");
        ensure!(span.get("network.protocol.version") == Some("1.1"), "{span:#?}");
        ensure!(span.get("server.address") == Some("raw.test"), "{span:#?}");
    }
    ensure!(seen.summary.ends_with("lost: nothing"), "{}", seen.summary);
    Ok(())
}

#[test]
fn over_ipv4() -> Result<()> {
    calls("calls-ipv4", "127.0.0.1", "127.0.0.1")
}

#[test]
fn over_ipv6() -> Result<()> {
    calls("calls-ipv6", "::1", "::1")
}

#[test]
fn over_ipv4_to_an_ipv6_socket() -> Result<()> {
    calls("calls-mapped", "mapped", "127.0.0.1")
}
