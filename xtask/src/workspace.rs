//! Where things are, and how cargo is called.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The fixed place of the eBPF object, whatever `CARGO_TARGET_DIR` says: tracer-user's build
/// script looks there.
pub(crate) fn ebpf_object() -> PathBuf {
    root().join("target/ebpf/tracer-ebpf.o")
}

/// Tools that are built for this checkout alone, so that nothing global is touched.
pub(crate) fn tools() -> PathBuf {
    root().join("target/tools")
}

/// The toolchain's own cargo, in the checkout.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}
