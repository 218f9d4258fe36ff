//! OTLP by gRPC. <https://opentelemetry.io/docs/specs/otlp/#otlpgrpc>

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use tonic::codec::CompressionEncoding;
use tonic::metadata::{MetadataKey, MetadataMap, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::counters::Reason;
use super::exporters::Problem;
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
    pub(super) fn new(target: &Target) -> Result<Self, Problem> {
        let failed = |error: tonic::transport::Error| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            Problem::Client(source.unwrap_or_else(|| error.to_string()))
        };
        let mut endpoint = Endpoint::from_shared(target.endpoint.clone())
            .and_then(|endpoint| endpoint.user_agent(AGENT))
            .map_err(failed)?
            .connect_timeout(target.timeout)
            // A peer may vanish without a word (a pulled cable, a forgotten NAT entry); a request
            // that gets no answer then finds it out, rather than each one after it timing out
            // too. There are no pings while idle: Go's servers close connections for those.
            .http2_keep_alive_interval(target.timeout.mul_f64(0.4))
            .keep_alive_timeout(target.timeout.mul_f64(0.4));
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
            // Go's servers answer in the encoding they were asked in: without the second call a
            // batch that was taken would seem refused.
            client = client
                .send_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Gzip);
        }
        Ok(OtlpGrpc { client, metadata: metadata(&target.headers)? })
    }
}

/// Metadata keys are lower-case; as headers of HTTP they may have been written otherwise.
fn metadata(headers: &[(String, String)]) -> Result<MetadataMap, Problem> {
    let mut metadata = MetadataMap::new();
    for (name, value) in headers {
        let bad = || Problem::Header(name.clone());
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
    if answered && too_large(status.message()) {
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

/// What servers say of a message over their limit. By the code alone some would be dropped
/// (Go's, `RESOURCE_EXHAUSTED`) and others sent again for ever (Rust's, `OUT_OF_RANGE`).
fn too_large(message: &str) -> bool {
    const SIGNS: [&str; 4] = [
        // grpc-go, also of the decompressed message
        "larger than max",
        // grpc-java
        "exceeds maximum size",
        // tonic, plain and compressed
        "message length too large",
        "exceeded while decompressing",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
}

#[cfg(test)]
#[path = "otlp_grpc_tests.rs"]
mod tests;
