//! Counts of edges: by verdict, method and how sure the tracer was.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::edge::{Edge, Verdict};

/// Bands of confidence, each a tenth wide; the last one holds 1, too.
pub const BANDS: usize = 10;

/// Edges that were made with confidences in one band.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Below the request that caused them.
    pub right: u64,
    /// Below another request of the same user request.
    pub wrong_same: u64,
    /// Below a request of another user request.
    pub wrong_trace: u64,
    /// Sum of their confidences.
    pub confidence: f64,
}

impl Band {
    /// All edges in it.
    pub fn edges(&self) -> u64 {
        self.right + self.wrong_same + self.wrong_trace
    }

    fn add(&mut self, other: &Band) {
        self.right += other.right;
        self.wrong_same += other.wrong_same;
        self.wrong_trace += other.wrong_trace;
        self.confidence += other.confidence;
    }
}

/// What became of the requests of one load, or of several.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Requests that should have no parent.
    pub roots: u64,
    /// Of those, how many were put below another request.
    pub stray_roots: u64,
    /// Requests that should have a parent and have none.
    pub orphans: u64,
    /// Requests that should have a parent and have no span.
    pub missing: u64,
    /// Those that have one, by its method.
    pub methods: BTreeMap<String, [Band; BANDS]>,
}

/// Edges by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that should have a parent.
    pub edges: u64,
    /// See [`Verdict`].
    pub right: u64,
    /// The same.
    pub orphan: u64,
    /// The same.
    pub wrong_same: u64,
    /// The same.
    pub wrong_trace: u64,
    /// The same.
    pub missing: u64,
    /// Roots that were put below another request.
    pub stray_roots: u64,
}

impl Tally {
    /// Counts these.
    pub fn of(edges: &[Edge]) -> Tally {
        let mut tally = Tally::default();
        for edge in edges {
            tally.count(edge);
        }
        tally
    }

    fn count(&mut self, edge: &Edge) {
        // An edge of which nothing is said is as sure as can be.
        let (method, confidence) =
            edge.decided.as_ref().map_or(("untold", 1.0), |(method, sure)| (&**method, *sure));
        let band = (confidence * BANDS as f64).clamp(0.0, BANDS as f64 - 1.0) as usize;
        if edge.is_root() {
            self.roots += 1;
            if matches!(edge.verdict, Verdict::WrongSame | Verdict::WrongTrace) {
                self.stray_roots += 1;
            }
            return;
        }
        if let Verdict::Missing | Verdict::Orphan = edge.verdict {
            let missing = edge.verdict == Verdict::Missing;
            *(if missing { &mut self.missing } else { &mut self.orphans }) += 1;
            return;
        }
        let band = &mut self.methods.entry(method.to_owned()).or_default()[band];
        band.confidence += confidence;
        match edge.verdict {
            Verdict::WrongSame => band.wrong_same += 1,
            Verdict::WrongTrace => band.wrong_trace += 1,
            _ => band.right += 1,
        }
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Tally) {
        self.roots += other.roots;
        self.orphans += other.orphans;
        self.missing += other.missing;
        self.stray_roots += other.stray_roots;
        for (method, bands) in &other.methods {
            let own = self.methods.entry(method.clone()).or_default();
            own.iter_mut().zip(bands).for_each(|(own, more)| own.add(more));
        }
    }

    /// All methods' edges in a band.
    pub fn band(&self, band: usize) -> Band {
        let mut sum = Band::default();
        for bands in self.methods.values() {
            sum.add(&bands[band]);
        }
        sum
    }

    /// All edges by verdict.
    pub fn counts(&self) -> Counts {
        let made = self.made();
        Counts {
            edges: made.edges() + self.orphans + self.missing,
            right: made.right,
            orphan: self.orphans,
            wrong_same: made.wrong_same,
            wrong_trace: made.wrong_trace,
            missing: self.missing,
            stray_roots: self.stray_roots,
        }
    }

    /// Mean confidence of the edges that were made; `None` if there are none.
    pub fn mean_confidence(&self) -> Option<f64> {
        let made = self.made();
        (made.edges() > 0).then(|| made.confidence / made.edges() as f64)
    }

    fn made(&self) -> Band {
        let mut sum = Band::default();
        self.methods.values().flatten().for_each(|band| sum.add(band));
        sum
    }
}

impl Counts {
    /// Edges that were made, right or wrong.
    pub fn made(&self) -> u64 {
        self.right + self.wrong_same + self.wrong_trace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(hop: &str, verdict: Verdict, decided: Option<(&str, f64)>) -> Edge {
        let decided = decided.map(|(method, sure)| (method.to_owned(), sure));
        Edge { hop: hop.to_owned(), verdict, decided }
    }

    #[test]
    fn edges_are_counted_by_verdict_and_band() {
        let tally = Tally::of(&[
            edge("t1", Verdict::Right, None),
            edge("t2", Verdict::WrongTrace, Some(("turn", 0.5))),
            edge("t1.0", Verdict::Right, Some(("thread", 1.0))),
            edge("t1.1", Verdict::Right, Some(("turn", 0.9))),
            edge("t1.2", Verdict::WrongTrace, Some(("turn", 0.8))),
            edge("t1.3", Verdict::Orphan, None),
            edge("t1.4", Verdict::Missing, None),
        ]);
        let expected = Counts {
            edges: 5,
            right: 2,
            orphan: 1,
            wrong_same: 0,
            wrong_trace: 1,
            missing: 1,
            stray_roots: 1,
        };
        assert_eq!((tally.counts(), tally.roots), (expected, 2));
        assert!((tally.mean_confidence().unwrap() - 0.9).abs() < 1e-9);
        assert_eq!((tally.band(8).edges(), tally.band(9).edges()), (1, 2));
        assert_eq!(Tally::default().mean_confidence(), None);
    }

    #[test]
    fn tallies_add_up() {
        let one = Tally::of(&[edge("t1.0", Verdict::WrongSame, Some(("turn", 0.25)))]);
        let mut sum = one.clone();
        sum.add(&one);
        assert_eq!((sum.band(2).wrong_same, sum.counts().edges), (2, 2));
        assert_eq!(sum.mean_confidence(), Some(0.25));
    }
}
