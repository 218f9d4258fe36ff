//! Services that trace themselves, plain ones around them, and the backends that all report to.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use tests::jaeger::Jaeger;
use tests::process::Process;
use tests::zipkin::Zipkin;
use tests::{paths, ports, prepare};

const START: Duration = Duration::from_secs(60);

/// All of it. What is called `front` calls what traces itself, which calls what is called `back`.
pub(crate) struct World {
    pub(crate) zipkin: Zipkin,
    pub(crate) jaeger: Jaeger,
    _processes: Vec<Process>,
    /// The py_zipkin tutorial's first service.
    pub(crate) webapp: String,
    /// Before OpenTelemetry's Flask.
    pub(crate) flask_front: String,
    /// Before OpenTelemetry's Go.
    pub(crate) go_front: String,
    /// OpenTelemetry's Go itself.
    pub(crate) otel_go: String,
    /// A proxy that passes headers on.
    pub(crate) forwarding: String,
    /// One that puts a new trace in their place.
    pub(crate) rewriting: String,
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Starts a service; returns where it listens.
fn start(name: &str, mut command: Command, calls: &str) -> Result<(Process, String)> {
    let port = ports::free()?;
    command
        .env("PORT", port.to_string())
        .env("CALLS", calls)
        .env("WORK_MS", "5")
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env_remove("OTEL_RESOURCE_ATTRIBUTES")
        .env("OTEL_SERVICE_NAME", name);
    let mut process = Process::start(&format!("service-{name}"), &mut command)?;
    process.wait_for_port(port, START)?;
    Ok((process, url(port)))
}

impl World {
    pub(crate) fn start() -> Result<World> {
        let (zipkin, jaeger) = (Zipkin::start()?, Jaeger::start("jaeger-instrumented")?);
        let sources = paths::service_sources();
        let bin = prepare::instrumented_python()?;
        let tutorial = |script: &str| {
            let mut python = Command::new(bin.join("python"));
            python.arg(sources.join("instrumented").join(script)).env("ZIPKIN", zipkin.url());
            python
        };
        let (service1, address) = start("service1", tutorial("service1.py"), "")?;
        let (first, webapp) = start("webapp", tutorial("webapp.py"), &address)?;

        let otel = |mut command: Command| {
            command
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", url(jaeger.http))
                .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
                .env("OTEL_TRACES_EXPORTER", "otlp")
                .env("OTEL_METRICS_EXPORTER", "none")
                .env("OTEL_LOGS_EXPORTER", "none")
                .env("OTEL_BSP_SCHEDULE_DELAY", "200");
            command
        };
        let plain_bin = prepare::python()?;
        let script = sources.join("flask_service.py");
        let flask = || {
            let mut python = Command::new(plain_bin.join("python"));
            python.arg(&script);
            python
        };
        let (flask_back, address) = start("flask-back", flask(), "")?;
        let mut instrumented = Command::new(bin.join("opentelemetry-instrument"));
        instrumented.arg(bin.join("python")).arg(&script);
        let (otel_flask, address) = start("otel-flask", otel(instrumented), &address)?;
        let (before_flask, flask_front) = start("flask-front", flask(), &address)?;

        let relay = prepare::go_service(&sources.join("relay.go"))?;
        let (go_back, address) = start("go-back", Command::new(&relay), "")?;
        let instrumented = Command::new(prepare::instrumented_go()?);
        let (go, otel_go) = start("otel-go", otel(instrumented), &address)?;
        let (before_go, go_front) = start("go-front", Command::new(&relay), &otel_go)?;

        let (mesh_back, address) = start("mesh-back", flask(), "")?;
        let (mesh, forwarding, rewriting) = mesh(&sources, &address)?;
        Ok(World {
            zipkin,
            jaeger,
            _processes: vec![
                service1,
                first,
                flask_back,
                otel_flask,
                before_flask,
                go_back,
                go,
                before_go,
                mesh_back,
                mesh,
            ],
            webapp,
            flask_front,
            go_front,
            otel_go,
            forwarding,
            rewriting,
        })
    }
}

/// nginx as a sidecar before a service: the ports that forward and that rewrite.
fn mesh(sources: &Path, upstream: &str) -> Result<(Process, String, String)> {
    let (forwarding, rewriting) = (ports::free()?, ports::free()?);
    let directory = paths::logs();
    let configuration = fs::read_to_string(sources.join("instrumented/mesh.conf"))?
        .replace("DIRECTORY", &directory.display().to_string())
        .replace("UPSTREAM", upstream.trim_start_matches("http://"))
        .replace("REWRITE", &rewriting.to_string())
        .replace("PORT", &forwarding.to_string());
    let file = directory.join("mesh.conf");
    fs::write(&file, configuration)?;
    let found = ["/usr/sbin/nginx"].into_iter().find(|path| Path::new(path).is_file());
    let mut nginx = Command::new(found.unwrap_or("nginx"));
    nginx.args(["-e", "stderr", "-c"]).arg(file);
    let mut process = Process::start("service-mesh", &mut nginx)?;
    process.wait_for_port(forwarding, START)?;
    process.wait_for_port(rewriting, START)?;
    Ok((process, url(forwarding), url(rewriting)))
}
