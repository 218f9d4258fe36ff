//! Processes as the input tells of them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::{Filter, Verdict};
use crate::pipeline::Directory;
use crate::trace::Resource;

/// Answers what it was told.
pub struct Told {
    known: HashMap<u32, (Arc<Resource>, Option<bool>)>,
    unknown: Arc<Resource>,
    filter: Filter,
}

impl Told {
    /// Nothing is known yet. Of `filter` only what it says of services counts.
    #[must_use]
    pub fn new(filter: Filter) -> Self {
        let unknown = Arc::new(Resource { service: "unknown".into(), attributes: vec![] });
        Self { known: HashMap::new(), unknown, filter }
    }

    /// From now on the process is known as this.
    pub fn tell(&mut self, pid: u32, resource: Arc<Resource>, wanted: Option<bool>) {
        self.known.insert(pid, (resource, wanted));
    }
}

impl Directory for Told {
    fn resource(&mut self, pid: u32, _: u64) -> Arc<Resource> {
        self.known.get(&pid).map_or(&self.unknown, |(resource, _)| resource).clone()
    }

    // The input tells of these itself, where they change who a process is.
    fn meet(&mut self, _: u32, _: &str, _: u64) {}
    fn takes_over(&mut self, _: u32, _: u32) {}
    fn speaks_tls(&mut self, _: u32) {}
    fn serves(&mut self, _: u32, _: u16) {}
    fn exec(&mut self, _: u32, _: &str) {}
    fn exit(&mut self, _: u32, _: u64) {}

    fn wanted(&mut self, pid: u32, now: u64) -> Option<bool> {
        let told = self.known.get(&pid).and_then(|(_, wanted)| *wanted);
        if !self.filter.judges_services() {
            return told;
        }
        let service = self.resource(pid, now).service.clone();
        let chosen = self.filter.service(&service) == Verdict::Trace;
        Some(chosen && told.unwrap_or(true))
    }
}
