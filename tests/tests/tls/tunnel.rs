//! TLS through a proxy's tunnel, and libraries that come late or from elsewhere.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tests::export::{self, Span};
use tests::process::{self, Process};
use tests::span::Side;
use tests::traced::ToFile;
use tests::{poll, ports};

use crate::pair::{Pair, START, gunicorn, only};

/// What is asked for the tunnel is told, and what goes through it where it can be read.
#[test]
fn a_tunnel() -> Result<()> {
    let pair = Pair::start("tls-tunnel", &gunicorn)?;
    let port = ports::free()?;
    let mut proxy = Command::new("python3");
    let sources = tests::paths::service_sources().join("tls");
    proxy.arg("proxy.py").current_dir(&sources).env("PORT", port.to_string());
    let mut proxy = Process::start("tls-proxy", &mut proxy)?;
    let listening = format!(":{port:04X} 00000000:0000 0A");
    proxy.wait_for("to listen", START, |_| {
        let sockets = fs::read_to_string("/proc/net/tcp")?;
        sockets.contains(&listening).then_some(()).context("nobody listens")
    })?;
    let all = format!("{},{port}", pair.ports());
    let tracer = ToFile::start("tls-tunnel", &["--port", &all])?;
    let mut client = Command::new("python3");
    client.arg("through.py").current_dir(&sources).env("PROXY", port.to_string());
    client.env("SERVER", pair.front.to_string()).env("AUTHORITY", &pair.certificates.authority);
    process::run("python3", &mut client)?;
    let spans = tracer.stop()?.spans;
    for side in [Side::Client, Side::Server] {
        let inside = only(&spans, side, "/leaf/inside")?;
        ensure!(inside.number("http.response.status_code") == Some(200), "{inside:?}");
        let asked = spans
            .iter()
            .filter(|span| span.side == side && span.get("http.request.method") == Some("CONNECT"));
        ensure!(asked.count() == 1, "{side:?}: {spans:?}");
    }
    // The proxy has two connections that it cannot read.
    let proxied: Vec<_> = spans.iter().filter(|span| span.name == "TLS").collect();
    ensure!(proxied.len() == 2, "{proxied:?}");
    let call = only(&spans, Side::Client, "/leaf/inside")?;
    let accepted =
        proxied.iter().find(|span| span.side == Side::Server).context("none accepted")?;
    ensure!(accepted.parent == call.id, "{accepted:?}");
    Ok(())
}

/// A copy of the library that no other process uses, loaded long after the process has begun, when it
/// has been looked at for the last time.
#[test]
fn a_library_of_its_own_that_is_loaded_late() -> Result<()> {
    let pair = Pair::start("tls-late", &gunicorn)?;
    let directory = pair.certificates.directory();
    for library in ["libssl.so.3", "libcrypto.so.3"] {
        let from = Path::new("/usr/lib/x86_64-linux-gnu").join(library);
        fs::copy(&from, directory.join(library)).with_context(|| from.display().to_string())?;
    }
    let script = tests::paths::service_sources().join("tls/late.py");
    let (go, stop) = (directory.join("go"), directory.join("stop"));
    let mut late = Command::new("python3");
    late.arg(script).env("LD_LIBRARY_PATH", directory).env("GO", &go).env("STOP", &stop);
    late.env("URL", format!("https://localhost:{}/leaf/", pair.front));
    late.env("AUTHORITY", &pair.certificates.authority);
    let mut late = Process::start("tls-late-client", &mut late)?;
    let tracer = ToFile::start("tls-late", &["--port", &pair.ports()])?;
    fs::write(&go, "")?;
    // Its first connection shows that it uses TLS; only then its library is looked for and probed.
    let seen = poll::until("a request of the late one", START, || {
        let spans = export::read(&tracer.file)?;
        let asks = |span: &&Span| span.side == Side::Client && span.name != "TLS";
        spans.iter().find(asks).map(|span| span.target()).context("none yet")
    })?;
    fs::write(&stop, "")?;
    let status = late.wait(START)?;
    ensure!(status.success(), "{}", late.log());
    let maps = late.output();
    ensure!(maps.contains(&*directory.join("libssl.so.3").to_string_lossy()), "{maps}");
    let spans = tracer.stop()?.spans;
    let (client, server) = (only(&spans, Side::Client, &seen)?, only(&spans, Side::Server, &seen)?);
    ensure!(server.parent == client.id, "{seen}: not paired");
    Ok(())
}
