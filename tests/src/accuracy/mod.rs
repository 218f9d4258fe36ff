//! Scores the edges that a tracer made against the truth that the paths carry: root `/a/t17`, its
//! calls `/b/t17.0`, `/c/t17.1`, and so on. The rules are those of the accuracy suite's score.py;
//! in addition each edge is told with how it was decided and how sure the tracer was.

mod edge;
mod hop;
mod own;
mod recorded;
mod suite;
mod tally;

pub use edge::{Edge, Span, Verdict, judge};
pub use hop::{Calls, hop, requests};
pub use own::{Own, Start};
pub use recorded::{
    RECORDED, RECORDED_OWN, RECORDED_PARTS, ROOTS, Recorded, Share, directory, shares, shares_file,
    tree,
};
pub use suite::{Load, Place};
pub use tally::{BANDS, Band, Counts, Tally};
