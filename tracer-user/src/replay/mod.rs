//! Drives the pipeline from a file instead of the kernel.

mod input;

pub use input::{Input, Source};
