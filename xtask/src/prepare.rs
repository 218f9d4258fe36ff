//! What the end-to-end tests and the demo need beside the tracer.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use e2e::accuracy::{Own, RECORDED_OWN, RECORDED_PARTS, Start};

use crate::{install, step};

/// Jaeger's go.mod asks for this minor version of Go 1, and apt's is often older.
const GO_MINOR: u32 = 25;

/// Services in Python and Go, and curl to call them.
pub(crate) fn services() -> Result<()> {
    let why = "running the services";
    install::programs(&[("curl", "curl"), ("python3", "python3")], why)?;
    if step::output(Command::new("python3").args(["-c", "import venv, ensurepip"])).is_none() {
        install::packages(&["python3-venv"], why)?;
    }
    let version = step::output(Command::new("go").arg("version"))
        .context("Go is missing: install Go 1.25 or newer, then run this again")?;
    ensure!(
        go_minor(&version).is_some_and(|minor| minor >= GO_MINOR),
        "Go 1.{GO_MINOR} or newer is needed, not {}",
        version.trim()
    );
    std::fs::create_dir_all(e2e::paths::logs())?;
    thing("Python packages", e2e::prepare::python)?;
    let sources = e2e::paths::service_sources();
    for source in ["relay.go", "shop/cart.go", "shop/payment.go"] {
        thing(&format!("Go service {source}"), || e2e::prepare::go_service(&sources.join(source)))?;
    }
    Ok(())
}

/// Real backends, proxies, and the C programs.
pub(crate) fn backends() -> Result<()> {
    let why = "running the end-to-end tests";
    install::programs(
        &[
            ("nginx", "nginx-light"),
            ("java", "default-jre-headless"),
            ("javac", "default-jdk-headless"),
            ("mvn", "maven"),
            ("nft", "nftables"),
            ("ip", "iproute2"),
            ("haproxy", "haproxy"),
            ("cc", "gcc"),
            ("npm", "npm"),
            ("wget", "wget"),
            ("git", "git"),
            ("chromium", "chromium"),
            ("chromedriver", "chromium-driver"),
            ("node", "nodejs"),
            ("redis-server", "redis-server"),
            ("memcached", "memcached"),
            ("mariadbd", "mariadb-server"),
        ],
        why,
    )?;
    thing("Python packages with tracing SDKs", e2e::prepare::instrumented_python)?;
    thing("Python packages of other frameworks", e2e::prepare::tasks_python)?;
    thing("Envoy", e2e::prepare::envoy)?;
    thing("service on tokio", e2e::prepare::tokio_service)?;
    thing("Node.js with OpenSSL 1.1", e2e::prepare::old_node)?;
    thing("Go service with a tracing SDK", e2e::prepare::instrumented_go)?;
    thing("Go program for gRPC", e2e::prepare::go_rpc)?;
    thing("Go program for meshes", e2e::prepare::go_mesh)?;
    thing("Python packages for HTTP/2 in TLS", e2e::prepare::alpn_python)?;
    thing("h2spec", e2e::prepare::h2spec)?;
    thing("Python packages for gRPC", e2e::prepare::rpc_python)?;
    thing("Python packages for WebSocket", e2e::prepare::websocket_python)?;
    thing("Node.js packages for WebSocket", e2e::prepare::websocket_node)?;
    install::packages(&["postgresql"], why)?;
    thing("Python packages for databases", e2e::prepare::databases_python)?;
    thing("Go service with databases", e2e::prepare::databases_go)?;
    thing("Node.js packages for databases", e2e::prepare::databases_node)?;
    thing("MongoDB's protocol in Java", e2e::prepare::mongo)?;
    install::package_without_service("rabbitmq-server", why)?;
    thing("Kafka", e2e::prepare::kafka)?;
    thing("Python packages for brokers", e2e::prepare::brokers_python)?;
    thing("Go service with brokers", e2e::prepare::brokers_go)?;
    install::packages(&["libc6-dev", "liburing-dev"], why)?;
    thing("programs that move messages", || {
        e2e::prepare::mover()?;
        e2e::prepare::uring()
    })?;
    thing("Zipkin", e2e::prepare::zipkin)?;
    thing("Jaeger (builds for minutes the first time)", e2e::prepare::jaeger).map(drop)
}

/// What `tests/recordings` are recordings of.
pub(crate) fn recordings() -> Result<()> {
    services()?;
    let why = "making recordings";
    let programs = [("nginx", "nginx-light"), ("ip", "iproute2"), ("cc", "gcc")];
    install::programs(&[&programs[..], &[("hostname", "hostname")]].concat(), why)?;
    install::packages(&["libc6-dev", "liburing-dev"], why)?;
    thing("Python packages with tracing SDKs", e2e::prepare::instrumented_python)?;
    thing("the io_uring program", e2e::prepare::uring).map(drop)
}

/// The accuracy suite's services.
pub(crate) fn truth() -> Result<()> {
    install::programs(&[("nginx", "nginx-light")], "the accuracy suite")?;
    thing("the accuracy suite", || e2e::prepare::truth(&["python", "go"])).map(drop)
}

/// The accuracy suite with these parts, and services of our own beside its own: its cache, and how
/// it starts them.
pub(crate) fn accuracy(
    parts: &[&str],
    own: &[(&str, Own)],
) -> Result<(PathBuf, BTreeMap<String, Start>)> {
    let script = e2e::paths::truth().join("truth.py");
    ensure!(
        script.is_file(),
        "no accuracy suite at {}: it is no part of the checkout; TRUTH_SUITE says where it is",
        script.display()
    );
    let mut started = BTreeMap::new();
    for (name, service) in own {
        install::programs(service.programs(), name)?;
        install::packages(service.packages(), name)?;
        started.insert((*name).to_owned(), thing(name, || service.start())?);
    }
    if parts.contains(&"node") {
        install::programs(&[("node", "nodejs"), ("npm", "npm")], "the accuracy suite")?;
    }
    let cache = thing("the accuracy suite", || e2e::prepare::truth(parts))?;
    Ok((cache, started))
}

/// What `tests/recordings/accuracy` are recordings of.
pub(crate) fn accuracy_recordings() -> Result<()> {
    let programs = [("ip", "iproute2"), ("hostname", "hostname")];
    install::programs(&programs, "making recordings")?;
    accuracy(&RECORDED_PARTS, &RECORDED_OWN).map(drop)
}

/// Prepares a thing, and says so.
pub(crate) fn thing<T>(what: &str, prepare: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {what}");
    step::timed(what, prepare).with_context(|| format!("cannot prepare {what}"))
}

/// The `26` of `go version go1.26.8 linux/amd64`.
fn go_minor(version: &str) -> Option<u32> {
    version.split("go1.").nth(1)?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::go_minor;

    #[test]
    fn reads_go_versions() {
        assert_eq!(go_minor("go version go1.26.8 linux/amd64"), Some(26));
        assert_eq!(go_minor("go version go1.19 linux/amd64\n"), Some(19));
        assert_eq!(go_minor("go version devel"), None);
    }
}
