//! The `tracer` command.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use tracer_user::config::{Args, Command, Settings};
use tracer_user::live;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let command = Args::parse().into_command();
    match start(command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("tracer: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(command: Command) -> Result<bool> {
    let (Command::Run(args) | Command::Doctor(args)) = &command;
    let settings = Settings::load(args)?;
    log(settings.verbosity);
    match command {
        Command::Run(_) => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("tracer-export")
                .enable_all()
                .build()?;
            runtime.block_on(live::run(settings)).map(|()| true)
        }
        Command::Doctor(_) => live::doctor(&settings),
    }
}

/// Nothing on standard error unless asked: by -v, or by RUST_LOG, which wins.
fn log(verbosity: u8) {
    let level = match verbosity {
        0 => "off",
        1 => "tracer_user=info,warn",
        2 => "tracer_user=debug,tracer_ebpf=debug,info",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
