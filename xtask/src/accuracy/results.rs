//! What was measured, and its file.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use e2e::accuracy::Tally;
use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::timing::Timing;
use super::without::Without;

/// One cell's result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    #[serde(flatten)]
    pub(crate) cell: Cell,
    /// With `--min-confidence 0`.
    pub(crate) every: Tally,
    /// With the default.
    pub(crate) default: Tally,
    /// User requests that are not scored, because one of their calls failed.
    pub(crate) bad_roots: usize,
    /// What the tracer said that it lost.
    pub(crate) losses: Vec<String>,
}

/// All of them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// The commands that made them.
    #[serde(default)]
    pub(crate) commands: Vec<String>,
    /// Kernel, processors and versions of the runtimes.
    pub(crate) machine: Vec<String>,
    pub(crate) cells: Vec<Measured>,
    /// Timing alone, on data of others.
    #[serde(default)]
    pub(crate) timing: Vec<Timing>,
    /// What each kind of evidence contributes.
    #[serde(default)]
    pub(crate) without: Vec<Without>,
}

impl Results {
    /// Those of an earlier run; none if there is no such file.
    ///
    /// # Errors
    /// If it is not what [`Results::write`] writes.
    pub(crate) fn read(file: &Path) -> Result<Results> {
        if !file.exists() {
            return Ok(Results::default());
        }
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        serde_json::from_str(&text).with_context(|| format!("{} is no result", file.display()))
    }

    /// Writes them as JSON.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))
    }

    /// Puts a result in its place; an earlier one of the same cell is gone.
    pub(crate) fn put(&mut self, measured: Measured) {
        self.cells.retain(|known| known.cell != measured.cell);
        self.cells.push(measured);
        self.cells.sort_by_key(|known| known.cell.order());
    }
}

#[cfg(test)]
pub(super) mod testing {
    use std::collections::BTreeMap;

    use e2e::accuracy::{BANDS, Band};

    use super::*;
    use crate::accuracy::cell::{Headers, Mode, Work};

    /// A cell of 8 at once: `right` edges as sure as can be, `wrong` ones of this confidence.
    pub(crate) fn measured(runtime: &str, right: u64, wrong: u64, confidence: f64) -> Measured {
        let made = |wrong: u64| {
            let mut bands = [Band::default(); BANDS];
            bands[9] = Band { right, confidence: right as f64, ..Band::default() };
            let band = &mut bands[((confidence * 10.0) as usize).min(9)];
            band.wrong_trace += wrong;
            band.confidence += confidence * wrong as f64;
            let methods = BTreeMap::from([("turn".to_owned(), bands)]);
            Tally { roots: right.max(1), methods, ..Tally::default() }
        };
        let every = made(wrong);
        let mut default = every.clone();
        if confidence < 0.9 {
            default = made(0);
            default.orphans = wrong;
        }
        Measured {
            cell: Cell {
                runtime: runtime.to_owned(),
                topology: "tree".to_owned(),
                headers: Headers::None,
                work: Work::Timers,
                mode: Mode::Seq,
                concurrency: 8,
            },
            every,
            default,
            bad_roots: 0,
            losses: vec![],
        }
    }

    #[test]
    fn a_later_result_replaces_the_same_cells() {
        let mut results = Results::default();
        for cell in
            [measured("go", 1, 0, 1.0), measured("flask", 2, 0, 1.0), measured("go", 3, 0, 1.0)]
        {
            results.put(cell);
        }
        let right: Vec<_> = results.cells.iter().map(|it| it.every.counts().right).collect();
        assert_eq!(right, [2, 3]);
        let file = std::env::temp_dir().join(format!("xtask-results-{}", std::process::id()));
        results.write(&file).unwrap();
        let read = Results::read(&file).unwrap();
        assert_eq!(read.cells[1].every, results.cells[1].every);
        fs::write(&file, "{}").unwrap();
        assert!(Results::read(&file).is_err());
        fs::remove_file(file).unwrap();
    }
}
