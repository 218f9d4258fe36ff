//! Span names and routes with a bounded number of distinct ones a service.

use std::collections::HashMap;
use std::sync::Arc;

use crate::protocol::backing::Settings;
use crate::protocol::http_api::Api;
use crate::protocol::route::Routes;

/// Most services whose routes are remembered.
const MAX_SERVICES: usize = 4096;

/// The routes of every service, and which services have names of their own.
#[derive(Default)]
pub struct Namer {
    backing: Settings,
    services: HashMap<Arc<str>, Routes>,
    overflow: Routes,
}

impl Namer {
    /// Knows no routes. `backing`: what is told of backing services.
    #[must_use]
    pub fn new(backing: Settings) -> Self {
        Self { backing, ..Self::default() }
    }

    /// Whether requests for this service are told as such.
    #[must_use]
    pub fn knows(&self, api: Api) -> bool {
        self.backing.protocols & api.bit() != 0
    }

    /// The route of a path in a service that answers it.
    pub fn route(&mut self, service: &Arc<str>, path: &str) -> Arc<str> {
        if self.services.len() >= MAX_SERVICES && !self.services.contains_key(service) {
            return self.overflow.route(path);
        }
        self.services.entry(service.clone()).or_default().route(path)
    }

    /// Paths that got a coarser route because their service has too many, by name.
    #[must_use]
    pub fn losses(&self) -> [(&'static str, u64); 1] {
        let folded = self.services.values().chain([&self.overflow]).map(Routes::folded).sum();
        [("routes_folded", folded)]
    }
}
