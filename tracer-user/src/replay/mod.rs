//! `tracer replay`: drives the pipeline from a file instead of the kernel.

mod command;
mod directory;
mod driver;
mod input;
mod open;
mod progress;

pub use command::replay;
pub use directory::Told;
pub use driver::{Replayed, chosen, drive, drive_through, pipeline};
pub use input::{Input, LeftOut, Source};
pub use open::{Opened, open};
