//! What the kernel side and the user side of Tracer share: record layouts, counters and limits.
//!
//! Everything here is plain little-endian data without padding; `zerocopy`'s derives refuse a
//! layout that has any.
#![cfg_attr(not(test), no_std)]

pub mod backing;
pub mod counter;
pub mod filter;
pub mod follow;
pub mod frame;
pub mod golang;
pub mod head;
pub mod offsets;
pub mod record;
pub mod runtime;
pub mod tls;
