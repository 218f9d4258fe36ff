//! What user space tells the kernel side about whom to trace.

/// Value of the process map: trace it.
pub const TRACE: u32 = 1;
/// Value of the process map: leave it out.
pub const SKIP: u32 = 2;
/// Value of the process map: the tracer itself.
pub const SELF: u32 = 3;

/// Most processes that user space can hold an opinion on at once.
pub const MAX_PROCESSES: u32 = 65_536;
/// Most ports that the filter can name.
pub const MAX_PORTS: u32 = 1_024;

/// Value of the port map: trace connections with it at either end.
pub const PORT_TRACE: u32 = 1;
/// Value of the port map: leave them out.
pub const PORT_SKIP: u32 = 2;
