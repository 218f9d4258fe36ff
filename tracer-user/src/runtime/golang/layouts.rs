//! Where the fields are that the probes read, by Go version: stripped programs have them nowhere
//! else, and for the others this is quicker than their debug information.
//!
//! Made from the debug information of programs that Go 1.18.10, 1.20.14, 1.21.13, 1.22.12, 1.23.12,
//! 1.24.9, 1.25.3, 1.26.8 and 1.27rc1 built for linux/amd64, each also as position-independent ones and
//! with cgo; a test compares those of the Go at hand.

use tracer_common::golang::Layout;

use super::program::Structures;

/// Go 1.18 to 1.27: these have not moved.
const SOCKET: Layout =
    Layout { conn: 0, stream: 0, behind: 0, descriptor: 16, family: 56, kind: 64 };
/// The same.
const PERSIST: u16 = 80;

/// `None` for a version that is not known: a guess would name wrong goroutines.
pub(super) fn structures(minor: u16) -> Option<Structures> {
    let (goid, parent) = match minor {
        18..=20 => (152, None),
        21 | 22 | 25 => (152, Some(272)),
        23 | 24 => (160, Some(280)),
        26 | 27 => (152, Some(280)),
        _ => return None,
    };
    Some(Structures { goid, parent, socket: Some(SOCKET), persist: Some(PERSIST), rpc: None })
}
