//! The kernel stage: loads and attaches the probes, and hands out their records.

mod btf;
mod event;
mod names;
mod offsets;
mod probes;
mod removal;
mod requirements;
mod shared;
mod uprobes;

#[cfg(test)]
mod btf_tests;

pub use btf::{Btf, Error as BtfError};
pub use event::{Event, address};
pub use names::{
    GO_ROUND_TRIP, GO_RPC_CALLED, GO_RPC_SERVES, GO_RUNS, GO_SERVES, GO_TLS_BEGINS, GO_TLS_READ,
    GO_TLS_READ_DONE, GO_TLS_WRITE, GO_WRITES, PYTHON_COPIED, PYTHON_GREENLET, PYTHON_TASK,
    TLS_ENTER, TLS_LEFT, TLS_READ, TLS_WROTE,
};
pub use offsets::offsets;
pub use probes::{KERNEL_BTF, Probes, Selection};
pub use removal::leave_uprobes;
pub use requirements::tracepoints;
pub use shared::InodeId;
pub use uprobes::{Uprobe, Uprobes};
