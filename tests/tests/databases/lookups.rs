//! What services ask servers of names.

use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tests::databases::{self, Databases};
use tests::export::Span;
use tests::poll;
use tests::process::Process;
use tests::span::Side;
use tests::traced::ToFile;

use crate::asked::{Mode, ask, numbers};

const LIMIT: Duration = Duration::from_secs(60);
/// Where dnsmasq answers; resolvers ask no other port than 53.
const SERVER: &str = "127.77.53.1";
/// The addresses of every name below `tracer.test`.
const ADDRESSES: [&str; 2] = ["10.1.2.3", "fd00::7"];
/// The number of the first request of those that are looked at.
const LAST: usize = 30_000;
const MODE: Mode = Mode { name: "lookup", calls: &[], system: "dns" };

/// A server of names, and a file that makes resolvers ask it.
struct Names {
    _server: Process,
    configuration: String,
}

impl Names {
    fn start(databases: &Databases) -> Result<Self> {
        let mut server = Command::new("dnsmasq");
        server.args(["--no-daemon", "--port=53", "--bind-interfaces", "--no-resolv", "--no-hosts"]);
        server.args(["--conf-file=/dev/null", "--user=root", "--pid-file=", "--local=/invalid/"]);
        server.arg(format!("--listen-address={SERVER}"));
        for address in ADDRESSES {
            server.arg(format!("--address=/tracer.test/{address}"));
        }
        let mut server = Process::start("dnsmasq", &mut server)?;
        server.wait_for("server of names", LIMIT, |_| {
            TcpStream::connect((SERVER, 53)).map(drop).map_err(Into::into)
        })?;
        let configuration = databases.directory.join("resolv.conf");
        fs::write(&configuration, format!("nameserver {SERVER}\noptions timeout:30\n"))?;
        Ok(Self { _server: server, configuration: configuration.display().to_string() })
    }

    /// A program that asks it: in a mount namespace of its own, where resolv.conf is another.
    fn asked_by(&self, program: &Command) -> Command {
        let mut command = Command::new("unshare");
        let bind = "mount --bind \"$0\" \"$(readlink -f /etc/resolv.conf)\" && exec \"$@\"";
        command.args(["--mount", "sh", "-c", bind, &self.configuration]);
        command.arg(program.get_program()).args(program.get_args());
        for (key, value) in program.get_envs() {
            value.map(|value| command.env(key, value));
        }
        command
    }
}

/// Each lookup is below its request: on threads; of an event loop whose executor asks; and of Go, whose
/// resolver asks in goroutines of goroutines that only it knows.
pub(crate) fn of_requests(databases: &Databases) -> Result<()> {
    let names = Names::start(databases)?;
    let mut go = databases::go()?;
    go.env("GODEBUG", "netdns=go");
    let services = [
        ("flask-names", databases::python("flask_service.py")?),
        ("aiohttp-names", databases::python("aiohttp_service.py")?),
        ("go-names", go),
    ];
    for (name, program) in services {
        let (service, port) = databases.service(name, names.asked_by(&program))?;
        ask(port, &[MODE], 10_000)?;
        let tracer = ToFile::start(name, &["--pid", &service.pid().to_string()])?;
        // What a thread of an executor takes that had waited for it before the tracer came is not seen.
        // (Those are in the first round.)
        ask(port, &[MODE], 20_000)?;
        ask(port, &[MODE], LAST)?;
        let seen = tracer.stop()?;
        ensure!(seen.summary.contains("lost: nothing"), "{name}: {}", seen.summary);
        check(&seen.spans).with_context(|| format!("of {name}"))?;
    }
    Ok(())
}

fn check(spans: &[Span]) -> Result<()> {
    let mut requests = numbers(spans, &MODE);
    requests.retain(|(number, _)| number.parse().is_ok_and(|number: usize| number >= LAST));
    ensure!(requests.len() == 48, "{} requests", requests.len());
    for (number, request) in requests {
        let host = format!("t-lookup-{number}.tracer.test");
        let of = |span: &&Span| span.get("dns.question.name") == Some(&*host);
        let mut found: Vec<_> = spans.iter().filter(of).collect();
        found.sort_by_key(|span| span.get("dns.question.type"));
        let kinds: Vec<_> = found.iter().filter_map(|span| span.get("dns.question.type")).collect();
        ensure!(kinds == ["A", "AAAA"], "{number}: {kinds:?}");
        for (lookup, kind) in found.into_iter().zip(kinds) {
            let address = ADDRESSES[usize::from(kind == "AAAA")];
            ensure!(lookup.side == Side::Client && lookup.parent == request.id, "{lookup:#?}");
            ensure!(lookup.name == format!("DNS lookup {host}"), "{lookup:#?}");
            for (key, value) in [
                ("network.transport", "udp"),
                ("server.address", SERVER),
                ("server.port", "53"),
                ("peer.service", "dns"),
            ] {
                ensure!(lookup.get(key) == Some(value), "{key} is not {value}: {lookup:#?}");
            }
            let answers = lookup.get("dns.answers").context("answers")?;
            ensure!(answers.contains(address), "{lookup:#?}");
        }
    }
    Ok(())
}

/// What no request waits for is told where that is asked for, and nowhere else; what nobody answers well,
/// and never.
pub(crate) fn of_nobody(databases: &Databases) -> Result<()> {
    let names = Names::start(databases)?;
    let mut script = databases::python("names.py")?;
    script.arg(SERVER);
    let client = Process::start("names", &mut names.asked_by(&script))?;
    let pid = client.pid().to_string();
    let run = |flags: &[&str]| -> Result<_> {
        let tracer = ToFile::start("names", &[&["--pid", &pid], flags].concat())?;
        let before = client.output().lines().count();
        poll::until("lookups", LIMIT, || {
            let rounds = client.output().lines().count() - before;
            ensure!(rounds > 4, "{rounds} rounds");
            Ok(())
        })?;
        tracer.stop()
    };
    let seen = run(&[])?;
    ensure!(seen.spans.is_empty(), "{:#?}", seen.spans);
    let seen = run(&["--protocols", "http,dns"])?;
    let named = |name: &str| {
        let found = seen.spans.iter().find(|span| span.name == format!("DNS lookup {name}"));
        found.with_context(|| format!("no {name}: {:#?}", seen.spans))
    };
    let none = named("nowhere.invalid")?;
    ensure!(none.get("error.type") == Some("NXDOMAIN"), "{none:#?}");
    // By a socket that is not connected, and over TCP.
    let unconnected = named("unconnected.tracer.test")?;
    ensure!(unconnected.get("server.address") == Some(SERVER), "{unconnected:#?}");
    let stream = named("stream.tracer.test")?;
    ensure!(stream.get("network.transport").is_none(), "{stream:#?}");
    ensure!(stream.get("dns.answers").is_some_and(|it| it.contains(ADDRESSES[0])), "{stream:#?}");
    Ok(())
}
