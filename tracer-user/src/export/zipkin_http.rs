//! Zipkin's HTTP API, version 2. <https://zipkin.io/zipkin-api/#/default/post_spans>

use std::sync::Arc;

use bytes::Bytes;

use super::counters::Reason;
use super::exporters::StartError;
use super::http::{Answer, Poster};
use super::sink::{Payload, Sink, Verdict};
use super::target::Target;
use super::zipkin;
use crate::trace::Span;

pub(super) struct ZipkinHttp(Poster);

impl ZipkinHttp {
    pub(super) fn new(target: &Target) -> Result<Self, StartError> {
        Poster::new(target, "application/json").map(ZipkinHttp)
    }
}

impl Sink for ZipkinHttp {
    type Body = Bytes;

    fn encode(&self, spans: &[Arc<Span>]) -> Payload<Bytes> {
        let (body, invalid) = zipkin::json(spans);
        Payload { body: self.0.pack(body), invalid }
    }

    async fn deliver(&mut self, body: &Bytes) -> Verdict {
        match self.0.post(body).await {
            Ok(answer) => verdict(&answer),
            Err(unanswered) => unanswered,
        }
    }
}

/// Zipkin's own answers: 202, 400 for what it can't read, 500 for what went wrong in storing.
fn verdict(answer: &Answer) -> Verdict {
    let why = answer.why();
    match answer.status.as_u16() {
        200..=299 => Verdict::Accepted { rejected: 0, why: None },
        413 => Verdict::Split { why },
        // Zipkin answers so for a request over its limit: the framework's 413 arrives in it as
        // an exception like any other.
        500 if too_large(&answer.body) => Verdict::Split { why },
        // A busy server or one in front of it; not a judgement on the batch.
        408 | 429 | 500..=599 => Verdict::Again { answered: true, after: answer.retry_after, why },
        _ => Verdict::Dropped { reason: Reason::Refused, why },
    }
}

fn too_large(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    ["413", "ContentTooLarge", "Content Too Large", "Entity Too Large"]
        .iter()
        .any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn answered(code: u16, body: &'static str) -> Verdict {
        let status = StatusCode::from_u16(code).unwrap();
        verdict(&Answer { status, retry_after: None, body: Bytes::from_static(body.as_bytes()) })
    }

    #[test]
    fn statuses_mean_what_zipkin_means() {
        assert!(matches!(answered(202, ""), Verdict::Accepted { rejected: 0, .. }));
        assert!(matches!(answered(413, ""), Verdict::Split { .. }));
        let hidden = "com.linecorp.armeria.common.ContentTooLargeException: maxContentLength: 1";
        assert!(matches!(answered(500, hidden), Verdict::Split { .. }));
        assert!(matches!(answered(500, "413 Request Entity Too Large"), Verdict::Split { .. }));
        assert!(matches!(answered(500, "storage is away"), Verdict::Again { .. }));
        assert!(matches!(answered(503, "413"), Verdict::Again { .. }));
        assert!(matches!(answered(429, ""), Verdict::Again { .. }));
        assert!(matches!(answered(302, ""), Verdict::Dropped { .. }));
        let Verdict::Dropped { reason, why } = answered(400, "Expected hex\nmore") else {
            panic!()
        };
        assert_eq!((reason, why.as_str()), (Reason::Refused, "HTTP 400 Bad Request Expected hex"));
    }
}
