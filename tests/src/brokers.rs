//! Real brokers, each a process of its own with data of its own, and the services of
//! `tests/services/brokers` in front of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::process::{Process, run};
use crate::{paths, ports, prepare};

const START: Duration = Duration::from_secs(120);
const STOP: Duration = Duration::from_secs(20);
/// Debian's own in PATH changes the user.
const RABBITMQ: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// The brokers, on ports of their own.
#[derive(Debug)]
pub struct Brokers {
    processes: Vec<Process>,
    directory: PathBuf,
    /// Kafka's port.
    pub kafka: u16,
    /// RabbitMQ's, for AMQP 0-9-1.
    pub rabbitmq: u16,
}

impl Brokers {
    /// Starts all of them, empty.
    pub fn start() -> Result<Self> {
        let directory = std::env::temp_dir().join(format!("tracer-brokers-{}", std::process::id()));
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => fs::create_dir_all(&directory)?,
        }
        let (kafka, rabbitmq) = (ports::free()?, ports::free()?);
        let mut brokers = Self { processes: vec![], directory, kafka, rabbitmq };
        // While one starts, so does the other.
        brokers.start_rabbitmq()?;
        brokers.start_kafka()?;
        for (process, port) in brokers.processes.iter_mut().rev().zip([kafka, rabbitmq]) {
            process.wait_for_port(port, START)?;
        }
        Ok(brokers)
    }

    /// Starts a service in front of them, whose program is given.
    pub fn service(&self, name: &str, mut program: Command) -> Result<(Process, u16)> {
        let port = ports::free()?;
        program
            .env("PORT", port.to_string())
            .env("KAFKA_PORT", self.kafka.to_string())
            .env("RABBITMQ_PORT", self.rabbitmq.to_string())
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let mut process = Process::start(name, &mut program)?;
        process.wait_for_port(port, START)?;
        Ok((process, port))
    }

    /// One node of Erlang, with a register of nodes beside it that no other node has.
    fn start_rabbitmq(&mut self) -> Result<()> {
        let (home, register) = (self.directory.join("rabbitmq"), ports::free()?.to_string());
        fs::create_dir(&home)?;
        fs::write(home.join("plugins"), "[].\n")?;
        let mut epmd = Command::new("epmd");
        epmd.args(["-address", "127.0.0.1", "-port", &register]);
        self.processes.push(Process::start("epmd", &mut epmd)?);
        let mut server = Command::new(RABBITMQ);
        server
            .current_dir(&home)
            .env("HOME", &home)
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_PORT", register)
            .env("RABBITMQ_NODENAME", "tracer@localhost")
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.rabbitmq.to_string())
            .env("RABBITMQ_DIST_PORT", ports::free()?.to_string())
            .env("RABBITMQ_LOGS", "-");
        for (variable, name) in [
            ("RABBITMQ_MNESIA_BASE", "data"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_PID_FILE", "pid"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
            // There are none: what the system has in their place is not for this node.
            ("RABBITMQ_CONFIG_FILE", "configuration"),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced"),
            ("RABBITMQ_CONF_ENV_FILE", "environment"),
        ] {
            server.env(variable, home.join(name));
        }
        self.processes.push(Process::start("rabbitmq", &mut server)?);
        Ok(())
    }

    fn start_kafka(&mut self) -> Result<()> {
        let home = self.directory.join("kafka");
        fs::create_dir(&home)?;
        let settings = home.join("server.properties");
        fs::write(&settings, kafka_settings(&home.join("data"), self.kafka, ports::free()?))?;
        let mut format = kafka("kafka.tools.StorageTool")?;
        format.args(["format", "--cluster-id", "AAAAAAAAAAAAAAAAAAAAAQ", "--config"]);
        run("kafka's storage", format.arg(&settings))?;
        let mut server = kafka("kafka.Kafka")?;
        self.processes.push(Process::start("kafka", server.arg(&settings))?);
        Ok(())
    }
}

impl Drop for Brokers {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // What they hold is nobody's, so they need not put it in order.
            if let Err(error) = process.stop(Signal::KILL, STOP) {
                eprintln!("{error:#}");
            }
        }
        // What cannot be removed is in the way of nobody.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A Python script of `tests/services/brokers`.
pub fn python(script: &str) -> Result<Command> {
    let mut command = Command::new(prepare::brokers_python()?.join("python"));
    command.arg(paths::service_sources().join("brokers").join(script));
    Ok(command)
}

/// The service in Go.
pub fn go() -> Result<Command> {
    Ok(Command::new(prepare::brokers_go()?))
}

/// One of Kafka's programs.
fn kafka(class: &str) -> Result<Command> {
    let jars = prepare::kafka()?.join("*");
    let jars = jars.to_str().context("the cache's path is no text")?;
    let mut java = Command::new("java");
    // It lives for seconds.
    java.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    java.args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", jars, class]);
    Ok(java)
}

/// One node that is its own controller.
fn kafka_settings(data: &Path, port: u16, controller: u16) -> String {
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         controller.listener.names=CONTROLLER\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         log.dirs={}\n\
         offsets.topic.num.partitions=1\n\
         offsets.topic.replication.factor=1\n\
         transaction.state.log.num.partitions=1\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n",
        data.display()
    )
}
