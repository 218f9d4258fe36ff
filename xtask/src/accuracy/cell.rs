//! What is measured at once: one runtime under one load.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::runtimes;

/// Whether the services' handlers wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Work {
    /// They do not.
    None,
    /// They sleep 0 to 2 ms before they call others, and 0 to 2 ms before they answer.
    Timers,
}

/// How a service makes its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// One after the other.
    Seq,
    /// All at once.
    Par,
}

/// Which trace headers the load brings and the services pass on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Headers {
    /// None.
    None,
    /// B3, one header a value.
    B3,
    /// W3C traceparent.
    W3c,
}

/// One runtime under one load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub(crate) runtime: String,
    pub(crate) topology: String,
    pub(crate) headers: Headers,
    pub(crate) work: Work,
    pub(crate) mode: Mode,
    /// User requests at once.
    pub(crate) concurrency: u16,
}

impl Cell {
    /// Cells stand in this order.
    pub(crate) fn order(&self) -> impl Ord + use<> {
        let runtime = runtimes::place(&self.runtime);
        let Cell { topology, headers, work, mode, concurrency, .. } = self.clone();
        (topology, headers, runtime, work, mode, concurrency)
    }

    /// One line for people, a directory's name for files.
    pub(crate) fn name(&self) -> String {
        let Cell { runtime, topology, work, mode, concurrency, .. } = self;
        let headers = match self.headers {
            Headers::None => String::new(),
            headers => format!("-{}", value(&headers)),
        };
        let (work, mode) = (if *work == Work::None { "no-timers" } else { "timers" }, value(mode));
        format!("{topology}-{runtime}-{work}-{mode}{headers}-c{concurrency}")
    }
}

/// A value's name, as the command line has it.
pub(crate) fn value(of: &impl ValueEnum) -> String {
    of.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_an_order_and_a_name() {
        let cell = |runtime: &str, concurrency| Cell {
            runtime: runtime.to_owned(),
            topology: "tree".to_owned(),
            headers: Headers::None,
            work: Work::Timers,
            mode: Mode::Seq,
            concurrency,
        };
        assert!(cell("go", 8).order() < cell("go", 32).order());
        assert!(cell("flask", 32).order() < cell("go", 1).order());
        assert_eq!(cell("go", 8).name(), "tree-go-timers-seq-c8");
    }
}
