//! Causality: which request a process was answering when it made a call. Evidence is gathered while
//! exchanges run and weighed late, when both the call and the requests that may have caused it are
//! over. An edge that is not sure enough is not made: an orphan is better than a lie.

mod alone;
mod answer;
mod context;
mod contexts;
mod correlated;
mod correlation;
mod course;
mod evidence;
mod forward;
mod handoff;
mod header;
mod hearing;
mod instrumented;
pub mod joint;
mod node;
mod origins;
mod process;
mod processes;
mod queue;
mod resolver;
mod scene;
mod sealed;
mod sight;
mod spawn;
mod stage;
mod streams;
mod strength;
mod targets;
mod thread;
mod timers;
mod timing;
mod turn;

pub use evidence::Kinds;
pub use hearing::{Hearing, Said, Statement, Verdict, Weighed};
pub use resolver::{Decision, Provenance};
pub use stage::{Causality, Settings};

use scene::Scene;
