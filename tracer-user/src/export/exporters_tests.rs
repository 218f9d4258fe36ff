//! Exporters against backends on loopback.

use std::time::Instant as Clock;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;

use super::super::testing::{Backend, Certificates, Reply, settings, spans, until};
use super::*;
use crate::export::weigh;

const LONG: Duration = Duration::from_secs(30);

fn target(text: &str) -> Target {
    text.parse().unwrap()
}

fn zipkin(backend: &Backend) -> Target {
    target(&format!("zipkin=http://{}", backend.address))
}

fn otlp_http(backend: &Backend) -> Target {
    target(&format!("otlp-http=http://{}", backend.address))
}

/// Sends so many spans to one target and shuts down.
async fn export(target: Target, settings: &Settings, count: u64) -> Summary {
    let exporters = Exporters::start(&[target], settings).unwrap();
    exporters.send(&weighed(spans(count)));
    exporters.shutdown(LONG).await.remove(0)
}

#[tokio::test]
async fn zipkin_gets_packed_batches() {
    let backend = Backend::start(|_, _| Reply::new(202, "")).await;
    let mut target = zipkin(&backend);
    target.headers.push(("X-Key".into(), "secret".into()));
    let summary = export(target, &Settings { batch_spans: 4, ..settings() }, 10).await;
    assert_eq!((summary.exported, summary.dropped(), summary.waiting), (10, 0, 0));
    assert_eq!(summary.last_error, None);
    assert_eq!(backend.batches(), [4, 4, 2]);
    for request in backend.received() {
        assert_eq!(request.path, "/api/v2/spans");
        assert_eq!(request.headers["content-type"], "application/json");
        assert_eq!(request.headers["content-encoding"], "gzip");
        assert_eq!(request.headers["x-key"], "secret");
        assert_eq!(request.headers["user-agent"], super::super::http::AGENT);
    }
}

#[tokio::test]
async fn batches_are_bounded_by_bytes_and_sent_when_they_are_old() {
    let backend = Backend::start(|_, _| Reply::new(202, "")).await;
    let weight = weigh(&spans(1)[0]);
    let settings = Settings { batch_bytes: 3 * weight, ..settings() };
    let exporters = Exporters::start(&[zipkin(&backend)], &settings).unwrap();
    exporters.send(&weighed(spans(7)));
    until("all are sent by age alone", || exporters.summaries()[0].exported == 7).await;
    assert_eq!(backend.batches(), [3, 3, 1]);
}

#[tokio::test]
async fn zipkin_splits_what_is_too_large() {
    for (status, text) in [(413, ""), (500, "413 Request Entity Too Large")] {
        let backend = Backend::start(move |_, request| match request.zipkin_spans() {
            // Span 5 is too large even alone.
            n if n > 3 || request.body.windows(18).any(|w| w == b"\"0000000000000005\"") => {
                Reply::new(status, text)
            }
            _ => Reply::new(202, ""),
        })
        .await;
        let summary = export(zipkin(&backend), &settings(), 8).await;
        assert_eq!(summary.exported, 7, "{status}");
        assert_eq!(summary.dropped_by_reason, [("too large for the backend", 1)]);
    }
}

#[tokio::test]
async fn zipkin_retries_5xx_and_drops_other_4xx() {
    let backend = Backend::start(|n, _| match n {
        0 => Reply::new(500, "storage is away"),
        1 => Reply::new(503, ""),
        _ => Reply::new(202, ""),
    })
    .await;
    let summary = export(zipkin(&backend), &settings(), 3).await;
    assert_eq!((summary.exported, summary.dropped()), (3, 0));
    assert_eq!(backend.batches(), [3, 3, 3]);

    let backend = Backend::start(|_, _| Reply::new(400, "Expected an id")).await;
    let summary = export(zipkin(&backend), &settings(), 3).await;
    assert_eq!(summary.dropped_by_reason, [("refused by the backend", 3)]);
    assert_eq!(summary.last_error.as_deref(), Some("HTTP 400 Bad Request Expected an id"));
    assert_eq!(backend.batches(), [3]);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let backend = Backend::start(|_, _| Reply::new(301, "").with("location", "/elsewhere")).await;
    let summary = export(otlp_http(&backend), &settings(), 3).await;
    assert_eq!(summary.dropped_by_reason, [("refused by the backend", 3)]);
    assert_eq!(backend.received().len(), 1);
}

