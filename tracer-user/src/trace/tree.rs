//! Trees that grow together: every exchange starts as a tree of its own, and each edge joins two.

use std::cell::RefCell;
use std::rc::Rc;

use crate::exchange::{ExchangeId, PairKey, Reasons};
use crate::protocol::propagation::Context;

use super::TraceId;
use super::ids::trace_id;

/// A handle to the tree that an exchange belongs to (a union-find node).
#[derive(Clone, Debug)]
pub(super) struct Tree(Rc<RefCell<State>>);

#[derive(Debug)]
struct State {
    joined: Option<Tree>,
    /// The exchange that has no parent here, and its key.
    top: (ExchangeId, PairKey),
    /// When the top started, by the boot clock.
    started: u64,
    /// What is missing in it, as far as is known.
    reasons: Reasons,
    /// The top's parent is known to be none that this tracer sees.
    rooted: bool,
    /// Set when the first span leaves; then it stays.
    trace: Option<TraceId>,
    /// Of the contexts that its exchanges carry the best, and the number of its exchange.
    adopted: Option<(u64, Box<Context>)>,
    /// Its top is an export of the tracer's own.
    own: bool,
    /// Exchanges that wait for the tree to be rooted.
    waiting: Vec<ExchangeId>,
}

/// Two parts of what looked like one tree have already left with different trace ids.
pub(super) struct Conflict;

impl Tree {
    /// `started`: by the boot clock.
    pub(super) fn new(id: ExchangeId, key: PairKey, started: u64) -> Self {
        Self(Rc::new(RefCell::new(State {
            joined: None,
            top: (id, key),
            started,
            reasons: Reasons::default(),
            rooted: false,
            trace: None,
            adopted: None,
            own: false,
            waiting: vec![],
        })))
    }

    fn find(&self) -> Tree {
        let mut tree = self.clone();
        loop {
            let next = tree.0.borrow().joined.clone();
            match next {
                Some(next) => tree = next,
                None => break,
            }
        }
        if !Rc::ptr_eq(&self.0, &tree.0) {
            self.0.borrow_mut().joined = Some(tree.clone());
        }
        tree
    }

    pub(super) fn same(&self, other: &Tree) -> bool {
        Rc::ptr_eq(&self.find().0, &other.find().0)
    }

    /// Hangs `child`, whose top gets a parent in this tree, into this tree.
    pub(super) fn join(&self, child: &Tree) -> Result<(), Conflict> {
        let (ours, theirs) = (self.find(), child.find());
        {
            let (mut ours, mut theirs) = (ours.0.borrow_mut(), theirs.0.borrow_mut());
            match (ours.trace, theirs.trace) {
                (Some(a), Some(b)) if a != b => return Err(Conflict),
                (None, Some(trace)) => ours.trace = Some(trace),
                _ => {}
            }
            let adopted = theirs.adopted.take();
            ours.adopt(adopted);
            ours.reasons.extend(theirs.reasons);
            ours.waiting.append(&mut theirs.waiting);
        }
        theirs.0.borrow_mut().joined = Some(ours);
        Ok(())
    }

    /// Exchange number `order` carries a context.
    pub(super) fn carry(&self, order: u64, context: &Context) {
        self.find().0.borrow_mut().adopt(Some((order, Box::new(context.clone()))));
    }

    /// A context says nothing of this tree after all.
    pub(super) fn refuse(&self, context: &Context) {
        let tree = self.find();
        let mut state = tree.0.borrow_mut();
        let same = |(_, adopted): &mut (u64, Box<Context>)| **adopted == *context;
        drop(state.adopted.take_if(same));
    }

    /// When its top started, by the boot clock.
    pub(super) fn started(&self) -> u64 {
        self.find().0.borrow().started
    }

    /// This is missing in it.
    pub(super) fn lack(&self, reasons: Reasons) {
        self.find().0.borrow_mut().reasons.extend(reasons);
    }

    /// All that is missing in it, as far as is known now.
    pub(super) fn lacks(&self) -> Reasons {
        self.find().0.borrow().reasons
    }

    pub(super) fn root(&self) {
        self.find().0.borrow_mut().rooted = true;
    }

    pub(super) fn wait(&self, id: ExchangeId) {
        self.find().0.borrow_mut().waiting.push(id);
    }

    /// Nothing of this tree is to leave. Told when the first of it would have: its top may be
    /// forgotten when the others are ready.
    pub(super) fn disown(&self) {
        self.find().0.borrow_mut().own = true;
    }

    pub(super) fn is_own(&self) -> bool {
        self.find().0.borrow().own
    }

    /// The exchange that has no parent in this tree.
    pub(super) fn top(&self) -> ExchangeId {
        self.find().0.borrow().top.0
    }

    /// Whether whoever made the adopted context decided that its trace is not to be kept.
    pub(super) fn is_unsampled(&self) -> bool {
        let (trace, tree) = (self.trace(), self.find());
        let state = tree.0.borrow();
        let adopted = state.adopted.as_ref().filter(|(_, context)| context.trace_id == trace.0);
        adopted.is_some_and(|(_, context)| context.sampled == Some(false))
    }

    /// The exchanges that wait no longer; none while the tree is not rooted.
    pub(super) fn ready(&self) -> Vec<ExchangeId> {
        let tree = self.find();
        let mut state = tree.0.borrow_mut();
        if state.rooted { std::mem::take(&mut state.waiting) } else { vec![] }
    }

    /// The tree's trace id, fixed from now on: that of the best context that any of its exchanges
    /// carries, else one of its own.
    pub(super) fn trace(&self) -> TraceId {
        let tree = self.find();
        let mut state = tree.0.borrow_mut();
        let (_, own) = state.top;
        let adopted = state.adopted.as_ref().map(|(_, context)| TraceId(context.trace_id));
        *state.trace.get_or_insert_with(|| adopted.unwrap_or_else(|| trace_id(own)))
    }
}

/// One after the other: a long row of trees that were joined would else be dropped by recursion.
impl Drop for State {
    fn drop(&mut self) {
        let mut next = self.joined.take();
        while let Some(Tree(tree)) = next {
            next = Rc::into_inner(tree).and_then(|state| state.into_inner().joined.take());
        }
    }
}

impl State {
    /// The earliest context that names a span, else the earliest.
    fn adopt(&mut self, other: Option<(u64, Box<Context>)>) {
        // Whoever names no span has none: only the trace id of whoever traces meets other spans.
        let rank = |(order, context): &(u64, Box<Context>)| (context.span_id.is_none(), *order);
        let better = match (&self.adopted, &other) {
            (Some(ours), Some(theirs)) => rank(theirs) < rank(ours),
            (None, _) => true,
            (_, None) => false,
        };
        if better {
            self.adopted = other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExchangeId, PairKey, Tree};

    #[test]
    fn a_tree_of_any_depth_can_be_dropped() {
        let mut trees = vec![Tree::new(ExchangeId(0), PairKey(0), 0)];
        for i in 1..200_000 {
            let above = Tree::new(ExchangeId(i), PairKey(i), i);
            assert!(trees.last().is_some_and(|child| above.join(child).is_ok()));
            trees.push(above);
        }
        let first = trees.swap_remove(0);
        drop(trees);
        drop(first);
    }
}
