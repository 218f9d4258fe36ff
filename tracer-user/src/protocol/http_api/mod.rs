//! Services that are asked over HTTP and are more than some HTTP server: which one a request is for,
//! and which of its operations it asks for. Only what is certain counts: a mark that no other service
//! has, or, for Elasticsearch, its own port together with a path that is only its own.
//!
//! ```text
//! head -> Marks -> Api (kept with the head) -> search::endpoint, s3::call (when a span is made)
//! ```

mod endpoints;
mod host;
mod marks;
mod operations;
pub mod s3;
pub mod search;
#[cfg(test)]
mod tests;

pub use marks::{Marks, product};

/// Bits of a set of protocols, beside [`tracer_common::backing`]'s, which the kernel knows: these it
/// never finds.
const ELASTICSEARCH: u32 = 1 << 24;
const S3: u32 = 1 << 25;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Elasticsearch.
    Elasticsearch,
    /// OpenSearch, whose API is the same.
    OpenSearch,
    /// S3, Amazon's or what speaks its protocol.
    S3 {
        /// What is to be written is copied from another object.
        copies: bool,
    },
}

impl Api {
    /// Of all of them.
    pub const BITS: u32 = ELASTICSEARCH | S3;

    /// `db.system.name`, as OpenTelemetry's conventions list them, and the name under which backends draw
    /// the service.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Api::Elasticsearch => "elasticsearch",
            Api::OpenSearch => "opensearch",
            Api::S3 { .. } => "s3",
        }
    }

    /// Its bit in a set of protocols.
    #[must_use]
    pub fn bit(self) -> u32 {
        match self {
            Api::Elasticsearch | Api::OpenSearch => ELASTICSEARCH,
            Api::S3 { .. } => S3,
        }
    }
}

/// A part of a URL without its percent-encoding (RFC 3986 section 2.1).
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
