//! A span as a backend shows it, whichever backend it was.

use std::collections::BTreeMap;

/// Which side of a request, or of a message's way, a span describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Sent the request.
    Client,
    /// Answered it.
    Server,
    /// Sent a message to a broker.
    Producer,
    /// Was given one by it.
    Consumer,
}

/// What Zipkin's and Jaeger's spans have in common.
#[derive(Clone, Debug)]
pub struct Span {
    /// Trace id, hexadecimal.
    pub trace: String,
    /// Span id, hexadecimal.
    pub id: String,
    /// Parent's id, of the same trace.
    pub parent: Option<String>,
    /// Service.
    pub service: String,
    /// Side; `None` where the backend shows no kind.
    pub side: Option<Side>,
    /// Operation.
    pub name: String,
    /// Microseconds since the Unix epoch.
    pub start: u64,
    /// Microseconds.
    pub duration: u64,
    /// `http.response.status_code`.
    pub status: Option<u16>,
    /// Whether the backend marks it as failed.
    pub error: bool,
    /// Its tags as text, by key.
    pub tags: BTreeMap<String, String>,
    /// Other spans that it refers to: trace id and span id, where the backend shows them.
    pub links: Vec<(String, String)>,
}

impl Span {
    /// Value of a tag.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.get(key).map(String::as_str)
    }

    /// Microseconds since the Unix epoch.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.duration)
    }
}
