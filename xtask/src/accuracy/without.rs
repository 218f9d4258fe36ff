//! What each kind of evidence contributes: recordings of loads, replayed without it.

use anyhow::{Context as _, Result, bail};
use e2e::accuracy::Tally;
use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::kept::Kept;

/// Kinds that speak where nothing is passed on in headers (`tracer_user::causality::Kinds`, from strong to
/// weak).
const KINDS: [&str; 9] =
    ["context", "thread", "answer", "handoff", "spawn", "turn", "queue", "alone", "timing"];

/// A runtime's cells without one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Without {
    pub(crate) runtime: String,
    /// The kind that is left out; none.
    pub(crate) kind: Option<String>,
    /// With `--min-confidence 0`.
    pub(crate) every: Share,
    /// With the default.
    pub(crate) default: Share,
}

/// Edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) edges: u64,
    pub(crate) right: u64,
    pub(crate) wrong: u64,
}

impl Share {
    fn add(&mut self, tally: &Tally) {
        let counts = tally.counts();
        self.edges += counts.edges;
        self.right += counts.right;
        self.wrong += counts.wrong_same + counts.wrong_trace;
    }
}

/// Replays the recordings of these cells, of one runtime after the other: with all kinds, and without
/// each.
pub(super) fn measure(cells: &[Cell], stopped: impl Fn() -> bool) -> Result<Vec<Without>> {
    let mut runtimes: Vec<&str> = cells.iter().map(|cell| &*cell.runtime).collect();
    runtimes.dedup();
    let mut all = vec![];
    for runtime in runtimes {
        let of = cells.iter().filter(|cell| cell.runtime == runtime);
        let kept: Vec<(&Cell, Kept)> = of
            .map(|cell| {
                let kept = Kept::find(cell).context("no recording of it; measure it first");
                Ok((cell, kept.with_context(|| cell.name())?))
            })
            .collect::<Result<_>>()?;
        for kind in std::iter::once(None).chain(KINDS.iter().map(Some)) {
            if stopped() {
                bail!("stopped");
            }
            let kind = kind.map(|kind| (*kind).to_owned());
            let mut without = Without {
                runtime: runtime.to_owned(),
                kind,
                every: <_>::default(),
                default: <_>::default(),
            };
            for (cell, kept) in &kept {
                let measured = kept.without(cell, without.kind.as_deref())?;
                without.every.add(&measured.every);
                without.default.add(&measured.default);
            }
            let Share { edges, right, wrong } = without.default;
            let left = without.kind.as_deref().unwrap_or("nothing");
            println!(
                "{runtime:<12} without {left:<10} by default: right {right} of {edges}, wrong {wrong}"
            );
            all.push(without);
        }
    }
    Ok(all)
}
