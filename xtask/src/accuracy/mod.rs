//! `cargo xtask accuracy`: how many edges are right, runtime by runtime, and whether the tracer is as
//! sure as it may be. The loads and the truth are those of the accuracy suite beside the checkout.

mod cell;
mod dump;
mod floors;
mod kept;
mod machine;
mod results;
mod runtimes;
mod suite;
mod table;
mod timing;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::{run, workspace};
use cell::{Cell, Headers, Mode, Work};
use kept::Kept;
use results::{Measured, Results};
use suite::Suite;

#[derive(Args)]
pub(crate) struct Options {
    /// Runtimes; those of the suite if none are given
    #[arg(long, value_delimiter = ',', value_parser = names())]
    runtimes: Vec<String>,
    /// The suite's topologies
    #[arg(long, value_delimiter = ',', default_value = "tree")]
    topologies: Vec<String>,
    #[arg(long, value_enum, value_delimiter = ',', default_value = "seq,par")]
    modes: Vec<Mode>,
    /// User requests at once
    #[arg(short, long, value_delimiter = ',', default_value = "1,8,32")]
    concurrency: Vec<u16>,
    #[arg(long, value_enum, value_delimiter = ',', default_value = "none,timers")]
    work: Vec<Work>,
    #[arg(long, value_enum, value_delimiter = ',', default_value = "none")]
    headers: Vec<Headers>,
    /// User requests of one load
    #[arg(long, default_value_t = 250)]
    roots: u16,
    /// Eight at once alone, and fewer of them
    #[arg(long, conflicts_with_all = ["concurrency", "roots"])]
    quick: bool,
    /// The table
    #[arg(long, value_name = "FILE", default_value = "docs/accuracy.md")]
    out: PathBuf,
    /// Raw results; the cells that are already there stay in the table unless they are measured
    /// anew
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure this alone
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Make no load: replay the recordings that earlier runs have left in target/e2e/accuracy, to
    /// see what another tracer makes of them
    #[arg(long)]
    replay: bool,
    /// Measure nothing: make the table of what is in --json
    #[arg(long, requires = "json")]
    table: bool,
    /// Arguments of the tracer
    #[arg(last = true)]
    tracer: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The runtimes, cell by cell
    Cells,
    /// Timing alone, on TraceWeaver's published traces
    Timing,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(runtimes::RUNTIMES.iter().map(|runtime| runtime.name))
}

/// Measures, writes the table after each cell, and says what does not hold.
pub(crate) fn accuracy(options: &Options) -> Result<()> {
    let mut results = options.json.as_deref().map(Results::read).transpose()?.unwrap_or_default();
    let mut broken = 0;
    let wanted = |part| !options.table && options.only.is_none_or(|only| only == part);
    if wanted(Part::Timing) {
        results.timing = timing::measure()?;
    }
    if wanted(Part::Cells) {
        broken = options.measure(&mut results)?;
    }
    options.write(&results)?;
    let failures = floors::failures(&results);
    failures.iter().for_each(|failure| println!("BELOW {failure}"));
    println!("==> {} cells in {}", results.cells.len(), options.out.display());
    ensure!(broken == 0, "{broken} cells could not be measured");
    ensure!(failures.is_empty(), "{} floors or limits do not hold", failures.len());
    Ok(())
}

impl Options {
    /// Measures every cell that is asked for; gives the number of those that could not be.
    fn measure(&self, results: &mut Results) -> Result<usize> {
        let stopped = Arc::new(AtomicBool::new(false));
        // The suite gets the same signal from the terminal, and stops what it has started.
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&stopped))?;
        }
        let runtimes = self.runtimes();
        if env::var_os("TRACER_BIN").is_none() {
            run::build()?;
        }
        let suite = if self.replay {
            None
        } else {
            Some(Suite::prepare(&runtimes, &self.tracer, self.roots())?)
        };
        fs::create_dir_all(e2e::paths::logs())?;
        let cells = self.cells();
        let mut measured: Vec<String> = runtimes;
        measured.extend(results.cells.iter().map(|it| it.cell.runtime.clone()));
        results.machine = machine::machine(&measured);
        let (all, mut broken) = (cells.len(), 0);
        for (number, cell) in cells.iter().enumerate() {
            let start = Instant::now();
            print!("{:>3}/{all} {:<40}", number + 1, cell.name());
            std::io::Write::flush(&mut std::io::stdout())?;
            let result = match &suite {
                Some(suite) => suite.measure(cell),
                None => {
                    Kept::find(cell).context("no recording of it").and_then(|it| it.replay(cell))
                }
            };
            if stopped.load(Ordering::Relaxed) {
                println!();
                bail!("stopped; {} has what was measured", self.out.display());
            }
            match result {
                Ok(cell) => {
                    println!("{}  {:.0} s", line(&cell), start.elapsed().as_secs_f64());
                    results.put(cell);
                    self.write(results)?;
                }
                Err(error) => {
                    println!("NOT MEASURED: {error:#}");
                    broken += 1;
                }
            }
        }
        Ok(broken)
    }

    fn runtimes(&self) -> Vec<String> {
        if self.runtimes.is_empty() { runtimes::of_the_suite() } else { self.runtimes.clone() }
    }

    fn roots(&self) -> u16 {
        if self.quick { 120 } else { self.roots }
    }

    fn cells(&self) -> Vec<Cell> {
        let concurrency = if self.quick { &[8][..] } else { &self.concurrency };
        let mut cells = vec![];
        for runtime in self.runtimes() {
            for topology in &self.topologies {
                for &headers in &self.headers {
                    for &work in &self.work {
                        for &mode in &self.modes {
                            cells.extend(concurrency.iter().map(|&concurrency| Cell {
                                runtime: runtime.clone(),
                                topology: topology.clone(),
                                headers,
                                work,
                                mode,
                                concurrency,
                            }));
                        }
                    }
                }
            }
        }
        cells
    }

    fn write(&self, results: &Results) -> Result<()> {
        if let Some(file) = &self.json {
            results.write(file)?;
        }
        let out = workspace::root().join(&self.out);
        let document = table::document(results, &self.command());
        fs::write(&out, document).with_context(|| format!("cannot write {}", out.display()))
    }

    /// As it was typed, without the names of files.
    fn command(&self) -> String {
        let words: Vec<String> = env::args().skip(1).collect();
        let mut kept = vec!["cargo xtask".to_owned()];
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match &*word {
                "--out" | "--json" => drop(words.next()),
                _ if word.starts_with("--out=") || word.starts_with("--json=") => {}
                _ => kept.push(word),
            }
        }
        kept.join(" ")
    }
}

fn line(measured: &Measured) -> String {
    let counts = measured.every.counts();
    let share = |part| table::number(floors::percent(part, counts.edges));
    let mut text = format!(
        "right {:>5}  orphan {:>5}  wrong {:>5} + {:>5}  missing {}",
        share(counts.right),
        share(counts.orphan),
        share(counts.wrong_same),
        share(counts.wrong_trace),
        share(counts.missing)
    );
    if measured.bad_roots > 0 {
        text += &format!("  ({} user requests failed)", measured.bad_roots);
    }
    measured.losses.iter().for_each(|loss| text += &format!("  ({loss})"));
    text
}
