//! Scores the edges that a tracer made against the truth that the paths carry: root `/a/t17`, its
//! calls `/b/t17.0`, `/c/t17.1`, and so on. The rules are those of the accuracy suite's score.py;
//! in addition each edge is told with how it was decided and how sure the tracer was.

mod edge;
mod hop;
mod own;
mod tally;

pub use edge::{Edge, Span, Verdict, judge};
pub use hop::{Calls, hop, requests};
pub use own::{Own, Start};
pub use tally::{BANDS, Band, Counts, SURE, Tally};