#[tokio::test]
async fn otlp_http_waits_as_it_is_told() {
    let backend = Backend::start(|n, _| match n {
        0 => Reply::new(429, "").with("retry-after", "1"),
        _ => Reply::new(200, ""),
    })
    .await;
    let exporters = Exporters::start(&[otlp_http(&backend)], &settings()).unwrap();
    exporters.send(&weighed(spans(3)));
    until("exported", || exporters.summaries()[0].exported == 3).await;
    let received = backend.received();
    assert_eq!(received.len(), 2);
    assert!(received[1].at - received[0].at >= Duration::from_secs(1));
    assert_eq!(received[1].path, "/v1/traces");
    assert_eq!(received[1].headers["content-type"], "application/x-protobuf");
    let read = ExportTraceServiceRequest::decode(received[1].body.as_slice()).unwrap();
    assert_eq!(read.resource_spans[0].scope_spans[0].spans.len(), 3);
}

#[tokio::test]
async fn otlp_http_counts_what_was_rejected_in_part() {
    let partial = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 2,
            error_message: "too old".into(),
        }),
    };
    let answer = partial.encode_to_vec();
    let backend = Backend::start(move |_, _| Reply::new(200, answer.clone())).await;
    let summary = export(otlp_http(&backend), &settings(), 5).await;
    assert_eq!(summary.exported, 3);
    assert_eq!(summary.dropped_by_reason, [("rejected in part by the backend", 2)]);
    assert_eq!(summary.last_error.as_deref(), Some("too old"));
}

