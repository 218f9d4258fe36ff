//! All that the probes need to know of one Go program.

use std::fs::File;

use tracer_common::golang::Layout;

use super::super::elf::{Contents, Elf};
use super::{build, debug_info, layouts, symbols, thread_local};

/// What hands a request over to the goroutine that writes it; so in every Go since 1.7.
const ROUND_TRIP: &str = "net/http.(*persistConn).roundTrip";

/// One Go program, by its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The minor number of the Go 1 that built it.
    pub version: u16,
    /// Where a thread keeps the address of the goroutine that it runs, from its thread pointer on.
    pub current: i32,
    /// `runtime.g.goid`.
    pub goid: u16,
    /// `runtime.g.parentGoid`; since Go 1.21.
    pub parent: Option<u16>,
    /// Where in the file net/http's client hands a request over, and how its structures are laid
    /// out; `None` where the program has no such client, or it cannot be probed.
    pub round_trip: Option<(u64, Layout)>,
}

/// Byte offsets into the structures that the probes look into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Structures {
    pub(super) goid: u16,
    pub(super) parent: Option<u16>,
    /// Those of net/http's client, if the program has one.
    pub(super) client: Option<Layout>,
}

impl Program {
    /// `None` if it is no Go program, or nothing is known of it.
    #[must_use]
    pub fn read(file: &File) -> Option<Self> {
        Self::of(&Contents::new(file).ok()?.elf().ok()?)
    }

    fn of(elf: &Elf<'_>) -> Option<Self> {
        if !elf.is_x86_64() {
            return None;
        }
        let version = build::version(elf)?;
        let Structures { goid, parent, client } =
            layouts::structures(version).or_else(|| debug_info::structures(elf))?;
        let round_trip = client.and_then(|layout| {
            let address = symbols::function(elf, ROUND_TRIP)?;
            Some((elf.offset(symbols::cheapest(elf, address))?, layout))
        });
        Some(Self { version, current: thread_local::current(elf)?, goid, parent, round_trip })
    }
}
