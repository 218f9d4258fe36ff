//! Which spans have sent the records that come: a broker keeps the records of a topic's partition in
//! order, and where a batch of them stands is told to who sent it and to who fetches it.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::connection::Address;
use crate::exchange::{Exchange, ExchangeId, Side};
use crate::protocol::backing::{Batch, Topic, TopicId};

use super::{Link, SpanId, TraceId};

/// Batches whose senders are remembered.
const MAX_SENT: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();
/// Topics whose names are remembered.
const MAX_TOPICS: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// Where a batch stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    topic: Named,
    partition: i32,
    offset: i64,
}

/// What no other topic is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Named {
    /// Whatever broker has it.
    Id(TopicId),
    /// At the broker with this address in this network namespace.
    Name(u32, Address, String),
}

/// Who sent a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    /// It has not left yet.
    Open(ExchangeId),
    /// Its span.
    Left(TraceId, SpanId),
}

/// Batches that were sent.
#[derive(Debug)]
pub(super) struct Records {
    sent: LruCache<Place, Sender>,
    names: LruCache<TopicId, String>,
    /// Who waits for a sender to leave.
    waiting: HashMap<ExchangeId, Vec<ExchangeId>>,
}

impl Default for Records {
    fn default() -> Self {
        let (sent, names) = (LruCache::new(MAX_SENT), LruCache::new(MAX_TOPICS));
        Self { sent, names, waiting: HashMap::new() }
    }
}

impl Records {
    /// A call has come out.
    pub(super) fn ended(&mut self, exchange: &Exchange) {
        let Some(log) = exchange.outcome.as_ref().and_then(|outcome| outcome.log.as_ref()) else {
            return;
        };
        for (id, name) in &log.topics {
            self.names.put(*id, name.clone());
        }
        for place in self.sent_by(exchange) {
            self.sent.put(place, Sender::Open(exchange.id));
        }
    }

    /// A sender has left, or was left out, and has no span. Those that have waited for it.
    pub(super) fn left(
        &mut self,
        exchange: &Exchange,
        span: Option<(TraceId, SpanId)>,
    ) -> Vec<ExchangeId> {
        for place in self.sent_by(exchange) {
            match (self.sent.peek_mut(&place), span) {
                (Some(sender), Some((trace, span))) if *sender == Sender::Open(exchange.id) => {
                    *sender = Sender::Left(trace, span);
                }
                (Some(sender), None) if *sender == Sender::Open(exchange.id) => {
                    self.sent.pop(&place);
                }
                _ => {}
            }
        }
        self.waiting.remove(&exchange.id).unwrap_or_default()
    }

    /// Whether somebody who has sent what has come has not left yet; then it is told of who waits when he has.
    pub(super) fn waits(&mut self, exchange: &Exchange) -> bool {
        let open = self.senders(exchange).into_iter().find_map(|sender| match sender {
            Sender::Open(id) => Some(id),
            Sender::Left(..) => None,
        });
        if let Some(open) = open {
            self.waiting.entry(open).or_default().push(exchange.id);
        }
        open.is_some()
    }

    /// The spans of all who are known to have sent what has come.
    pub(super) fn links(&self, exchange: &Exchange) -> Vec<Link> {
        let mut links: Vec<Link> = vec![];
        for sender in self.senders(exchange) {
            if let Sender::Left(trace_id, span_id) = sender
                && links.iter().all(|link| link.span_id != span_id)
            {
                let attributes = vec![("tracer.link".into(), "sender".into())];
                links.push(Link { trace_id, span_id, attributes });
            }
        }
        links
    }

    /// Puts in how the topic is called, where the answer or another call tells.
    pub(super) fn name(&self, exchange: &mut Exchange) {
        let Some(call) = &mut exchange.call else { return };
        let log = exchange.outcome.as_ref().and_then(|outcome| outcome.log.as_ref());
        let mut topics = log.iter().flat_map(|log| &log.batches).map(|batch| &batch.topic);
        let first = topics.next().filter(|first| topics.all(|topic| topic == *first));
        if call.collection.is_none() {
            call.collection = match (call.topic, first) {
                (Some(id), _) | (None, Some(&Topic::Id(id))) => self.names.peek(&id).cloned(),
                (None, Some(Topic::Name(name))) => Some(name.clone()),
                (None, None) => None,
            };
        }
    }

    /// How many things are remembered of what has not left yet.
    pub(super) fn remembered(&self) -> usize {
        self.waiting.len()
    }

    fn sent_by(&self, exchange: &Exchange) -> Vec<Place> {
        let sends = exchange.call.as_ref().is_some_and(|call| super::backing::sends(call));
        if !sends {
            return vec![];
        }
        batches(exchange).iter().flat_map(|batch| self.places(exchange, batch)).collect()
    }

    fn senders(&self, exchange: &Exchange) -> Vec<Sender> {
        let sends = exchange.call.as_ref().is_some_and(|call| super::backing::sends(call));
        if sends {
            return vec![];
        }
        let sender = |batch| {
            let places = self.places(exchange, batch);
            places.iter().find_map(|place| self.sent.peek(place).copied())
        };
        batches(exchange).iter().filter_map(sender).collect()
    }

    /// Every way to say where a batch stands: who sends may call a topic otherwise than who fetches.
    fn places(&self, exchange: &Exchange, batch: &Batch) -> Vec<Place> {
        let (id, name) = match &batch.topic {
            Topic::Id(id) => (Some(*id), self.names.peek(id)),
            Topic::Name(name) => (None, Some(name)),
        };
        let broker = |name: &String| {
            Some(Named::Name(exchange.netns, exchange.remote.clone()?, name.clone()))
        };
        let topics = [id.map(Named::Id), name.and_then(broker)].into_iter().flatten();
        topics
            .map(|topic| Place { topic, partition: batch.partition, offset: batch.offset })
            .collect()
    }
}

/// What a client was told of.
fn batches(exchange: &Exchange) -> &[Batch] {
    let log = exchange.outcome.as_ref().and_then(|outcome| outcome.log.as_ref());
    let log = log.filter(|_| exchange.side == Side::Client);
    log.map_or(&[], |log| &log.batches)
}
