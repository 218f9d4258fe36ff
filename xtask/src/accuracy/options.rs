//! What can be asked for.

use std::env;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::cell::{Cell, Headers, Mode, Work};
use super::runtimes;

#[derive(Args)]
pub(crate) struct Options {
    /// Runtimes; those of the suite if none are given
    #[arg(long, value_delimiter = ',', value_parser = names())]
    runtimes: Vec<String>,
    /// The suite's topologies
    #[arg(long, value_delimiter = ',', default_value = "tree")]
    topologies: Vec<String>,
    /// How services make their calls
    #[arg(long, value_enum, value_delimiter = ',', default_value = "seq,par")]
    modes: Vec<Mode>,
    /// User requests at once
    #[arg(short, long, value_delimiter = ',', default_value = "1,8,32")]
    concurrency: Vec<u16>,
    /// Whether their handlers wait
    #[arg(long, value_enum, value_delimiter = ',', default_value = "none,timers")]
    work: Vec<Work>,
    /// What the load brings and the services pass on
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
    pub(super) out: PathBuf,
    /// Raw results; the cells that are already there stay in the table unless they are measured
    /// anew
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Measure this alone
    #[arg(long, value_enum)]
    pub(super) only: Option<Part>,
    /// Make no load: replay the recordings that earlier runs have left in target/e2e/accuracy, to
    /// see what another tracer makes of them
    #[arg(long)]
    pub(super) replay: bool,
    /// Measure nothing: make the table of what is in --json
    #[arg(long, requires = "json")]
    pub(super) table: bool,
    /// Arguments of the tracer
    #[arg(last = true)]
    pub(super) tracer: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    /// The runtimes, cell by cell
    Cells,
    /// Timing alone, on TraceWeaver's published traces
    Timing,
    /// Without each kind of evidence: the recordings that earlier runs of these cells have left are
    /// replayed (24 times each); not done unless asked for
    Without,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(runtimes::RUNTIMES.iter().map(|runtime| runtime.name))
}

impl Options {
    pub(super) fn runtimes(&self) -> Vec<String> {
        if self.runtimes.is_empty() { runtimes::of_the_suite() } else { self.runtimes.clone() }
    }

    pub(super) fn roots(&self) -> u16 {
        if self.quick { 120 } else { self.roots }
    }

    pub(super) fn cells(&self) -> Vec<Cell> {
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

    /// As it was typed, without the names of files.
    pub(super) fn command(&self) -> String {
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
