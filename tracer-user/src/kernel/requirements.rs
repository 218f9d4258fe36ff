//! Whether a kernel has the tracepoints that the probes are for.

use super::btf::{Btf, Error};
use super::names;

/// Checks, before anything is loaded, that each probe has its tracepoint: the kernel's own answer
/// to a program for one that is missing does not say what is missing, or why.
///
/// # Errors
/// [`Error::NoTracepoint`] with the first that this kernel lacks.
pub fn tracepoints(btf: &Btf<'_>) -> Result<(), Error> {
    let missing = names::PROGRAMS.into_iter().find(|name| !btf.has_tracepoint(name));
    missing.map_or(Ok(()), |name| Err(Error::NoTracepoint(name)))
}
