//! Fields to heads.

use std::borrow::Cow;

use super::grpc::{Rpc, number, timeout};
use super::hpack::Field;
use crate::protocol::http_api::{self, Marks};
use crate::protocol::http1::{Framing, Method, RequestHead, ResponseHead, Version, cut, field};
use crate::protocol::{propagation, redact};

/// The fields of a block.
pub(super) struct Fields<'a>(pub(super) &'a [Field]);

impl<'a> Fields<'a> {
    /// The value of the first field with this name, if it is known.
    pub(super) fn value(&self, name: &str) -> Option<&'a [u8]> {
        let named = |field: &&Field| field.name.as_deref() == Some(name.as_bytes());
        self.0.iter().find(named)?.value.as_deref()
    }

    /// Name and value of those of which both are known.
    fn known(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.0.iter().filter_map(|Field { name, value }| {
            Some((std::str::from_utf8(name.as_deref()?).ok()?, value.as_deref()?))
        })
    }

    /// There is a field that only requests have, or (`b":status"`) only responses.
    fn names(&self, name: &[u8]) -> bool {
        self.0.iter().any(|field| field.name.as_deref() == Some(name))
    }

    /// It heads a request, for all that is known: the block is not one of trailers, which have no
    /// pseudo-fields (RFC 9113 section 8.1).
    pub(super) fn may_be_request(&self) -> bool {
        self.is_request() || self.0.iter().any(|field| field.name.is_none())
    }

    /// It heads a request for sure.
    pub(super) fn is_request(&self) -> bool {
        [&b":method"[..], b":path", b":authority", b":scheme"].iter().any(|it| self.names(it))
    }

    /// It heads a response for sure.
    pub(super) fn is_response(&self) -> bool {
        self.names(b":status")
    }

    /// `:status`, if it is known.
    pub(super) fn status(&self) -> Option<u16> {
        let status = number(self.value(":status")?)?;
        u16::try_from(status).ok().filter(|status| (100..1000).contains(status))
    }

    /// `grpc-status`.
    pub(super) fn grpc_status(&self) -> Option<u32> {
        number(self.value("grpc-status")?)?.try_into().ok()
    }

    /// A gRPC call, if the content type says so.
    pub(super) fn rpc(&self) -> Option<Rpc> {
        let mut rpc = Rpc::of(self.value("content-type")?)?;
        rpc.timeout = self.value("grpc-timeout").and_then(timeout);
        Some(rpc)
    }

    /// The head of a request. `max_target`: bytes of the target that are kept.
    pub(super) fn request(&self, max_target: usize) -> RequestHead {
        let text = |value: &'a [u8]| String::from_utf8_lossy(value);
        let raw = self.value(":path").map_or(Cow::Borrowed(""), text);
        let target = redact::shortened(&redact::target(&raw));
        let kept = cut(&target, max_target);
        let authority = self.value(":authority").or(self.value("host"));
        // RFC 9113 section 8.3.1: no user information belongs there, but some send it.
        let host = authority.and_then(|host| field(host.rsplit(|b| *b == b'@').next()?));
        let mut marks = Marks::default();
        self.known().for_each(|(name, value)| marks.add(name, value));
        RequestHead {
            method: Method::new(&self.value(":method").map_or(Cow::Borrowed(""), text)),
            target: kept.to_owned(),
            target_cut: kept.len() < target.len(),
            version: Version::Http2,
            api: marks.api(&raw, host.as_deref()),
            host,
            user_agent: self.value("user-agent").and_then(field),
            content_length: self.content_length(),
            expect_continue: false,
            upgrade: None,
            context: propagation::extract(self.known()),
        }
    }

    /// The head of a final response.
    pub(super) fn response(&self, status: u16) -> ResponseHead {
        ResponseHead {
            correlation: propagation::correlation(self.known()),
            status,
            version: Version::Http2,
            content_length: self.content_length(),
            framing: Framing::None,
            api: self.known().find_map(|(name, value)| http_api::product(name, value)),
        }
    }

    fn content_length(&self) -> Option<u64> {
        std::str::from_utf8(self.value("content-length")?).ok()?.parse().ok()
    }
}
