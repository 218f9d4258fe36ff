//! Evidence from a thread's queue of work: some event loops read all that has come before they act
//! on any of it, in the order in which it came (HAProxy, Python's selectors). So what a thread
//! writes belongs to the oldest of the things that it has read and not acted on.
//!
//! Where every read is acted on at once this says what the turn says. Like that it is believed as
//! far as it is right about responses: each has to be written when the oldest thing is its own.

use std::collections::VecDeque;

use crate::exchange::ExchangeId;

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;

/// Things that a thread has read and not acted on, beyond which the oldest is forgotten.
const MAX_WAITING: usize = 256;
/// Nothing shows that the request was answered in order.
const OPEN: f64 = 0.9;

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let named = call.client().and_then(|client| scene.node(client.queue?));
    let Some(server) = named else { return Testimony::Silent };
    let Some(process) = scene.process(&call.started) else { return Testimony::Silent };
    let share = process.queues.get();
    let in_order = server.server().is_some_and(|role| role.in_order == Some(true));
    Testimony::Names(server.id, if in_order { share } else { share * OPEN })
}

/// Why it says nothing.
pub(super) fn silence(_: &Scene<'_>, _: &Node) -> &'static str {
    "the thread had acted on all that it had read"
}

/// What one thread has read and not acted on, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<ExchangeId>,
    /// How often the thread had slept when it last read.
    sleeps: u32,
}

impl Queue {
    /// It read a part of a message.
    pub(super) fn read(&mut self, id: ExchangeId, sleeps: u32) {
        self.woke(sleeps);
        if !self.waiting.contains(&id) {
            if self.waiting.len() >= MAX_WAITING {
                self.waiting.pop_front();
            }
            self.waiting.push_back(id);
        }
    }

    /// It acts on the oldest thing.
    pub(super) fn act(&mut self, sleeps: u32) -> Option<ExchangeId> {
        self.woke(sleeps);
        self.waiting.pop_front()
    }

    /// It acts on one of these. Returns whether that is the oldest thing; `None` if it is none.
    pub(super) fn act_on(
        &mut self,
        mut one: impl FnMut(ExchangeId) -> bool,
        sleeps: u32,
    ) -> Option<bool> {
        self.woke(sleeps);
        let place = self.waiting.iter().position(|&id| one(id))?;
        self.waiting.retain(|&id| !one(id));
        Some(place == 0)
    }

    /// Who goes to sleep has done all that could be done.
    fn woke(&mut self, sleeps: u32) {
        if std::mem::replace(&mut self.sleeps, sleeps) != sleeps {
            self.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExchangeId, MAX_WAITING, Queue};

    #[test]
    fn what_came_first_is_acted_on_first() {
        let mut queue = Queue::default();
        [1, 2, 2, 3].into_iter().for_each(|n| queue.read(ExchangeId(n), 5));
        assert_eq!(queue.act(5), Some(ExchangeId(1)));
        assert_eq!(queue.act_on(|id| id.0 == 3, 5), Some(false));
        assert_eq!(queue.act_on(|id| id.0 == 3, 5), None);
        assert_eq!(queue.act_on(|id| id.0 == 2, 5), Some(true));
        assert_eq!(queue.act(5), None);
    }

    #[test]
    fn nothing_is_left_after_a_sleep_and_there_is_never_too_much() {
        let mut queue = Queue::default();
        queue.read(ExchangeId(1), 5);
        assert_eq!(queue.act(6), None);
        (0..2 * MAX_WAITING as u64).for_each(|n| queue.read(ExchangeId(n), 6));
        assert_eq!(queue.waiting.len(), MAX_WAITING);
    }
}
