//! Requests, errors and durations by service, as OpenTelemetry's HTTP metrics are called in
//! Prometheus: <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/> with the names of
//! <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/>. One scrape
//! tells of many services, so `service.name` is a label.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::registry::Registry;

use super::bound::{Folded, Histograms, Labels, OTHER, histograms};
use super::facts::Facts;

/// What both sides tell of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    service_name: Arc<str>,
    http_request_method: Arc<str>,
    http_response_status_code: Option<i64>,
    error_type: Option<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServerLabels {
    #[prometheus(flatten)]
    request: Request,
    http_route: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClientLabels {
    #[prometheus(flatten)]
    request: Request,
    /// The called service; its address, where that is all that is known.
    peer_service: Arc<str>,
}

impl Request {
    fn of(facts: &Facts) -> Self {
        Self {
            service_name: facts.service.clone(),
            http_request_method: facts.method.clone(),
            http_response_status_code: facts.status,
            error_type: facts.error.clone(),
        }
    }

    /// One of whatever kind to this service.
    fn coarse(service_name: Arc<str>) -> Self {
        Self {
            service_name,
            http_request_method: OTHER.into(),
            http_response_status_code: None,
            error_type: None,
        }
    }
}

impl Labels for ServerLabels {
    fn coarse(&self) -> Self {
        let request = Request::coarse(self.request.service_name.clone());
        Self { request, http_route: OTHER.into() }
    }

    fn other() -> Self {
        Self { request: Request::coarse(OTHER.into()), http_route: OTHER.into() }
    }
}

impl Labels for ClientLabels {
    fn coarse(&self) -> Self {
        let request = Request::coarse(self.request.service_name.clone());
        Self { request, peer_service: OTHER.into() }
    }

    fn other() -> Self {
        Self { request: Request::coarse(OTHER.into()), peer_service: OTHER.into() }
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
        let request = Request::of(facts);
        let histogram = if facts.server {
            let http_route = facts.route.clone();
            self.server.series(ServerLabels { request, http_route }, folded)
        } else {
            let peer_service = facts.peer.as_ref().unwrap_or(&facts.address).clone();
            self.client.series(ClientLabels { request, peer_service }, folded)
        };
        histogram.observe(facts.seconds());
    }
}
