//! The kernel stage: loads and attaches the probes, and hands out their records.

mod btf;
mod event;
mod names;
mod offsets;
mod probes;
mod requirements;
mod uprobes;

#[cfg(test)]
mod btf_tests;

pub use btf::{Btf, Error as BtfError};
pub use event::{Event, address};
pub use names::{GO_ROUND_TRIP, PYTHON_COPIED, PYTHON_TASK};
pub use offsets::offsets;
pub use probes::{KERNEL_BTF, Probes, Selection};
pub use requirements::tracepoints;
pub use uprobes::{Uprobe, Uprobes};
