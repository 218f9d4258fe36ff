//! What whoever uses a cache loses by being traced: redis-benchmark against redis-server, with the whole
//! host traced as by default and without, in turns. As root; `cargo xtask bench`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use procfs::process::{Process as Procfs, Stat};
use tests::process::Process;
use tests::tracer::Tracer;
use tests::{paths, ports};

const START: Duration = Duration::from_secs(30);
/// Of the untraced throughput, at least.
const FLOOR: f64 = 0.9;

#[derive(Parser)]
struct Options {
    /// Passed on by `cargo bench`
    #[arg(long)]
    bench: bool,
    /// How often each of both is measured
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Commands of a run
    #[arg(long, default_value_t = 3_000_000)]
    requests: u64,
    /// Commands of a write
    #[arg(long, default_value_t = 16)]
    pipeline: u64,
    /// Clients
    #[arg(long, default_value_t = 50)]
    clients: u64,
    /// What they do
    #[arg(long, default_values_t = ["get".to_owned(), "set".to_owned()], value_delimiter = ',')]
    tests: Vec<String>,
    /// Fail where more than a tenth of the throughput is lost
    #[arg(long)]
    check: bool,
    /// Further flags of the tracer
    #[arg(last = true)]
    flags: Vec<String>,
}

/// One run.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Commands a second.
    rate: f64,
    /// Microseconds of CPU a command: both programs', with what the kernel does for them.
    programs: f64,
    /// The same with the tracer's own.
    all: f64,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let directory = paths::logs().join("bystanders");
    fs::create_dir_all(&directory)?;
    let port = ports::free()?;
    let mut server = Command::new("redis-server");
    server.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--dir"]);
    let mut server = Process::start("bystanders-redis", server.arg(&directory))?;
    server.wait_for_port(port, START)?;
    let Options { rounds, requests, pipeline, clients, .. } = options;
    println!(
        "redis-benchmark -P {pipeline} -c {clients} -n {requests}, {rounds} runs each in turns"
    );
    let mut least = f64::INFINITY;
    for test in &options.tests {
        let run = |tracer: Option<&Tracer>| measure(&options, test, server.pid(), port, tracer);
        // The first one finds caches cold.
        run(None)?;
        let (mut pairs, mut lost) = (vec![], String::new());
        for round in 0..rounds {
            let traced = || -> Result<(Run, String)> {
                let tracer = start(&directory, &options.flags)?;
                let traced = run(Some(&tracer))?;
                let summary = tracer.stop()?.summary;
                let lost = summary.lines().find(|line| line.starts_with("lost:"));
                Ok((traced, lost.unwrap_or("").to_owned()))
            };
            let (without, with) = if round % 2 == 0 {
                (run(None)?, traced()?)
            } else {
                let with = traced()?;
                (run(None)?, with)
            };
            lost = with.1;
            pairs.push((without, with.0));
        }
        let ratio = |of: fn(&Run) -> f64| -> Vec<f64> {
            pairs.iter().map(|(without, with)| of(with) / of(without)).collect()
        };
        let rate = |of: fn(&(Run, Run)) -> &Run| -> Vec<f64> {
            pairs.iter().map(|pair| of(pair).rate / 1e6).collect()
        };
        let throughput = ratio(|run| run.rate);
        println!("{test}: million/s without      {}", spread(&rate(|pair| &pair.0)));
        println!("{test}: million/s with         {}", spread(&rate(|pair| &pair.1)));
        println!("{test}: throughput, ratio      {}", spread(&throughput));
        println!("{test}: CPU/op, ratio          {}", spread(&ratio(|run| run.programs)));
        println!("{test}: with the tracer's own  {}", spread(&ratio(|run| run.all)));
        println!("{test}: the last run {lost}");
        least = least.min(median(&throughput));
    }
    ensure!(!options.check || least >= FLOOR, "{least:.3} of the throughput is left");
    Ok(())
}

/// On the whole host, with the page and the store that it has by default; the latter elsewhere.
fn start(directory: &Path, flags: &[String]) -> Result<Tracer> {
    let data = directory.join("store");
    match fs::remove_dir_all(&data) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut tracer = Command::new("env");
    tracer
        .args(["-u", "TRACER_UI", "-u", "TRACER_NO_STORE", "-u", "RUST_LOG"])
        .arg(paths::tracer());
    tracer.args(["--ui", &format!("127.0.0.1:{}", ports::free()?), "--data-dir"]).arg(&data);
    Tracer::spawn("bystanders-tracer", tracer.args(flags))
}

fn measure(
    options: &Options,
    test: &str,
    server: u32,
    port: u16,
    tracer: Option<&Tracer>,
) -> Result<Run> {
    let tracer = tracer.map(Tracer::pid);
    let spent = || -> Result<(f64, f64)> {
        let own = |stat: &Stat| stat.utime + stat.stime;
        let of = |pid: u32| Ok::<_, anyhow::Error>(Procfs::new(i32::try_from(pid)?)?.stat()?);
        // What has been waited for, of which redis-benchmark is the only one meanwhile.
        let me = Procfs::myself()?.stat()?;
        let client = u64::try_from(me.cutime + me.cstime)?;
        let tracer = tracer.map(of).transpose()?;
        let programs = client + own(&of(server)?);
        Ok((seconds(programs), seconds(tracer.as_ref().map_or(0, own))))
    };
    let before = spent()?;
    let mut client = Command::new("redis-benchmark");
    let numbers = [options.requests, options.pipeline, options.clients].map(|it| it.to_string());
    client.args(["-p", &port.to_string(), "-t", test, "--csv", "-n", &numbers[0]]);
    client.args(["-P", &numbers[1], "-c", &numbers[2]]);
    let said = tests::process::run("redis-benchmark", &mut client)?;
    let after = spent()?;
    // "test","rps",... and then "GET","1000000.00",...
    let rate = said.lines().last().and_then(|line| line.split(',').nth(1));
    let rate = rate.with_context(|| said.clone())?.trim_matches('"').parse()?;
    let each = |spent: f64| spent * 1e6 / options.requests as f64;
    let (programs, tracer) = (each(after.0 - before.0), each(after.1 - before.1));
    Ok(Run { rate, programs, all: programs + tracer })
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / procfs::ticks_per_second() as f64
}

fn sorted(of: &[f64]) -> Vec<f64> {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn median(of: &[f64]) -> f64 {
    sorted(of).get(of.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Least, median, most.
fn spread(of: &[f64]) -> String {
    let sorted = sorted(of);
    let [min, max] = [sorted.first(), sorted.last()].map(|it| it.copied().unwrap_or(f64::NAN));
    format!("{min:.3} / {:.3} / {max:.3}", median(of))
}
