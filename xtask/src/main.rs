//! Builds, runs and tests Tracer: `cargo xtask COMMAND`.

mod accuracy;
mod bench;
mod btf_fixture;
mod build_ebpf;
mod demo;
mod fuzz;
mod install;
mod linker;
mod prepare;
mod recordings;
mod run;
mod stage;
mod step;
mod test;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, runs and tests Tracer")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the eBPF object that the tracer embeds, into target/ebpf/tracer-ebpf.o
    BuildEbpf,
    /// Install what is missing, build the tracer and run it on the whole host
    Run {
        /// Arguments of the tracer
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Measure how many edges are right, runtime by runtime
    Accuracy(accuracy::Options),
    /// Run every check and test
    Test(test::Options),
    /// Trace a small shop of unmodified services and print the traces
    Demo(demo::Options),
    /// Make the recordings in tests/recordings anew
    Recordings(recordings::Options),
    /// Measure what the stages cost per span
    Bench(bench::Options),
    /// Run one fuzz target until it finds something
    Fuzz(fuzz::Options),
    /// Cut the part that tests need out of a kernel's BTF
    BtfFixture(btf_fixture::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::BuildEbpf => build_ebpf::build_ebpf(),
        Command::Run { arguments } => run::run(&arguments),
        Command::Accuracy(options) => accuracy::accuracy(&options),
        Command::Test(options) => test::test(&options),
        Command::Demo(options) => demo::demo(&options),
        Command::Recordings(options) => recordings::recordings(&options),
        Command::Bench(options) => bench::bench(&options),
        Command::Fuzz(options) => fuzz::fuzz(&options),
        Command::BtfFixture(options) => btf_fixture::btf_fixture(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
