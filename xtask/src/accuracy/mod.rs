//! `cargo xtask accuracy`: how many edges are right, runtime by runtime, and whether the tracer is as
//! sure as it may be. The loads and the truth are those of the accuracy suite beside the checkout.

mod cell;
mod dump;
mod floors;
mod kept;
mod machine;
mod options;
mod results;
mod runtimes;
mod suite;
mod summary;
mod table;
mod timing;
mod without;

use std::env;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use signal_hook::consts::{SIGINT, SIGTERM};

pub(crate) use options::Options;

use crate::{run, workspace};
use kept::Kept;
use options::Part;
use results::{Measured, Results};

use suite::Suite;

/// Measures, writes the table after each cell, and says what does not hold.
pub(crate) fn accuracy(options: &Options) -> Result<()> {
    let mut results = options.json.as_deref().map(Results::read).transpose()?.unwrap_or_default();
    let mut broken = 0;
    let wanted = |part| !options.table && options.only.is_none_or(|only| only == part);
    if wanted(Part::Timing) {
        results.timing = timing::measure()?;
    }
    if !options.table && options.only == Some(Part::Without) {
        let stopped = stopped()?;
        let measured = without::measure(&options.cells(), || stopped.load(Ordering::Relaxed))?;
        results.without.retain(|known| measured.iter().all(|it| it.runtime != known.runtime));
        results.without.extend(measured);
        results.without.sort_by_key(|it| runtimes::place(&it.runtime));
        options.note(&mut results);
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
        // The suite gets the same signal from the terminal, and stops what it has started.
        let stopped = stopped()?;
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
        self.note(results);
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

    /// The command is told with what it measured.
    fn note(&self, results: &mut Results) {
        let command = self.command();
        results.commands.retain(|earlier| *earlier != command);
        results.commands.push(command);
    }

    fn write(&self, results: &Results) -> Result<()> {
        if let Some(file) = &self.json {
            results.write(file)?;
        }
        let out = workspace::root().join(&self.out);
        let document = table::document(results);
        fs::write(&out, document).with_context(|| format!("cannot write {}", out.display()))
    }
}

/// Whether somebody wants it to end.
fn stopped() -> Result<Arc<AtomicBool>> {
    let stopped = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stopped))?;
    }
    Ok(stopped)
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
