//! The `tracer` command.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use tracer_user::config::{Args, Command, RecordArgs, Settings};
use tracer_user::live;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let command = Args::parse().into_command();
    match start(command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("tracer: {}", line(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error with its causes on one line; a cause that the text before it tells already is left out.
fn line(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |line, cause| {
        match (line.is_empty(), line.contains(&cause)) {
            (true, _) => cause,
            (false, true) => line,
            (false, false) => format!("{line}: {cause}"),
        }
    })
}

fn start(command: Command) -> Result<bool> {
    let args = match &command {
        Command::Run(args) | Command::Doctor(args) => args,
        Command::Record(args) => &args.run,
    };
    let mut settings = Settings::load(args)?;
    log(settings.verbosity);
    match command {
        Command::Run(_) => run(settings, None),
        Command::Record(args) => {
            if args.run.export.targets.is_empty() {
                settings.exporters.clear();
            }
            run(settings, Some(args))
        }
        Command::Doctor(_) => live::doctor(&settings),
    }
}

fn run(settings: Settings, recording: Option<RecordArgs>) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("tracer-export")
        .enable_all()
        .build()?;
    runtime.block_on(live::run(settings, recording)).map(|()| true)
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

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    #[test]
    fn an_error_says_nothing_twice() {
        let error = anyhow!("no such file").context("cannot read x: no such file").context("start");
        assert_eq!(super::line(&error), "start: cannot read x: no such file");
        assert_eq!(super::line(&anyhow!("b").context("a")), "a: b");
    }
}
