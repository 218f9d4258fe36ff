//! Secrets, masked at the same length so that what was masked still parses the same.

mod head;
mod stream;
#[cfg(test)]
mod stream_tests;
mod target;
mod targets;

pub use head::mask_head;
pub use stream::HeadMask;
pub use target::{authority, mask_target, split_absolute, target};
