//! Real databases and caches, each a process of its own with data of its own, and the services of
//! `tests/services/databases` in front of them.

mod sealed;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rustix::process::geteuid;

pub use self::sealed::Sealed;

use crate::process::{Process, run};
use crate::{paths, ports, prepare};

const START: Duration = Duration::from_secs(90);
/// What every database holds: five items, of which three cost more than 150.
const TABLE: &str = "CREATE TABLE items (name varchar(20), price int); \
    INSERT INTO items VALUES ('anvil', 100), ('bell', 150), ('cup', 200), ('drum', 250), ('elk', 300);";

/// The servers, on ports of their own.
#[derive(Debug)]
pub struct Databases {
    processes: Vec<Process>,
    /// Where they keep things.
    pub directory: PathBuf,
    /// PostgreSQL's port; its unix socket is in `directory`.
    pub postgres: u16,
    /// MariaDB's.
    pub mysql: u16,
    /// Redis's.
    pub redis: u16,
    /// Memcached's.
    pub memcached: u16,
    /// That of what speaks MongoDB's protocol.
    pub mongo: u16,
}

impl Databases {
    /// Starts all of them, with a database `shop` in those that have databases.
    pub fn start() -> Result<Self> {
        // Not below the checkout, which other users may not be allowed to enter.
        let directory =
            std::env::temp_dir().join(format!("tracer-databases-{}", std::process::id()));
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => fs::create_dir_all(&directory)?,
        }
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o777))?;
        let mut databases = Self {
            processes: vec![],
            directory,
            postgres: ports::free()?,
            mysql: ports::free()?,
            redis: ports::free()?,
            memcached: ports::free()?,
            mongo: ports::free()?,
        };
        databases.processes = thread::scope(|scope| {
            let all = &databases;
            let starting = [
                scope.spawn(|| start_mongo(all.mongo)),
                scope.spawn(|| start_postgres("postgres", &all.directory, all.postgres, &[])),
                scope.spawn(|| start_mysql("mariadb", &all.directory, all.mysql, &[])),
                scope.spawn(|| {
                    let listens = ["--port".into(), all.redis.to_string()];
                    start_redis("redis", &all.directory, all.redis, &listens)
                }),
                scope.spawn(|| start_memcached(all.memcached)),
            ];
            // All of them have come to an end when the first that failed is told.
            let started = starting.map(|one| one.join().map_err(|_| anyhow!("panicked"))?);
            started.into_iter().collect::<Result<_>>()
        })?;
        Ok(databases)
    }

    /// Starts a service in front of them, whose program is given.
    pub fn service(&self, name: &str, mut program: Command) -> Result<(Process, u16)> {
        let port = ports::free()?;
        program
            .env("PORT", port.to_string())
            .env("POSTGRES_HOST", "127.0.0.1")
            .env("POSTGRES_PORT", self.postgres.to_string())
            .env("MYSQL_PORT", self.mysql.to_string())
            .env("REDIS_PORT", self.redis.to_string())
            .env("MEMCACHED_PORT", self.memcached.to_string())
            .env("MONGO_PORT", self.mongo.to_string())
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let mut process = Process::start(name, &mut program)?;
        process.wait_for_port(port, START)?;
        Ok((process, port))
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        self.processes.clear();
        // Nobody needs it; what cannot be removed is in the way of nobody.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A Python script of `tests/services/databases`.
pub fn python(script: &str) -> Result<Command> {
    let mut command = Command::new(prepare::databases_python()?.join("python"));
    command.arg(paths::service_sources().join("databases").join(script));
    Ok(command)
}

/// The service in Go.
pub fn go() -> Result<Command> {
    Ok(Command::new(prepare::databases_go()?))
}

/// The service on Node.js.
pub fn node() -> Result<Command> {
    let mut command = Command::new("node");
    command.arg(prepare::databases_node()?);
    Ok(command)
}

/// The service in Java.
pub fn java() -> Result<Command> {
    let mut command = Command::new("java");
    command.args(["-Xmx256m", "-cp", &prepare::databases_java()?]);
    command.arg(paths::service_sources().join("databases/Jdbc.java"));
    Ok(command)
}

/// PostgreSQL refuses to run as root.
fn as_user(program: &Path) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

/// Gives PostgreSQL's user a file or a directory.
fn give_to_postgres(path: &Path) -> Result<()> {
    if geteuid().is_root() {
        let id = run("id", Command::new("id").args(["-u", "postgres"]))?.trim().parse()?;
        chown(path, Some(id), None)?;
    }
    Ok(())
}

/// `name` tells several apart, in the logs and in `directory`; `settings`: each `name=value`.
fn start_postgres(name: &str, directory: &Path, port: u16, settings: &[String]) -> Result<Process> {
    let programs = newest_postgres()?;
    let data = directory.join(name);
    fs::create_dir(&data)?;
    give_to_postgres(&data)?;
    let mut init = as_user(&programs.join("initdb"));
    init.args(["--username=shop", "--auth=trust", "--no-sync", "--encoding=UTF8", "--pgdata"]);
    run("initdb", init.arg(&data).current_dir(directory))?;
    let mut server = as_user(&programs.join("postgres"));
    server.arg("-D").arg(&data).args(["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]);
    server.args(["-c", &format!("port={port}")]).arg("-c");
    server.arg(format!("unix_socket_directories={}", directory.display())).current_dir(directory);
    server.args(settings.iter().flat_map(|setting| ["-c", setting]));
    let mut process = Process::start(name, &mut server)?;
    let psql = |database: &str, statement: &str| {
        let mut psql = Command::new(programs.join("psql"));
        psql.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "shop", "-d", database]);
        run("psql", psql.args(["-v", "ON_ERROR_STOP=1", "-c", statement]))
    };
    process.wait_for("database", START, |_| psql("postgres", "CREATE DATABASE shop"))?;
    psql("shop", TABLE)?;
    Ok(process)
}

/// Where the newest PostgreSQL that is installed keeps its programs.
fn newest_postgres() -> Result<PathBuf> {
    let all = fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is not installed")?;
    let mut versions: Vec<(u32, PathBuf)> = all
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, programs)| programs.join("initdb").is_file())
        .collect();
    versions.sort();
    versions.pop().map(|(_, programs)| programs).context("no PostgreSQL server is installed")
}

