//! What the user wants: flags, the configuration file, and the environment.
//!
//! [`Args`] and [`File`] are what was written, each setting there or not; [`Settings`] is what
//! follows from them and from the environment, complete and checked. It is made once, at the start;
//! nothing reads the environment later.

mod args;
mod backing;
mod bounds;
mod error;
mod exporters;
mod file;
mod filter;
mod given;
mod groups;
mod sampling;
mod settings;
mod store;
mod ui;
mod units;

pub use args::{Args, Command, ExplainArgs, RecordArgs, ReplayArgs, RunArgs, TopArgs, TraceIdArgs};
pub use backing::{BackingArgs, Protocol, SqlText};
pub use error::Error;
pub use file::File;
pub use filter::{Filter, Selection, Verdict};
pub use groups::WhenInstrumented;
pub use sampling::{SampleArgs, Sampled, Sampling};
pub use settings::{Limits, Settings};
pub use store::{Data, StoreArgs, data_directory};
pub use ui::{Place, UiArgs};
