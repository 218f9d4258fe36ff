//! The services of a capture: one a server address and port.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;

use crate::exchange::mix;
use crate::replay::Input;
use crate::trace::Resource;

use super::segment::End;

/// Most servers of a capture.
const MAX_SERVERS: usize = 65_536;
/// Connections whose sequence numbers are remembered.
const MAX_BASES: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

/// Gives out processes, cookies, and sequence numbers to tell connections by.
pub(super) struct Servers {
    pids: HashMap<End, u32>,
    cookies: u64,
    bases: LruCache<(u32, u32), ()>,
}

impl Servers {
    pub(super) fn new() -> Self {
        Self { pids: HashMap::new(), cookies: 0, bases: LruCache::new(MAX_BASES) }
    }

    /// The process of a server, with who it is if that was not told yet; `None` if there are too
    /// many.
    pub(super) fn process(&mut self, end: End) -> Option<(u32, Option<Input>)> {
        if let Some(pid) = self.pids.get(&end) {
            return Some((*pid, None));
        }
        if self.pids.len() >= MAX_SERVERS {
            return None;
        }
        let pid = self.pids.len() as u32 + 1;
        self.pids.insert(end, pid);
        let service: Arc<str> = SocketAddr::from(end).to_string().into();
        let resource = Arc::new(Resource { service, attributes: vec![] });
        Some((pid, Some(Input::Process { pid, resource, wanted: None })))
    }

    /// A cookie that no other connection has.
    pub(super) fn cookie(&mut self) -> u64 {
        self.cookies += 1;
        self.cookies
    }

    /// The sequence numbers that name a connection, the client's first: its own, unless another
    /// one has them, which only happens where they were made up. Spans' ids follow from them.
    pub(super) fn bases(&mut self, client: u32, server: u32) -> (u32, u32) {
        let mut bases = (client, server);
        while self.bases.contains(&bases) {
            let other = mix(u64::from(bases.0) << 32 | u64::from(bases.1));
            bases = ((other >> 32) as u32, other as u32);
        }
        self.bases.put(bases, ());
        bases
    }
}
