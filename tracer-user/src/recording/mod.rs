//! Recordings: everything that the pipeline was given in a run, in a file.
//!
//! ```text
//! file   = "TRACEREC" version:u32 header-frame block-frame*
//! frame  = stored:u32 length:u32 crc(contents):u32 crc(these 12 bytes):u32 contents[stored]
//! ```
//! Numbers are little-endian. A frame's contents are zstd-compressed, `length` bytes before that. The
//! header is JSON ([`Header`]); a block is a sequence of [`crate::replay::Input`]s in postcard's
//! encoding. Each frame is written at once, at least one a second while something happens, so that
//! a recording that was cut off can be read but for its last second.

mod entry;
mod frame;
mod header;
mod masked;
mod masker;
mod reader;
mod recorder;
mod scrub;
mod speech;
mod tap;
mod times;
mod witness;
mod writer;

#[cfg(test)]
mod tests;

pub use header::{Header, Secrets};
pub use reader::{Reader, is_recording};
pub use recorder::{Recorder, Totals};
pub use tap::Tap;
pub use writer::Writer;
