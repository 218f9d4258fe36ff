//! Remembers who processes were said to be, so that a replay says the same.

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;

use crate::pipeline::Directory;
use crate::replay::Input;
use crate::trace::Resource;

/// Processes whose last answer is remembered; of one that was forgotten it is written again.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// A directory whose answers are noted when they are new.
#[derive(Debug)]
pub(super) struct Witness<D> {
    directory: D,
    /// What was told last; `None` if nobody listens.
    told: Option<LruCache<u32, Told>>,
    fresh: Vec<Input>,
    nobody: Arc<Resource>,
}

#[derive(Clone, Debug)]
struct Told {
    resource: Arc<Resource>,
    wanted: Option<bool>,
}

impl<D> Witness<D> {
    /// Notes answers if it is `listening`, else only passes them on.
    pub(super) fn new(directory: D, listening: bool) -> Self {
        let nobody = Arc::new(Resource { service: "unknown".into(), attributes: vec![] });
        Self { directory, told: listening.then(|| LruCache::new(CAPACITY)), fresh: vec![], nobody }
    }

    /// The answers since the last call that differed from the one before.
    pub(super) fn take(&mut self) -> Vec<Input> {
        std::mem::take(&mut self.fresh)
    }

    fn note(&mut self, pid: u32, resource: &Arc<Resource>, wanted: Option<Option<bool>>) {
        let Some(told) = &mut self.told else { return };
        let before = told.get(&pid);
        let wanted = wanted.unwrap_or_else(|| before.and_then(|before| before.wanted));
        let same = |before: &Told| {
            before.wanted == wanted
                && (Arc::ptr_eq(&before.resource, resource) || before.resource == *resource)
        };
        if !before.is_some_and(same) {
            told.put(pid, Told { resource: resource.clone(), wanted });
            self.fresh.push(Input::Process { pid, resource: resource.clone(), wanted });
        }
    }
}

impl<D: Directory> Directory for Witness<D> {
    fn resource(&mut self, pid: u32, now: u64) -> Arc<Resource> {
        let resource = self.directory.resource(pid, now);
        self.note(pid, &resource, None);
        resource
    }

    fn meet(&mut self, pid: u32, comm: &str, now: u64) {
        self.directory.meet(pid, comm, now);
    }

    fn takes_over(&mut self, pid: u32, from: u32) {
        self.directory.takes_over(pid, from);
    }

    fn speaks_tls(&mut self, pid: u32) {
        self.directory.speaks_tls(pid);
    }

    fn serves(&mut self, pid: u32, port: u16) {
        self.directory.serves(pid, port);
    }

    fn exec(&mut self, pid: u32, program: &str) {
        self.directory.exec(pid, program);
    }

    fn exit(&mut self, pid: u32, now: u64) {
        self.directory.exit(pid, now);
    }

    fn wanted(&mut self, pid: u32, now: u64) -> Option<bool> {
        let wanted = self.directory.wanted(pid, now);
        // Where nobody is left out there is nothing to tell before a span is finished.
        if self.told.is_some()
            && let Some(chosen) = wanted
        {
            // Nothing comes of a process that is left out, so who it is is nobody's business.
            let resource =
                if chosen { self.directory.resource(pid, now) } else { self.nobody.clone() };
            self.note(pid, &resource, Some(wanted));
        }
        wanted
    }
}
