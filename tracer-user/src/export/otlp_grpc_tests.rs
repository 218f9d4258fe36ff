//! Against tonic's own server.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use tokio::task::JoinHandle;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Response, async_trait};
use tonic_types::ErrorDetails;

use super::super::testing::{Certificates, settings, spans, until};
use super::*;
use crate::export::{Exporters, Settings, Summary, weighed};

type Answer = Result<u64, Status>;

/// Answers in turn as told, a number being that of rejected spans, then accepts all.
#[derive(Clone)]
struct Collector {
    answers: Arc<Mutex<Vec<Answer>>>,
    received: Arc<Mutex<Vec<(MetadataMap, usize)>>>,
}

#[async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let metadata = request.metadata().clone();
        let groups = request.into_inner().resource_spans;
        let count = groups.iter().flat_map(|g| &g.scope_spans).map(|s| s.spans.len()).sum();
        self.received.lock().unwrap().push((metadata, count));
        let mut answers = self.answers.lock().unwrap();
        let rejected = if answers.is_empty() { 0 } else { answers.remove(0)? };
        let partial = ExportTracePartialSuccess {
            rejected_spans: i64::try_from(rejected).unwrap(),
            error_message: if rejected > 0 { "too old".into() } else { String::new() },
        };
        Ok(Response::new(ExportTraceServiceResponse { partial_success: Some(partial) }))
    }
}

