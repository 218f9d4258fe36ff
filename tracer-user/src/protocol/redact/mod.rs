//! Secrets, masked at the same length so that what was masked still parses the same.

mod head;
mod target;

pub use head::mask_head;
pub use target::{authority, mask_target, split_absolute, target};
