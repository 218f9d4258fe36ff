//! The `tracer` command.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use tokio::runtime::{Builder, Runtime};
use tracer_user::config::{self, Args, Command, RunArgs, Settings};
use tracer_user::{explain, live, replay, terminal};
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
    let settings = |args: &RunArgs| -> Result<Settings> {
        let settings = Settings::load(args)?;
        log(settings.verbosity);
        Ok(settings)
    };
    match command {
        Command::Run(args) => runtime()?.block_on(live::run(settings(&args)?, None)).map(|()| true),
        Command::Record(args) => {
            let mut settings = settings(&args.run)?;
            if args.run.export.targets.is_empty() {
                settings.exporters.clear();
            }
            runtime()?.block_on(live::run(settings, Some(args))).map(|()| true)
        }
        Command::Doctor(args) => live::doctor(&settings(&args)?),
        Command::Replay(args) => {
            let file = args.file.clone();
            let settings = settings(&args.into_run())?;
            runtime()?.block_on(replay::replay(&file, settings)).map(|()| true)
        }
        Command::Top(args) => {
            let directory = config::data_directory(args.reach.data_dir.clone());
            let shown = terminal::top(&args.reach, &directory, args.window);
            runtime()?.block_on(shown).map(|()| true)
        }
        Command::Trace(args) => {
            let directory = config::data_directory(args.reach.data_dir.clone());
            let printed = terminal::trace(&args.reach, &directory, &args.id, args.format);
            runtime()?.block_on(printed).map(|()| true)
        }
        Command::Explain(args) => {
            let settings = settings(&args.clone().into_run())?;
            explain::explain(&args, &settings).map(|()| true)
        }
    }
}

/// For exporters; the work is done on threads of its own.
fn runtime() -> std::io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).thread_name("tracer-export").enable_all().build()
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
