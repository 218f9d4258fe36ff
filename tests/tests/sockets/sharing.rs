//! Connections that several processes and threads share, hand on, or close in part.

use anyhow::Result;

use crate::conversation::{Body, Conversation, small};
use crate::mover::{Case, found};

/// Everything in tests/programs/mover/sharing.c.
const ARRANGEMENTS: [&str; 7] = ["child", "turns", "rights", "dup", "dup2", "thread", "leader"];

#[test]
fn by_the_server() -> Result<()> {
    let case = |how: &&str| Case::shared(small(&format!("server-{how}")), "alone", how);
    found("server-shares", &ARRANGEMENTS.iter().map(case).collect::<Vec<_>>())
}

#[test]
fn by_the_client() -> Result<()> {
    let case = |how: &&str| Case::shared(small(&format!("client-{how}")), how, "alone");
    found("client-shares", &ARRANGEMENTS.iter().map(case).collect::<Vec<_>>())
}

#[test]
fn by_both() -> Result<()> {
    let case = |how: &&str| Case::shared(small(&format!("both-{how}")), how, how);
    found("both-share", &ARRANGEMENTS.iter().map(case).collect::<Vec<_>>())
}

#[test]
fn half_closed() -> Result<()> {
    let cases = ["alone", "child", "dup2", "rights"].map(|how| {
        let conversation = Conversation::new(&format!("half-{how}"));
        let before = [("GET", Body::None, 200, Body::Length(4))];
        Case::shared(conversation.turn(&before).half_closed(5000), how, how)
    });
    found("half-closed", &cases)
}
