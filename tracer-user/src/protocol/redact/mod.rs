//! Secrets, masked at the same length so that what was masked still parses the same.

mod field;
mod head;
mod pairs;
mod pseudonym;
mod scope;
mod stream;
#[cfg(test)]
mod stream_tests;
mod target;
mod targets;
mod value;

pub use field::mask_field;
pub use head::mask_head;
pub use pseudonym::Pseudonym;
pub use stream::HeadMask;
pub use target::{authority, mask_target, shortened, split_absolute, target};
