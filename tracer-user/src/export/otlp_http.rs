//! OTLP by HTTP, binary. <https://opentelemetry.io/docs/specs/otlp/#otlphttp>

use std::sync::Arc;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

use super::counters::Reason;
use super::exporters::StartError;
use super::http::{Answer, Poster};
use super::otlp;
use super::otlp_grpc::accepted;
use super::sink::{Payload, Sink, Verdict};
use super::target::Target;
use crate::trace::Span;

pub(super) struct OtlpHttp(Poster);

impl OtlpHttp {
    pub(super) fn new(target: &Target) -> Result<Self, StartError> {
        Poster::new(target, "application/x-protobuf").map(OtlpHttp)
    }
}

impl Sink for OtlpHttp {
    type Body = Bytes;

    fn encode(&self, spans: &[Arc<Span>]) -> Payload<Bytes> {
        Payload { body: self.0.pack(otlp::request(spans).encode_to_vec()), invalid: 0 }
    }

    async fn deliver(&mut self, body: &Bytes) -> Verdict {
        match self.0.post(body).await {
            Ok(answer) => verdict(&answer),
            Err(unanswered) => unanswered,
        }
    }
}

/// <https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>
fn verdict(answer: &Answer) -> Verdict {
    match answer.status.as_u16() {
        // A body that is no such message is a server's that knows no partial success.
        200..=299 => {
            accepted(&ExportTraceServiceResponse::decode(answer.body.clone()).unwrap_or_default())
        }
        429 | 502 | 503 | 504 => {
            Verdict::Again { answered: true, after: answer.retry_after, why: answer.why() }
        }
        // The specification says nothing of it; smaller requests are new ones, not a retry.
        413 => Verdict::Split { why: answer.why() },
        _ => Verdict::Dropped { reason: Reason::Refused, why: answer.why() },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::StatusCode;

    use super::*;

    #[test]
    fn only_the_listed_statuses_are_retried() {
        let after = Some(Duration::from_secs(3));
        for code in 200..600u16 {
            let status = StatusCode::from_u16(code).unwrap();
            let verdict = verdict(&Answer { status, retry_after: after, body: Bytes::new() });
            match (code, verdict) {
                (200..300, Verdict::Accepted { rejected: 0, .. }) => {}
                (413, Verdict::Split { .. }) => {}
                (429 | 502 | 503 | 504, Verdict::Again { after: seen, .. }) => {
                    assert_eq!(seen, after);
                }
                (300..600, Verdict::Dropped { reason: Reason::Refused, .. }) => {}
                (code, other) => panic!("{code}: {other:?}"),
            }
        }
    }
}