struct Running {
    collector: Collector,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Running {
    fn start(answers: Vec<Answer>, largest: usize, tls: Option<ServerTlsConfig>) -> Self {
        let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = incoming.local_addr().unwrap();
        let collector =
            Collector { answers: Arc::new(Mutex::new(answers)), received: Arc::default() };
        let service = TraceServiceServer::new(collector.clone())
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(largest);
        let mut server = Server::builder();
        if let Some(tls) = tls {
            server = server.tls_config(tls).unwrap();
        }
        let serving = server.add_service(service).serve_with_incoming(incoming);
        let server = tokio::spawn(async move { serving.await.unwrap() });
        Running { collector, address, server }
    }

    fn target(&self, scheme: &str) -> Target {
        format!("otlp={scheme}://{}", self.address).parse().unwrap()
    }

    async fn export(&self, settings: &Settings, count: u64) -> Summary {
        let mut target = self.target("http");
        target.headers.push(("Api-Key".into(), "secret".into()));
        let exporters = Exporters::start(&[target], settings).unwrap();
        exporters.send(&weighed(spans(count)));
        exporters.shutdown(Duration::from_secs(30)).await.remove(0)
    }

    fn batches(&self) -> Vec<usize> {
        self.collector.received.lock().unwrap().iter().map(|(_, count)| *count).collect()
    }
}

#[tokio::test]
async fn packed_batches_with_metadata() {
    let running = Running::start(vec![], usize::MAX, None);
    let summary = running.export(&Settings { batch_spans: 4, ..settings() }, 10).await;
    assert_eq!((summary.exported, summary.dropped(), summary.last_error), (10, 0, None));
    assert_eq!(running.batches(), [4, 4, 2]);
    let (metadata, _) = running.collector.received.lock().unwrap()[0].clone();
    assert_eq!(metadata.get("api-key").unwrap(), "secret");
    assert_eq!(metadata.get("grpc-encoding").unwrap(), "gzip");
    let accepted = metadata.get("grpc-accept-encoding").unwrap().to_str().unwrap();
    assert!(accepted.split(',').any(|encoding| encoding == "gzip"), "{accepted}");
}

#[tokio::test]
async fn retries_what_may_be_retried() {
    let details = ErrorDetails::with_retry_info(Some(Duration::from_millis(3)));
    let busy = Status::with_error_details(Code::ResourceExhausted, "busy", details);
    let running = Running::start(vec![Err(Status::unavailable("x")), Err(busy)], usize::MAX, None);
    let summary = running.export(&settings(), 3).await;
    assert_eq!((summary.exported, summary.dropped()), (3, 0));
    assert_eq!(running.batches(), [3, 3, 3]);
}

#[tokio::test]
async fn counts_what_was_refused_or_rejected() {
    let answers = vec![Err(Status::resource_exhausted("quota")), Ok(2)];
    let running = Running::start(answers, usize::MAX, None);
    let summary = running.export(&Settings { batch_spans: 4, ..settings() }, 8).await;
    assert_eq!(summary.exported, 2);
    assert_eq!(
        summary.dropped_by_reason,
        [("refused by the backend", 4), ("rejected in part by the backend", 2)]
    );
    assert_eq!(running.batches(), [4, 4]);
}

#[tokio::test]
async fn splits_what_the_server_finds_too_large() {
    let one = prost::Message::encoded_len(&otlp::request(&spans(1)));
    let running = Running::start(vec![], one * 3, None);
    let summary = running.export(&settings(), 16).await;
    assert_eq!((summary.exported, summary.dropped()), (16, 0), "{summary:?}");
    assert!(running.batches().len() > 2, "{:?}", running.batches());
}

#[tokio::test]
async fn waits_for_a_collector_that_comes_late() {
    let address = Running::start(vec![], usize::MAX, None).address;
    until("the port is closed", || std::net::TcpStream::connect(address).is_err()).await;
    let target: Target = format!("otlp=http://{address}").parse().unwrap();
    let exporters = Exporters::start(&[target], &settings()).unwrap();
    exporters.send(&weighed(spans(3)));
    until("an attempt has failed", || exporters.summaries()[0].last_error.is_some()).await;
    assert_eq!(exporters.summaries()[0].waiting, 3);

    let incoming = TcpIncoming::bind(address).unwrap();
    let collector = Collector { answers: Arc::default(), received: Arc::default() };
    let service = TraceServiceServer::new(collector).accept_compressed(CompressionEncoding::Gzip);
    let serving = Server::builder().add_service(service).serve_with_incoming(incoming);
    let server = tokio::spawn(serving);
    until("all have come", || exporters.summaries()[0].exported == 3).await;
    server.abort();
}

/// Passes bytes on, but for the first connection's after it was told to freeze.
async fn relay(to: SocketAddr, frozen: tokio::sync::watch::Receiver<bool>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut frozen = frozen.clone();
            tokio::spawn(async move {
                let mut far = tokio::net::TcpStream::connect(to).await.unwrap();
                let copy = tokio::io::copy_bidirectional(&mut near, &mut far);
                let dead = tokio::select! {
                    _ = copy => false,
                    dead = frozen.wait_for(|frozen| *frozen), if number == 0 => dead.is_ok(),
                };
                if dead {
                    // Open, but nothing goes through.
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_peer_that_vanished_is_found_out() {
    let running = Running::start(vec![], usize::MAX, None);
    let freeze = tokio::sync::watch::Sender::new(false);
    let address = relay(running.address, freeze.subscribe()).await;
    let mut target: Target = format!("otlp=http://{address}").parse().unwrap();
    target.timeout = Duration::from_millis(500);
    let exporters = Exporters::start(&[target], &settings()).unwrap();
    exporters.send(&weighed(spans(3)));
    until("the connection works", || exporters.summaries()[0].exported == 3).await;
    freeze.send_replace(true);
    exporters.send(&weighed(spans(4)));
    until("another connection is made", || exporters.summaries()[0].exported == 7).await;
    assert_eq!(running.batches(), [3, 4]);
}

#[tokio::test]
async fn tls_with_a_private_ca_and_a_client_certificate() {
    let certificates = Certificates::new();
    let (cert, key) = &certificates.server;
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(cert, key))
        .client_ca_root(Certificate::from_pem(&certificates.ca));
    let running = Running::start(vec![], usize::MAX, Some(tls));
    let mut target = running.target("https");
    let strangers = Exporters::start(&[target.clone()], &settings()).unwrap();
    strangers.send(&weighed(spans(3)));
    until("an attempt has failed", || strangers.summaries()[0].last_error.is_some()).await;
    let summary = strangers.shutdown(Duration::from_millis(50)).await.remove(0);
    assert_eq!((summary.exported, summary.dropped()), (0, 3));

    target.tls = certificates.tls.clone();
    let exporters = Exporters::start(&[target], &settings()).unwrap();
    exporters.send(&weighed(spans(3)));
    let summary = exporters.shutdown(Duration::from_secs(30)).await.remove(0);
    assert_eq!(summary.exported, 3, "{summary:?}");
    assert_eq!(running.batches(), [3]);
}

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
