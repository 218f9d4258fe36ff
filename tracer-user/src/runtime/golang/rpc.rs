//! Where grpc-go's streams have their numbers, by the module's version; of versions that are newer than
//! this tracer, by the program's debug information.
//!
//! Made from the sources of 1.50.1, 1.60.1, 1.68.2, 1.70.0, 1.71.1, 1.74.2 and 1.76.0; from 1.77.0 on the number
//! moved.

use tracer_common::golang::Layout;

use super::super::elf::Elf;
use super::build::Build;
use super::debug_info::fields;

const MODULE: &str = "google.golang.org/grpc";
const STREAM: &str = "google.golang.org/grpc/internal/transport.Stream";
const CLIENT: &str = "google.golang.org/grpc/internal/transport.ClientStream";

/// `None` where the program has no grpc-go, or one that is not known.
pub(super) fn layout(elf: &Elf<'_>, build: &Build) -> Option<Layout> {
    let version = build.modules.get(MODULE)?;
    by_version(version).or_else(|| by_debug_info(elf))
}

fn by_version(version: &str) -> Option<Layout> {
    let minor = version.strip_prefix("v1.")?.split('.').next()?.parse().ok()?;
    let (stream, behind, conn) = match minor {
        50..=69 => (0, 0, 24),
        70..=76 => (0, 1, 8),
        _ => return None,
    };
    Some(Layout { conn, stream, behind, ..Layout::default() })
}

/// Up to 1.69, one structure is a stream of either side; then those of each side begin with a pointer to
/// what they have in common, and later with that itself.
fn by_debug_info(elf: &Elf<'_>) -> Option<Layout> {
    const POINTER: u16 = 8;
    let wanted = [(STREAM, "id"), (STREAM, "ct"), (CLIENT, "ct")];
    let [number, old, new] = fields(elf, &wanted)[..] else { return None };
    let behind = (new == Some(POINTER)).into();
    Some(Layout { conn: new.or(old)?, stream: number?, behind, ..Layout::default() })
}
