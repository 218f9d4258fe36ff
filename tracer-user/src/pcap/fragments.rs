//! IP packets that come in fragments (RFC 791 section 3.2, RFC 8200 section 4.5).

use std::net::IpAddr;
use std::num::NonZeroUsize;

use etherparse::defrag::IpDefragBuf;
use etherparse::{IpFragOffset, IpNumber};
use lru::LruCache;

use super::counts::{Count, Counts};

/// Packets that may be incomplete at once, each of at most 64 KiB.
const MAX_PACKETS: NonZeroUsize = NonZeroUsize::new(256).unwrap();
/// How long one may be incomplete: RFC 1122 section 3.3.2, RFC 8200 section 4.5.
const PATIENCE: u64 = 60_000_000_000;

/// What the fragments of one packet have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) identification: u32,
    pub(super) protocol: u8,
}

/// One fragment.
pub(super) struct Fragment<'a> {
    pub(super) offset: IpFragOffset,
    /// It is not the last.
    pub(super) more: bool,
    pub(super) bytes: &'a [u8],
}

/// The packets that are incomplete. Where fragments overlap, the later one counts.
pub(super) struct Fragments {
    open: LruCache<Name, (IpDefragBuf, u64)>,
}

impl Fragments {
    pub(super) fn new() -> Self {
        Self { open: LruCache::new(MAX_PACKETS) }
    }

    /// Takes a fragment; the packet's payload, once it is whole.
    pub(super) fn add(
        &mut self,
        name: Name,
        fragment: &Fragment<'_>,
        now: u64,
        counts: &mut Counts,
    ) -> Option<Vec<u8>> {
        if self.open.peek(&name).is_some_and(|(_, since)| now.saturating_sub(*since) > PATIENCE) {
            self.open.pop(&name);
            counts.add(Count::Fragments);
        }
        if !self.open.contains(&name) {
            let fresh = IpDefragBuf::new(IpNumber(name.protocol), vec![], vec![]);
            if self.open.push(name, (fresh, now)).is_some() {
                counts.add(Count::Fragments);
            }
        }
        let (packet, _) = self.open.get_mut(&name)?;
        if packet.add(fragment.offset, fragment.more, fragment.bytes).is_err() {
            counts.add(Count::Fragments);
            self.open.pop(&name);
            return None;
        }
        if !packet.is_complete() {
            return None;
        }
        let (packet, _) = self.open.pop(&name)?;
        Some(packet.take_bufs().0)
    }

    /// No more fragments will come.
    pub(super) fn end(&mut self, counts: &mut Counts) {
        counts.add_many(Count::Fragments, self.open.len() as u64);
        self.open.clear();
    }
}
