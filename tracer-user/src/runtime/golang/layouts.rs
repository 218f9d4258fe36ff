//! Where the fields are that the probes read, by Go version, for programs without debug
//! information. Made from the debug information of programs that each of these versions built
//! (linux/amd64), and a test compares the one at hand.

use tracer_common::golang::Layout;

use super::program::Structures;

/// Go 1.18 to 1.27: these have not moved.
const CLIENT: Layout = Layout { conn: 80, descriptor: 16, family: 56, kind: 64 };

/// `None` for a version that is not known: a guess would name wrong goroutines.
pub(super) fn structures(minor: u16) -> Option<Structures> {
    let (goid, parent) = match minor {
        18..=20 => (152, None),
        _ => return None,
    };
    Some(Structures { goid, parent, client: Some(CLIENT) })
}
