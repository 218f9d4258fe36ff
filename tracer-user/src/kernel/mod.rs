//! The kernel stage: loads and attaches the probes, and hands out their records.

mod btf;
mod event;
mod names;
mod offsets;
mod probes;

pub use btf::{Btf, Error as BtfError};
pub use event::{Event, address};
pub use offsets::offsets;
pub use probes::{KERNEL_BTF, Probes, Selection};
