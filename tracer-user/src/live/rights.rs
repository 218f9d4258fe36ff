//! May this process trace at all?

use anyhow::{Result, bail};

/// Capabilities that loading and attaching the probes, and reading other processes' /proc, take,
/// by number (capability.h); each with the older one that includes it.
const NEEDED: [(u32, Option<u32>, &str); 3] = [
    (39, Some(CAP_SYS_ADMIN), "CAP_BPF"),
    (38, Some(CAP_SYS_ADMIN), "CAP_PERFMON"),
    (19, None, "CAP_SYS_PTRACE"),
];
const CAP_SYS_ADMIN: u32 = 21;

/// # Errors
/// Names what is missing, and says what to do.
pub(super) fn check() -> Result<()> {
    let status = procfs::process::Process::myself()?.status()?;
    let has = |bit: u32| status.capeff >> bit & 1 == 1;
    let missing: Vec<_> = NEEDED
        .iter()
        .filter(|(bit, older, _)| !has(*bit) && !older.is_some_and(has))
        .map(|(.., name)| *name)
        .collect();
    if !missing.is_empty() {
        bail!("not allowed to trace: {} missing; run it as root (sudo tracer)", missing.join(", "));
    }
    Ok(())
}
