//! All that the probes need to know of one Go program.

use std::fs::File;

use tracer_common::golang::Layout;

use super::super::elf::{Contents, Elf};
use super::probes::{Probe, probes};
use super::{build, debug_info, layouts, rpc, thread_local};

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
    /// Functions that tell what no socket operation shows.
    pub probes: Vec<Probe>,
}

/// Byte offsets into the structures that the probes look into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Structures {
    pub(super) goid: u16,
    pub(super) parent: Option<u16>,
    /// `net.netFD`'s, in what is else empty.
    pub(super) socket: Option<Layout>,
    /// `net/http.persistConn.conn`.
    pub(super) persist: Option<u16>,
    /// Where grpc-go's streams have their numbers and, of clients, the transport; else empty.
    pub(super) rpc: Option<Layout>,
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
        let build = build::read(elf)?;
        let known = layouts::structures(build.version);
        let mut structures = known.or_else(|| debug_info::structures(elf))?;
        structures.rpc = rpc::layout(elf, &build);
        Some(Self {
            version: build.version,
            current: thread_local::current(elf)?,
            goid: structures.goid,
            parent: structures.parent,
            probes: probes(elf, &structures),
        })
    }
}
