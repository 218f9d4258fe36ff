//! Timing alone: the published traces of TraceWeaver (SIGCOMM'24), ids hidden, through the same
//! resolver. Another program evaluates them; this reads its JSON.

use serde::{Deserialize, Serialize};

/// One data set at one load.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Timing {
    /// `hotel`, `media`, ...
    pub(crate) data: String,
    /// Requests a second, as the data set counts them.
    pub(crate) load: u64,
    pub(crate) traces: u64,
    /// Of those, how many had every edge right.
    pub(crate) right: u64,
    /// CPU time a trace, in microseconds.
    pub(crate) cpu_us: f64,
}
