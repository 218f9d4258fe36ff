//! May this process trace at all?

use anyhow::{Result, bail};

/// Capabilities by number (capability.h): what loading and attaching the probes, and reading
/// other processes' /proc, take.
const NEEDED: [(u32, &str); 3] = [(39, "CAP_BPF"), (38, "CAP_PERFMON"), (19, "CAP_SYS_PTRACE")];
const CAP_SYS_ADMIN: u32 = 21;

/// # Errors
/// Names what is missing, and says what to do.
pub(super) fn check() -> Result<()> {
    let status = procfs::process::Process::myself()?.status()?;
    let has = |bit: u32| status.capeff >> bit & 1 == 1;
    // CAP_SYS_ADMIN includes the two newer ones.
    let missing: Vec<_> = NEEDED
        .iter()
        .filter(|(bit, _)| !has(*bit) && !(has(CAP_SYS_ADMIN) && *bit != 19))
        .map(|(_, name)| *name)
        .collect();
    if !missing.is_empty() {
        bail!("not allowed to trace: {} missing; run it as root (sudo tracer)", missing.join(", "));
    }
    Ok(())
}
