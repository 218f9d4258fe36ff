//! Requests, errors and durations by service, as OpenTelemetry's HTTP metrics are called in
//! Prometheus: <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/> with the names of
//! <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/>. One scrape
//! tells of many services, so `service.name` is a label.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::registry::Registry;

use super::bound::{Folded, Histograms, Labels, OTHER, histograms};
use super::facts::Facts;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServerLabels {
    service_name: Arc<str>,
    http_request_method: Arc<str>,
    http_route: Arc<str>,
    http_response_status_code: Option<i64>,
    error_type: Option<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClientLabels {
    service_name: Arc<str>,
    http_request_method: Arc<str>,
    /// The called service; its address, where that is all that is known.
    peer_service: Arc<str>,
    http_response_status_code: Option<i64>,
    error_type: Option<Arc<str>>,
}

impl Labels for ServerLabels {
    fn coarse(&self) -> Self {
        Self { service_name: self.service_name.clone(), ..Self::other() }
    }

    fn other() -> Self {
        Self {
            service_name: OTHER.into(),
            http_request_method: OTHER.into(),
            http_route: OTHER.into(),
            http_response_status_code: None,
            error_type: None,
        }
    }
}

impl Labels for ClientLabels {
    fn coarse(&self) -> Self {
        Self { service_name: self.service_name.clone(), ..Self::other() }
    }

    fn other() -> Self {
        Self {
            service_name: OTHER.into(),
            http_request_method: OTHER.into(),
            peer_service: OTHER.into(),
            http_response_status_code: None,
            error_type: None,
        }
    }
}

/// Both sides of requests.
pub(super) struct Red {
    server: Histograms<ServerLabels>,
    client: Histograms<ClientLabels>,
}

impl Red {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let red = Self { server: histograms(), client: histograms() };
        registry.register(
            "http_server_request_duration_seconds",
            "Duration of requests as the answering service saw them",
            red.server.family(),
        );
        registry.register(
            "http_client_request_duration_seconds",
            "Duration of requests as the calling service saw them",
            red.client.family(),
        );
        red
    }

    pub(super) fn observe(&self, facts: &Facts, folded: &Folded) {
        let Facts { service, method, status, error, .. } = facts;
        if facts.server {
            let labels = ServerLabels {
                service_name: service.clone(),
                http_request_method: method.clone(),
                http_route: facts.route.clone(),
                http_response_status_code: *status,
                error_type: error.clone(),
            };
            self.server.series(labels, folded).observe(facts.seconds());
        } else {
            let labels = ClientLabels {
                service_name: service.clone(),
                http_request_method: method.clone(),
                peer_service: facts.peer.as_ref().unwrap_or(&facts.address).clone(),
                http_response_status_code: *status,
                error_type: error.clone(),
            };
            self.client.series(labels, folded).observe(facts.seconds());
        }
    }
}
