//! Two services of a kind, the first of which asks the second one over HTTPS, and what is seen of them.

use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use procfs::net::TcpState;
use tests::certificates::Certificates;
use tests::export::Span;
use tests::process::{self, Process};
use tests::span::Side;
use tests::traced::ToFile;
use tests::{paths, poll, ports, prepare};

pub(crate) const START: Duration = Duration::from_secs(60);
/// Programs that ask at the same time.
pub(crate) const CONCURRENCY: usize = 4;
/// Requests of each, over one connection.
pub(crate) const REQUESTS: usize = 3;
/// A secret that nothing may keep.
pub(crate) const SECRET: &str = "hunter2-is-my-password";

/// Two services of a kind, the first of which asks the second one.
pub(crate) struct Pair {
    pub(crate) front: u16,
    pub(crate) back: u16,
    pub(crate) certificates: Certificates,
    /// Whether the first one is asked over HTTPS, too.
    pub(crate) scheme: &'static str,
    pub(crate) _processes: Vec<Process>,
}

/// The command of a service at a port.
pub(crate) type Service<'a> = &'a dyn Fn(u16, &Certificates) -> Command;

impl Pair {
    pub(crate) fn start(name: &str, service: Service<'_>) -> Result<Pair> {
        Self::start_as(name, service, service, "https")
    }

    /// The first one speaks plain HTTP itself.
    pub(crate) fn start_plain(name: &str, front: Service<'_>, back: Service<'_>) -> Result<Pair> {
        Self::start_as(name, front, back, "http")
    }

    fn start_as(
        name: &str,
        front_service: Service<'_>,
        back_service: Service<'_>,
        scheme: &'static str,
    ) -> Result<Pair> {
        let certificates = Certificates::new(name)?;
        let (front, back) = (ports::free()?, ports::free()?);
        let start = |part: &str, port: u16, service: Service<'_>| -> Result<Process> {
            let mut command = service(port, &certificates);
            let sources = paths::service_sources().join("tls");
            command.current_dir(&sources).env("PYTHONDONTWRITEBYTECODE", "1");
            command.env("PORT", port.to_string());
            command.env("BEHIND", format!("https://127.0.0.1:{back}"));
            command.env("AUTHORITY", &certificates.authority);
            command.env("CERTIFICATE", &certificates.certificate);
            command.env("KEY", &certificates.key);
            let mut process = Process::start(&format!("{name}-{part}"), &mut command)?;
            process.wait_for_port(port, START)?;
            Ok(process)
        };
        let processes =
            vec![start("back", back, back_service)?, start("front", front, front_service)?];
        // What a runtime loads with its first request is there before the tracer looks.
        for (scheme, port, path) in [(scheme, front, "go"), ("https", back, "leaf")] {
            fetch(&certificates, &[format!("{scheme}://localhost:{port}/{path}/before")])?;
        }
        Ok(Pair { front, back, certificates, scheme, _processes: processes })
    }

    /// Waits until none of their connections is open: whoever is asked notices later than whoever has
    /// asked that one is over.
    pub(crate) fn wait_until_closed(&self) -> Result<()> {
        let ports = [self.front, self.back];
        poll::until("connections to end", START, || {
            let open = procfs::net::tcp()?.into_iter().find(|it| {
                let state = &it.state;
                !matches!(state, TcpState::Listen | TcpState::TimeWait)
                    && [it.local_address, it.remote_address]
                        .iter()
                        .any(|address| ports.contains(&address.port()))
            });
            open.map_or(Ok(()), |open| Err(anyhow!("{open:?}")))
        })
    }

    /// Only what these services do.
    pub(crate) fn ports(&self) -> String {
        format!("{},{}", self.front, self.back)
    }
}

/// Asks for each name several at a time; the names.
pub(crate) fn ask(pair: &Pair) -> Result<Vec<String>> {
    thread::scope(|scope| {
        let asking: Vec<_> =
            (0..CONCURRENCY).map(|by| scope.spawn(move || curl(pair, by))).collect();
        let mut names = vec![];
        for one in asking {
            names.extend(one.join().map_err(|_| anyhow!("panicked"))??);
        }
        Ok(names)
    })
}

