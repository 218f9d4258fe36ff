//! What readers see: the blocks that are on the disk, and the spans that are in none yet.

use std::sync::{Arc, PoisonError, RwLock};

use super::segment::Segment;
use crate::trace::Span;

/// A block on the disk, with as much of its head as tells whether to look at it.
#[derive(Clone)]
pub(super) struct BlockRef {
    pub(super) segment: Arc<Segment>,
    pub(super) number: u64,
    pub(super) spans: u32,
    /// When its first span starts, and its last.
    pub(super) first: u64,
    pub(super) last: u64,
}

/// All of it at one moment.
#[derive(Clone, Default)]
pub(super) struct View {
    /// In the order in which they came.
    pub(super) blocks: Arc<Vec<BlockRef>>,
    /// The same; every span is in a block or here, never in both.
    pub(super) open: Arc<Vec<Arc<Span>>>,
}

/// The present view.
#[derive(Default)]
pub(super) struct State(RwLock<View>);

impl State {
    pub(super) fn view(&self) -> View {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes it for all who look from now on.
    pub(super) fn change(&self, change: impl FnOnce(&mut Vec<BlockRef>, &mut Vec<Arc<Span>>)) {
        let mut view = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let View { blocks, open } = &mut *view;
        change(Arc::make_mut(blocks), Arc::make_mut(open));
    }
}
