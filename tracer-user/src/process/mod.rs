//! Who a process is: its service name and its resource attributes, read from /proc alone.
//!
//! A name is decided by the first of these that says something:
//! 1. the rules of the configuration file ([`Rule`]: process id, port, command line);
//! 2. `OTEL_SERVICE_NAME` of the process's environment;
//! 3. `service.name` in `OTEL_RESOURCE_ATTRIBUTES` of the process's environment;
//! 4. its container's name, where this host's files tell it ([`container`]);
//! 5. its systemd `.service` unit, for the unit's main process and that program's workers;
//! 6. the program as people call it ([`program`]): the script or module of an interpreter, else
//!    the binary's name;
//! 7. the thread name that the kernel gave, for a process that ended before it could be read;
//! 8. `unknown_service`, OpenTelemetry's own word for it.
//!
//! A forked worker has the name of the program that forked it. Environments and command lines may
//! hold secrets: at most 128 KiB of each is read, what is not named above is thrown away at once,
//! and neither is kept, logged or exported.

mod attributes;
mod cgroup;
mod container;
mod facts;
#[cfg(test)]
mod fake;
mod host;
mod identity;
mod name;
mod program;
mod rules;
mod table;

pub use attributes::{AttributeError, parse_attributes};
pub use facts::Facts;
pub use host::Host;
pub use identity::{Identity, NameSource};
pub use rules::{Rule, Rules};
pub use table::{ProcessTable, TableStats};
