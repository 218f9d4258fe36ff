//! HTTPS between real programs, seen where they give plaintext to their TLS library: each request's
//! tree is the one that plain HTTP gives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use tests::certificates::Certificates;
use tests::process::{self, Process};
use tests::span::Side;
use tests::traced::ToFile;
use tests::{paths, ports, prepare};

use crate::pair::{Pair, SECRET, START, ask, assert_chains, gunicorn, only, traced};
use crate::recorded;

/// OpenSSL as a library that reads and writes the sockets itself.
#[test]
fn curl_to_gunicorn_to_gunicorn() -> Result<()> {
    let pair = Pair::start("tls-gunicorn", &gunicorn)?;
    let (names, spans) = traced("tls-gunicorn", &pair, &[])?;
    assert_chains(&names, &spans)?;
    for span in &spans {
        let told = match span.side {
            Side::Server => span.get("url.scheme") == Some("https"),
            Side::Client => span.get("url.full").is_some_and(|url| url.starts_with("https://")),
            Side::Producer | Side::Consumer => false,
        };
        ensure!(told, "{span:?}");
    }
    Ok(())
}

/// The same library with memory between it and the sockets.
#[test]
fn aiohttp() -> Result<()> {
    let python = prepare::tasks_python()?.join("python");
    let service = |_: u16, _: &Certificates| {
        let mut command = Command::new(&python);
        command.arg("aiohttp_service.py");
        command
    };
    let pair = Pair::start("tls-aiohttp", &service)?;
    let (names, spans) = traced("tls-aiohttp", &pair, &[])?;
    assert_chains(&names, &spans)
}

/// The library is a part of the program.
#[test]
fn node() -> Result<()> {
    let service = |_: u16, _: &Certificates| {
        let mut command = Command::new("node");
        command.arg("service.js");
        command
    };
    let pair = Pair::start("tls-node", &service)?;
    let (names, spans) = traced("tls-node", &pair, &[])?;
    assert_chains(&names, &spans)
}

/// OpenSSL 1.1, as a part of the program. Which promises wait for what nobody looks for there, so that
/// calls may have no parent.
#[test]
fn node_with_openssl_1_1() -> Result<()> {
    let node = prepare::old_node()?;
    let service = |_: u16, _: &Certificates| {
        let mut command = Command::new(&node);
        command.arg("service.js");
        command
    };
    let pair = Pair::start("tls-node-16", &service)?;
    let (names, spans) = traced("tls-node-16", &pair, &[])?;
    for name in names {
        for path in [format!("/go/{name}"), format!("/leaf/{name}")] {
            let (client, server) =
                (only(&spans, Side::Client, &path)?, only(&spans, Side::Server, &path)?);
            ensure!(server.parent == client.id, "{path}: not paired");
            ensure!(server.get("url.scheme") == Some("https"), "{server:?}");
        }
        let (asked, call) =
            (only(&spans, Side::Server, &format!("/go/{name}"))?, &format!("/leaf/{name}"));
        let call = only(&spans, Side::Client, call)?;
        ensure!(call.parent.is_empty() || call.parent == asked.id, "{name}: a wrong parent");
    }
    Ok(())
}

/// TLS on one side, plain HTTP on the other.
#[test]
fn nginx_in_front_of_plain_http() -> Result<()> {
    let certificates = Certificates::new("tls-nginx")?;
    let (front, back) = (ports::free()?, ports::free()?);
    let directory = certificates.directory();
    let text = fs::read_to_string(paths::service_sources().join("tls/nginx.conf"))?;
    let text = text.replace("DIRECTORY", &directory.display().to_string());
    let text = text.replace("UPSTREAM", &back.to_string()).replace("PORT", &front.to_string());
    let file = directory.join("nginx.conf");
    fs::write(&file, text)?;
    let mut command = Command::new(nginx());
    command.arg("-p").arg(directory).arg("-c").arg(&file);
    let mut process = Process::start("tls-nginx", &mut command)?;
    process.wait_for_port(front, START)?;
    let pair = Pair { front, back, certificates, scheme: "https", _processes: vec![process] };
    let (names, spans) = traced("tls-nginx", &pair, &[])?;
    assert_chains(&names, &spans)
}

fn nginx() -> PathBuf {
    let known = Path::new("/usr/sbin/nginx");
    if known.exists() { known.into() } else { "nginx".into() }
}

/// What a recording keeps of plaintext is what it keeps of plain HTTP.
#[test]
fn recordings_keep_no_secrets() -> Result<()> {
    let pair = Pair::start("tls-record", &gunicorn)?;
    let file = paths::logs().join("tls.trec");
    let mut command = Command::new(paths::tracer());
    command.arg("record").arg(&file).arg("--force").args(["--port", &pair.ports()]);
    let tracer = ToFile::spawn("tls-record", &mut command)?;
    let names = ask(&pair)?;
    let live = tracer.stop()?;
    assert_chains(&names, &live.spans)?;
    let replayed = tests::traced::fresh("tls-replay")?;
    let mut replay = Command::new(paths::tracer());
    replay.arg("replay").arg(&file).arg("--export").arg(format!("file={}", replayed.display()));
    process::run("tracer replay", replay.env("TRACER_UI", "off"))?;
    assert_chains(&names, &tests::export::read(&replayed)?)?;
    let kept = recorded::contents(&file)?;
    ensure!(kept.contains("GET /go/0-0?password="), "the recording has no plaintext");
    ensure!(!kept.contains(SECRET), "the recording has the secret");
    ensure!(!format!("{:?}", live.spans).contains(SECRET), "a span has the secret");
    Ok(())
}