#[tokio::test]
async fn uncompressed_if_wanted() {
    let backend = Backend::start(|_, _| Reply::new(200, "")).await;
    let mut target = otlp_http(&backend);
    target.gzip = false;
    assert_eq!(export(target, &settings(), 2).await.exported, 2);
    assert!(!backend.received()[0].headers.contains_key("content-encoding"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_can_wait_loses_nothing_to_a_slow_backend() {
    let backend = Backend::start(|_, _| Reply::new(202, "")).await;
    let settings = Settings { queue_spans: 8, batch_spans: 4, ..settings() };
    let exporters = Exporters::start(&[zipkin(&backend)], &settings).unwrap();
    tokio::task::block_in_place(|| {
        exporters.send_patiently(&spans(200), LONG);
        exporters.drain(LONG);
    });
    let summary = exporters.shutdown(LONG).await.remove(0);
    assert_eq!((summary.exported, summary.dropped()), (200, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_can_wait_does_not_wait_for_a_dead_backend_for_ever() {
    // It lets connect and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = target(&format!("zipkin=http://{}", silent.local_addr().unwrap()));
    let settings = Settings { queue_spans: 8, batch_spans: 4, ..settings() };
    let exporters = Exporters::start(&[dead], &settings).unwrap();
    let patience = Duration::from_millis(50);
    tokio::task::block_in_place(|| {
        exporters.send_patiently(&spans(200), patience);
        exporters.drain(patience);
    });
    let summary = exporters.shutdown(Duration::from_millis(50)).await.remove(0);
    assert_eq!((summary.exported, summary.dropped()), (0, 200));
}

#[tokio::test]
async fn a_backend_that_was_away_misses_only_what_exceeded_the_queue() {
    // A port that was free a moment ago: nobody listens there.
    let address = Backend::start(|_, _| Reply::new(202, "")).await.address;
    let refused = || std::net::TcpStream::connect(address).is_err();
    until("the port is closed", refused).await;

    let settings = Settings { queue_spans: 100, batch_spans: 10, ..settings() };
    let exporters =
        Exporters::start(&[target(&format!("zipkin=http://{address}"))], &settings).unwrap();
    exporters.send(&weighed(spans(250)));
    assert_eq!(exporters.summaries()[0].dropped_by_reason, [("queue full", 150)]);
    // One batch is out of the queue and being retried, so there is room for as many.
    until("an attempt has failed", || exporters.summaries()[0].last_error.is_some()).await;
    exporters.send(&weighed(spans(50)));
    let away = exporters.summaries().remove(0);
    assert_eq!((away.exported, away.waiting), (0, 110));
    assert_eq!(away.dropped_by_reason, [("queue full", 190)]);

    let backend = Backend::start_at(address, |_, _| Reply::new(202, "")).await;
    until("the rest has come", || exporters.summaries()[0].exported == 110).await;
    let summary = exporters.shutdown(LONG).await.remove(0);
    assert_eq!(summary.dropped_by_reason, [("queue full", 190)]);
    assert_eq!(backend.batches().iter().sum::<usize>(), 110);
}

#[tokio::test]
async fn one_that_hangs_delays_neither_the_others_nor_the_end() {
    // Connections are made, by the kernel, but nobody ever answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let good = Backend::start(|_, _| Reply::new(202, "")).await;
    let hung = format!("zipkin=http://{}", silent.local_addr().unwrap());
    let hung_grpc = format!("otlp=http://{}", silent.local_addr().unwrap());
    let settings = Settings { batch_spans: 5, ..settings() };
    let targets = [target(&hung), zipkin(&good), target(&hung_grpc)];
    let exporters = Exporters::start(&targets, &settings).unwrap();
    for _ in 0..10 {
        exporters.send(&weighed(spans(10)));
    }
    until("the good one has all", || exporters.summaries()[1].exported == 100).await;
    assert_eq!(exporters.summaries()[0].waiting, 100);

    let start = Clock::now();
    let summaries = exporters.shutdown(Duration::from_millis(100)).await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    for (summary, unsent) in summaries.iter().zip([100, 0, 100]) {
        assert_eq!((summary.dropped(), summary.waiting), (unsent, 0), "{summary:?}");
    }
    assert_eq!(summaries[0].dropped_by_reason, [("unsent when the tracer stopped", 100)]);
}

#[tokio::test]
async fn tls_with_a_private_ca_and_a_client_certificate() {
    let certificates = Certificates::new();
    let config = certificates.server_config();
    let backend = Backend::start_tls(config, |_, _| Reply::new(202, "")).await;
    let mut target = target(&format!("zipkin=https://{}", backend.address));
    target.tls = certificates.tls.clone();
    assert_eq!(export(target.clone(), &settings(), 3).await.exported, 3);

    // Without the CA, or without the client's own certificate, nothing gets through.
    for part in [&mut target.tls.ca, &mut target.tls.cert] {
        *part = None;
    }
    let half = Exporters::start(&[target.clone()], &settings()).err().unwrap();
    assert!(half.to_string().contains("only the key"), "{half}");
    target.tls.key = None;
    let exporters = Exporters::start(&[target], &settings()).unwrap();
    exporters.send(&weighed(spans(3)));
    until("an attempt has failed", || exporters.summaries()[0].last_error.is_some()).await;
    let summary = exporters.shutdown(Duration::from_millis(50)).await.remove(0);
    assert_eq!((summary.exported, summary.dropped()), (0, 3));
    assert!(summary.last_error.as_ref().unwrap().contains("certificate"), "{summary:?}");
    assert_eq!(backend.batches(), [3]);
}

#[tokio::test]
async fn what_cannot_work_is_said_at_the_start() {
    let mut bad_header = target("zipkin=http://127.0.0.1:1");
    bad_header.headers.push(("a b".into(), "x".into()));
    let mut no_ca = target("otlp=https://127.0.0.1:1");
    no_ca.tls.ca = Some("/nonexistent/ca.pem".into());
    for (target, hint) in [
        (bad_header, "header `a b`"),
        (no_ca, "/nonexistent/ca.pem"),
        (target("file=/nonexistent/spans.json"), "cannot write to /nonexistent/spans.json"),
    ] {
        let error = Exporters::start(std::slice::from_ref(&target), &settings()).err().unwrap();
        assert_eq!(error.target, target.name());
        assert!(error.to_string().contains(hint), "{error}");
    }
}
