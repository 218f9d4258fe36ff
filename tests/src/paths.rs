//! Where the tests find and leave things.

use std::env;
use std::path::{Path, PathBuf};

/// The checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Sources and configurations of the services under test.
pub fn service_sources() -> PathBuf {
    root().join("tests/services")
}

/// What was installed or built for the tests and outlives them.
pub fn cache() -> PathBuf {
    root().join("target/cache")
}

/// Sources of the C programs that the tests run, each in a directory of its own.
pub fn program_sources() -> PathBuf {
    root().join("tests/programs")
}

/// Those programs, built: seconds, so they are no part of the cache.
pub fn programs() -> PathBuf {
    root().join("target/programs")
}

/// Logs of the processes that the tests start.
pub fn logs() -> PathBuf {
    root().join("target/e2e")
}

/// The tracer's release binary; the variable `TRACER_BIN` names another one.
pub fn tracer() -> PathBuf {
    env::var_os("TRACER_BIN").map_or_else(
        || {
            let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
            root().join(target).join("release/tracer")
        },
        PathBuf::from,
    )
}

/// The accuracy suite: the variable `TRUTH_SUITE`, else `../shared/truth` beside the checkout.
pub fn truth() -> PathBuf {
    env::var_os("TRUTH_SUITE").map_or_else(|| root().join("../shared/truth"), PathBuf::from)
}