fn curl(pair: &Pair, by: usize) -> Result<Vec<String>> {
    let Pair { front, scheme, .. } = pair;
    let names: Vec<_> = (0..REQUESTS).map(|n| format!("{by}-{n}")).collect();
    let url = |name: &String| format!("{scheme}://localhost:{front}/go/{name}");
    fetch(&pair.certificates, &names.iter().map(url).collect::<Vec<_>>())?;
    Ok(names)
}

/// One after the other, over one connection.
pub(crate) fn fetch(certificates: &Certificates, urls: &[String]) -> Result<()> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "10"]);
    curl.arg("--http1.1").arg("--cacert").arg(&certificates.authority);
    curl.args(["--header", &format!("Authorization: Bearer {SECRET}")]);
    curl.args(["--header", &format!("Cookie: session={SECRET}"), "--get", "--data"]);
    curl.arg(format!("password={SECRET}")).args(urls);
    process::run("curl", &mut curl)?;
    Ok(())
}

/// The spans while a pair is asked.
pub(crate) fn traced(name: &str, pair: &Pair, flags: &[&str]) -> Result<(Vec<String>, Vec<Span>)> {
    traced_until(name, pair, flags, || Ok(()))
}

/// The same from before its first connection to after the end of the last one.
pub(crate) fn traced_whole(
    name: &str,
    pair: &Pair,
    flags: &[&str],
) -> Result<(Vec<String>, Vec<Span>)> {
    pair.wait_until_closed()?;
    traced_until(name, pair, flags, || pair.wait_until_closed())
}

fn traced_until(
    name: &str,
    pair: &Pair,
    flags: &[&str],
    over: impl FnOnce() -> Result<()>,
) -> Result<(Vec<String>, Vec<Span>)> {
    let ports = pair.ports();
    let tracer = ToFile::start(name, &[&["--port", &ports][..], flags].concat())?;
    let names = ask(pair)?;
    over()?;
    let seen = tracer.stop()?;
    Ok((names, seen.spans))
}

/// The span of one side for a path; there must be one.
pub(crate) fn only<'a>(spans: &'a [Span], side: Side, path: &str) -> Result<&'a Span> {
    let is_it = |span: &&Span| {
        let target = span.target();
        span.side == side && target.split('?').next() == Some(path)
    };
    let mut found = spans.iter().filter(is_it);
    let first = found.next().with_context(|| format!("no {side:?} span of {path}"))?;
    ensure!(found.next().is_none(), "several {side:?} spans of {path}");
    Ok(first)
}

/// Asserts that of each request all four spans are there, each below the one that caused it.
pub(crate) fn assert_chains(names: &[String], spans: &[Span]) -> Result<()> {
    ensure!(names.len() == CONCURRENCY * REQUESTS, "{} requests", names.len());
    for name in names {
        let (go, leaf) = (format!("/go/{name}"), format!("/leaf/{name}"));
        let chain = [
            only(spans, Side::Client, &go)?,
            only(spans, Side::Server, &go)?,
            only(spans, Side::Client, &leaf)?,
            only(spans, Side::Server, &leaf)?,
        ];
        ensure!(chain[0].parent.is_empty(), "{go}: the outermost has a parent");
        for two in chain.windows(2) {
            let [above, below] = two else { continue };
            let how = below.get("tracer.parent.method");
            ensure!(
                below.parent == above.id,
                "{} is not under {}: {how:?}",
                below.name,
                above.name
            );
            ensure!(below.trace == above.trace, "{go}: two traces");
        }
        ensure!(chain.iter().all(|span| span.number("http.response.status_code") == Some(200)));
    }
    Ok(())
}

/// Flask under gunicorn, which speaks HTTPS itself.
pub(crate) fn gunicorn(port: u16, certificates: &Certificates) -> Command {
    let mut gunicorn = plain_gunicorn(port);
    gunicorn.arg("--certfile").arg(&certificates.certificate);
    gunicorn.arg("--keyfile").arg(&certificates.key);
    gunicorn
}

/// The same, but only its neighbour speaks HTTPS.
pub(crate) fn plain_gunicorn(port: u16) -> Command {
    // What is not there fails to start.
    let bin = prepare::python().unwrap_or_default();
    let mut gunicorn = Command::new(bin.join("gunicorn"));
    gunicorn.args(["--threads", "4", "--bind", &format!("127.0.0.1:{port}")]);
    gunicorn.arg("flask_service:app");
    gunicorn
}
