//! Who calls whom, under the names that Tempo's metrics generator and the OpenTelemetry Collector's
//! servicegraph connector use, so that their dashboards fit:
//! <https://grafana.com/docs/tempo/latest/metrics-from-traces/service_graphs/>.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::registry::Registry;

use super::bound::{Counters, Folded, Histograms, Labels, OTHER, counters, histograms};
use super::facts::{Facts, OUTSIDE};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Edge {
    client: Arc<str>,
    server: Arc<str>,
    /// `virtual_node` where one end is not traced; else empty.
    connection_type: &'static str,
}

impl Labels for Edge {
    fn coarse(&self) -> Self {
        Self { client: self.client.clone(), ..Self::other() }
    }

    fn other() -> Self {
        Self { client: OTHER.into(), server: OTHER.into(), connection_type: "" }
    }
}

/// The graph's edges.
pub(super) struct Graph {
    total: Counters<Edge>,
    failed: Counters<Edge>,
    server: Histograms<Edge>,
    client: Histograms<Edge>,
}

impl Graph {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let graph = Self {
            total: counters(),
            failed: counters(),
            server: histograms(),
            client: histograms(),
        };
        // The encoder adds `_total`.
        let name = |name| format!("traces_service_graph_request{name}");
        registry.register(name(""), "Requests between two nodes", graph.total.family());
        registry.register(name("_failed"), "Those that failed", graph.failed.family());
        registry.register(
            name("_server_seconds"),
            "Their duration as the server saw them",
            graph.server.family(),
        );
        registry.register(
            name("_client_seconds"),
            "Their duration as the client saw them",
            graph.client.family(),
        );
        graph
    }

    /// A request between two traced services is counted by its client's span; what comes from
    /// outside has only the server's.
    pub(super) fn observe(&self, facts: &Facts, folded: &Folded) {
        let service = facts.service.clone();
        let connection_type = if facts.peer.is_some() { "" } else { "virtual_node" };
        let edge = if facts.server {
            let client = facts.peer.clone().unwrap_or_else(|| OUTSIDE.into());
            Edge { client, server: service, connection_type }
        } else {
            let server = facts.peer.as_ref().unwrap_or(&facts.address).clone();
            Edge { client: service, server, connection_type }
        };
        if !facts.server || facts.peer.is_none() {
            self.total.series(edge.clone(), folded).inc();
            if facts.failed {
                self.failed.series(edge.clone(), folded).inc();
            }
        }
        let family = if facts.server { &self.server } else { &self.client };
        family.series(edge, folded).observe(facts.seconds());
    }
}
