//! OTLP by gRPC. <https://opentelemetry.io/docs/specs/otlp/#otlpgrpc>

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use tonic::codec::CompressionEncoding;
use tonic::metadata::{MetadataKey, MetadataMap, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::counters::Reason;
use super::exporters::StartError;
use super::http::AGENT;
use super::sink::{Payload, Sink, Verdict};
use super::target::Target;
use super::{otlp, secure};
use crate::trace::Span;

pub(super) struct OtlpGrpc {
    client: TraceServiceClient<Channel>,
    metadata: MetadataMap,
}

impl OtlpGrpc {
    /// Does not connect yet: the backend may come later.
    pub(super) fn new(target: &Target) -> Result<Self, StartError> {
        let failed = |error: tonic::transport::Error| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            StartError::Client(source.unwrap_or_else(|| error.to_string()))
        };
        let mut endpoint = Endpoint::from_shared(target.endpoint.clone())
            .and_then(|endpoint| endpoint.user_agent(AGENT))
            .map_err(failed)?
            .connect_timeout(target.timeout)
            // Finds out that a peer vanished (a pulled cable, a dropped NAT entry) while idle.
            .http2_keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10));
        if target.endpoint.starts_with("https:") {
            let pems = secure::read(&target.tls)?;
            let mut tls = match pems.ca {
                Some(ca) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca)),
                None => ClientTlsConfig::new().with_native_roots(),
            };
            if let Some((cert, key)) = pems.identity {
                tls = tls.identity(Identity::from_pem(cert, key));
            }
            endpoint = endpoint.tls_config(tls).map_err(failed)?;
        }
        let mut client = TraceServiceClient::new(endpoint.connect_lazy());
        if target.gzip {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        Ok(OtlpGrpc { client, metadata: metadata(&target.headers)? })
    }
}

/// Metadata keys are lower-case; as headers of HTTP they may have been written otherwise.
fn metadata(headers: &[(String, String)]) -> Result<MetadataMap, StartError> {
    let mut metadata = MetadataMap::new();
    for (name, value) in headers {
        let bad = || StartError::Header(name.clone());
        let key = MetadataKey::from_bytes(name.to_lowercase().as_bytes()).map_err(|_| bad())?;
        let mut value: MetadataValue<_> = value.parse().map_err(|_| bad())?;
        value.set_sensitive(true);
        metadata.insert(key, value);
    }
    Ok(metadata)
}

impl Sink for OtlpGrpc {
    type Body = ExportTraceServiceRequest;

    fn encode(&self, spans: &[Arc<Span>]) -> Payload<Self::Body> {
        Payload { body: otlp::request(spans), invalid: 0 }
    }

    async fn deliver(&mut self, body: &Self::Body) -> Verdict {
        let mut request = Request::new(body.clone());
        *request.metadata_mut() = self.metadata.clone();
        match self.client.export(request).await {
            Ok(response) => accepted(response.get_ref()),
            Err(status) => refused(&status),
        }
    }
}

/// A success, if only in part. <https://opentelemetry.io/docs/specs/otlp/#partial-success>
pub(super) fn accepted(response: &ExportTraceServiceResponse) -> Verdict {
    let partial = response.partial_success.as_ref();
    Verdict::Accepted {
        rejected: partial.map_or(0, |p| u64::try_from(p.rejected_spans).unwrap_or(0)),
        why: partial.map(|p| p.error_message.clone()).filter(|message| !message.is_empty()),
    }
}

/// Which codes may be tried again is in <https://opentelemetry.io/docs/specs/otlp/#failures>.
fn refused(status: &Status) -> Verdict {
    let why = format!("gRPC {:?}: {}", status.code(), status.message());
    let after = status.get_details_retry_info().and_then(|info| info.retry_delay);
    // With a source, it is this side's own error: the connection's.
    let answered = std::error::Error::source(status).is_none();
    // Go's and Rust's servers call a message that is over their limit so; by code alone one
    // would be dropped and the other sent again for ever.
    let text = status.message();
    if answered
        && (text.contains("message larger than max") || text.contains("message length too large"))
    {
        return Verdict::Split { why };
    }
    match status.code() {
        _ if !answered => Verdict::Again { answered, after, why },
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Verdict::Again { answered, after, why },
        Code::ResourceExhausted if after.is_some() => Verdict::Again { answered, after, why },
        _ => Verdict::Dropped { reason: Reason::Refused, why },
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    fn is_retried(status: &Status) -> bool {
        matches!(refused(status), Verdict::Again { answered: true, .. })
    }

    #[test]
    fn only_the_listed_codes_are_retried() {
        let retried: Vec<_> = (1..=16)
            .map(Code::from_i32)
            .filter(|code| is_retried(&Status::new(*code, "x")))
            .map(|code| code as i32)
            .collect();
        assert_eq!(retried, [1, 4, 10, 11, 14, 15]);
    }

    #[test]
    fn exhausted_is_retried_when_the_server_says_when() {
        let delay = Duration::from_secs(7);
        let details = ErrorDetails::with_retry_info(Some(delay));
        let status = Status::with_error_details(Code::ResourceExhausted, "busy", details);
        let Verdict::Again { after, .. } = refused(&status) else { panic!("{status:?}") };
        assert_eq!(after, Some(delay));
        let large = "grpc: received message larger than max (5 vs. 4)";
        let status = Status::new(Code::ResourceExhausted, large);
        assert!(matches!(refused(&status), Verdict::Split { .. }));
    }

    #[test]
    fn bad_headers_are_named() {
        let bad = metadata(&[("bad name".into(), "x".into())]).unwrap_err();
        assert!(bad.to_string().contains("bad name"));
        assert!(metadata(&[("Authorization".into(), "Bearer x".into())]).is_ok());
    }
}
