//! Message heads, reduced to what spans need.

use crate::protocol::http_api::Api;
use crate::protocol::propagation::{Correlation, Extracted};
use crate::protocol::redact;
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Framing;

/// HTTP's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `HTTP/1.0`.
    Http10,
    /// `HTTP/1.1`.
    Http11,
    /// HTTP/2.
    Http2,
}

impl Version {
    /// As in OpenTelemetry's `network.protocol.version`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Version::Http10 => "1.0",
            Version::Http11 => "1.1",
            Version::Http2 => "2",
        }
    }
}

/// A request method: a token (RFC 9110 section 9.1), case-sensitive, cut at 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method(Cow<'static, str>);

/// The methods that OpenTelemetry's HTTP conventions know: RFC 9110, 5789 and QUERY.
const KNOWN: [&str; 10] =
    ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE", "QUERY"];
/// Bytes of a method, a host, a user agent and an upgrade protocol that are kept.
const MAX_METHOD: usize = 64;
const MAX_FIELD: usize = 256;

impl Method {
    /// From a request line.
    #[must_use]
    pub fn new(token: &str) -> Self {
        match KNOWN.into_iter().find(|known| *known == token) {
            Some(known) => Method(Cow::Borrowed(known)),
            None => Method(Cow::Owned(cut(token, MAX_METHOD).to_owned())),
        }
    }

    /// As it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One of the methods that OpenTelemetry's HTTP conventions know; any other one is told there
    /// as `_OTHER`.
    #[must_use]
    pub fn is_known(&self) -> bool {
        matches!(self.0, Cow::Borrowed(_))
    }
}

/// A request head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The method; empty if it is not known (HTTP/2).
    pub method: Method,
    /// The request target; empty if it is not known (HTTP/2). As it was sent, except that secrets are masked (see
    /// [`redact::target`]) and that it is cut at [`super::Limits::max_target`].
    pub target: String,
    /// The target was cut.
    pub target_cut: bool,
    /// The version.
    pub version: Version,
    /// From an absolute-form target, else from Host; with its port if it has one; at most 256
    /// bytes.
    pub host: Option<String>,
    /// User-Agent, at most 256 bytes.
    pub user_agent: Option<String>,
    /// Content-Length, if it is valid.
    pub content_length: Option<u64>,
    /// `Expect: 100-continue`.
    pub expect_continue: bool,
    /// The protocols in Upgrade, at most 256 bytes.
    pub upgrade: Option<String>,
    /// The trace context that it carries.
    pub context: Extracted,
    /// Which service it is for, as far as its fields tell.
    pub api: Option<Api>,
}

impl RequestHead {
    /// The scheme of an absolute-form target (RFC 9112 section 3.2.2), as it was sent.
    #[must_use]
    pub fn scheme(&self) -> Option<&str> {
        self.absolute().map(|(scheme, _)| scheme)
    }

    /// The path without the query. `*` and the authority of a CONNECT are their own path.
    #[must_use]
    pub fn path(&self) -> &str {
        let path = match self.absolute() {
            Some((_, rest)) => rest.find(['/', '?']).and_then(|at| rest.get(at..)).unwrap_or("/"),
            None => &self.target,
        };
        match path.split(['?', '#']).next() {
            Some("") | None => "/",
            Some(path) => path,
        }
    }

    /// The query without its `?`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('#').next()
    }

    /// Stands for method, path and query, the same for all requests that have the same ones; `None`
    /// if they are not known whole.
    #[must_use]
    pub fn asks_for(&self) -> Option<u64> {
        let whole = !self.target_cut && !self.target.is_empty() && !self.method.as_str().is_empty();
        let mut hasher = DefaultHasher::new();
        (self.method.as_str(), self.path(), self.query()).hash(&mut hasher);
        whole.then(|| hasher.finish())
    }

    fn absolute(&self) -> Option<(&str, &str)> {
        redact::split_absolute(&self.target)
    }
}

/// The head of a final response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// Ids of the request that are no contexts, as the server tells them.
    pub correlation: Correlation,
    /// 101, or 200 to 999.
    pub status: u16,
    /// The version.
    pub version: Version,
    /// Content-Length, if it is valid. In a response to HEAD it says what GET would get.
    pub content_length: Option<u64>,
    /// How its body ends.
    pub framing: Framing,
    /// Which service it comes from, if that says so.
    pub api: Option<Api>,
}

/// At most `limit` bytes of `text`, whole characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    let end = text.len().min(limit);
    (0..=end).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

/// A field value as text, bounded; `None` if it is empty.
pub(crate) fn field(value: &[u8]) -> Option<String> {
    let value = value.get(..MAX_FIELD).unwrap_or(value).trim_ascii();
    let text = String::from_utf8_lossy(value);
    (!text.is_empty()).then(|| cut(&text, MAX_FIELD).to_owned())
}