/// The same of MariaDB; `options` are the server's.
fn start_mysql(name: &str, directory: &Path, port: u16, options: &[String]) -> Result<Process> {
    let data = directory.join(name);
    let user = if geteuid().is_root() { vec!["--user=root"] } else { vec![] };
    let mut install = Command::new("mariadb-install-db");
    install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
    run("mariadb-install-db", install.args(&user).arg(format!("--datadir={}", data.display())))?;
    let socket = directory.join(format!("{name}.sock"));
    let program = ["/usr/sbin/mariadbd", "/usr/bin/mariadbd"]
        .into_iter()
        .find(|program| Path::new(program).is_file());
    let mut server = Command::new(program.context("MariaDB is not installed")?);
    server
        .arg("--no-defaults")
        .args(&user)
        .args(["--bind-address=127.0.0.1", "--skip-name-resolve"]);
    server.arg(format!("--datadir={}", data.display())).arg(format!("--port={port}"));
    server.arg(format!("--socket={}", socket.display())).args(options);
    let mut process = Process::start(name, &mut server)?;
    let root = |statement: &str| {
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "--user=root", "--socket"]).arg(&socket);
        run("mariadb", client.args(["--execute", statement]))
    };
    process.wait_for("database", START, |_| root("CREATE DATABASE shop"))?;
    root(
        "CREATE USER shop@'127.0.0.1' IDENTIFIED BY 'hunter2'; GRANT ALL ON shop.* TO shop@'127.0.0.1'",
    )?;
    root(&format!("USE shop; {TABLE}"))?;
    Ok(process)
}

/// The same of Redis, whose options say that it listens there.
fn start_redis(name: &str, directory: &Path, port: u16, options: &[String]) -> Result<Process> {
    let mut server = Command::new("redis-server");
    server.args(["--bind", "127.0.0.1", "--save", "", "--dir"]).arg(directory).args(options);
    let mut process = Process::start(name, &mut server)?;
    process.wait_for_port(port, START)?;
    Ok(process)
}

fn start_memcached(port: u16) -> Result<Process> {
    let mut server = Command::new("memcached");
    server.args(["-l", "127.0.0.1", "-p", &port.to_string()]);
    if geteuid().is_root() {
        server.args(["-u", "root"]);
    }
    let mut process = Process::start("memcached", &mut server)?;
    process.wait_for_port(port, START)?;
    Ok(process)
}

fn start_mongo(port: u16) -> Result<Process> {
    let jars = prepare::mongo()?.join("*");
    let mut server = Command::new("java");
    server.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    server.arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn").arg("-cp").arg(jars);
    server.arg(paths::service_sources().join("databases/Mongo.java")).arg(port.to_string());
    let mut process = Process::start("mongo", &mut server)?;
    process.wait_for_port(port, START)?;
    Ok(process)
}
