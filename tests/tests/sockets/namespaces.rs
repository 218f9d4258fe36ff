//! Client and server in network namespaces of their own: both sides are seen and paired, each with
//! the addresses that it sees itself.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use tests::ports;
use tests::process::{self, Process};
use tests::span::Side;
use tests::traced::{LIMIT, Seen, ToFile};

use crate::conversation::small;
use crate::mover::{Case, check};

const CLIENT: &str = "10.213.8.1";
const SERVER: &str = "10.213.8.2";
/// What the client calls the server, and the server the client, where addresses are translated.
const CALLED: &str = "10.213.8.77";
const CALLING: &str = "10.213.8.88";

/// Two namespaces with a cable between them; gone when dropped.
struct Namespaces {
    client: String,
    server: String,
}

fn ip(arguments: &[&str]) -> Result<String> {
    process::run("ip", Command::new("ip").args(arguments))
}

impl Namespaces {
    fn create(name: &str) -> Result<Namespaces> {
        let id = std::process::id() % 100_000;
        let made = Namespaces { client: format!("{name}c{id}"), server: format!("{name}s{id}") };
        let (client, server) = (&*made.client, &*made.server);
        ip(&["netns", "add", client])?;
        ip(&["netns", "add", server])?;
        let other = ["peer", "name", "eth", "netns", server];
        ip(&[&["-n", client, "link", "add", "eth", "type", "veth"][..], &other].concat())?;
        for (namespace, address) in [(client, CLIENT), (server, SERVER)] {
            ip(&["-n", namespace, "addr", "add", &format!("{address}/24"), "dev", "eth"])?;
            ip(&["-n", namespace, "link", "set", "eth", "up"])?;
        }
        Ok(made)
    }

    /// Both addresses become others on the way out of the client's namespace.
    fn translate(&self) -> Result<()> {
        let rules = format!(
            "table ip test {{ \
             chain output {{ type nat hook output priority -100; ip daddr {CALLED} dnat to {SERVER}; }}; \
             chain leave {{ type nat hook postrouting priority 100; ip daddr {SERVER} snat to {CALLING}; }}; }}"
        );
        ip(&["-n", &self.client, "addr", "add", &format!("{CALLING}/24"), "dev", "eth"])?;
        let mut nft = Command::new("ip");
        process::run("nft", nft.args(["netns", "exec", &self.client, "nft", &rules])).map(drop)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        // The cable goes with its ends. What was not made cannot be removed.
        let _ = ip(&["netns", "delete", &self.client]);
        let _ = ip(&["netns", "delete", &self.server]);
    }
}

fn inside(namespace: &str, command: &Command) -> Command {
    let mut inside = Command::new("ip");
    inside.args(["netns", "exec", namespace]).arg(command.get_program()).args(command.get_args());
    inside
}

/// A conversation with the server under the address that the client calls it by.
fn traced(name: &str, namespaces: &Namespaces, called: &str) -> Result<Seen> {
    let (port, group) = (ports::free()?, format!("sockets-{name}"));
    let cases = [Case::alike(small(name), "send", "recv")];
    let [case] = &cases;
    let tracer = ToFile::start(&group, &["--port", &port.to_string()])?;
    let server = case.command(name, &format!("tcp:{SERVER}:{port}"), "server")?;
    let mut server = Process::start(&group, &mut inside(&namespaces.server, &server))?;
    server.wait_for_line("listening", LIMIT)?;
    let client = case.command(name, &format!("tcp:{called}:{port}"), "client")?;
    process::run(name, &mut inside(&namespaces.client, &client))?;
    ensure!(server.wait(LIMIT)?.success(), "{}", server.log());
    let seen = tracer.stop()?;
    check(&seen, &cases)?;
    Ok(seen)
}

/// Each side says this of the other.
fn peers(seen: &Seen, of_client: &str, of_server: &str) -> Result<()> {
    for span in &seen.spans {
        let peer = span.get("network.peer.address").context("no address")?;
        let wanted = if span.side == Side::Client { of_client } else { of_server };
        ensure!(peer == wanted, "not {wanted}: {span:#?}");
        let caller = span.get("client.address");
        ensure!(span.side == Side::Client || caller == Some(of_server), "{span:#?}");
    }
    Ok(())
}

#[test]
fn between_two() -> Result<()> {
    let namespaces = Namespaces::create("two")?;
    peers(&traced("namespaces", &namespaces, SERVER)?, SERVER, CLIENT)
}

#[test]
fn between_two_with_translated_addresses() -> Result<()> {
    let namespaces = Namespaces::create("nat")?;
    namespaces.translate()?;
    peers(&traced("translated", &namespaces, CALLED)?, CALLED, CALLING)
}
