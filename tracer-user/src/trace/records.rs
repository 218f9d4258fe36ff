//! Which spans have sent the records that come: a broker keeps the records of a topic's partition in
//! order, and where a batch of them stands is told to who sent it and to who fetches it.

use std::collections::HashMap;

use lru::LruCache;

use crate::connection::Address;
use crate::exchange::{Exchange, ExchangeId, Side};
use crate::protocol::backing::{RecordBatch, Topic, TopicId};

use super::backing::{sender, sends};
use super::{Link, SpanId, TraceId};

/// Positions of which the sender is remembered; a batch may have two.
const MAX_SENT: usize = 16_384;
/// Topics whose names are remembered.
const MAX_TOPICS: usize = 4096;
/// Of a call about one partition.
const PARTITION: &str = "messaging.destination.partition.id";

/// Where a batch stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Position {
    topic: Named,
    partition: i32,
    offset: i64,
}

/// What no other topic is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Named {
    /// Whatever broker has it.
    Id(TopicId),
    /// At the broker with this address; in this network namespace, where that is a loopback one, else 0.
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
    sent: LruCache<Position, Sender>,
    names: LruCache<TopicId, String>,
    /// Who waits for a sender to leave.
    waiting: HashMap<ExchangeId, Vec<ExchangeId>>,
}

impl Default for Records {
    fn default() -> Self {
        let (sent, names) = (LruCache::unbounded(), LruCache::unbounded());
        Self { sent, names, waiting: HashMap::new() }
    }
}

impl Records {
    /// A call has come out.
    pub(super) fn ended(&mut self, exchange: &Exchange) {
        let Some(log) = exchange.log() else { return };
        for (id, name) in &log.topics {
            self.names.put(*id, name.clone());
            if self.names.len() > MAX_TOPICS {
                self.names.pop_lru();
            }
        }
        for position in self.sent_by(exchange) {
            self.sent.put(position, Sender::Open(exchange.id));
            if self.sent.len() > MAX_SENT {
                self.sent.pop_lru();
            }
        }
    }

    /// A sender has left, or was left out, and has no span. Those that have waited for it.
    pub(super) fn left(
        &mut self,
        exchange: &Exchange,
        span: Option<(TraceId, SpanId)>,
    ) -> Vec<ExchangeId> {
        for position in self.sent_by(exchange) {
            match (self.sent.peek_mut(&position), span) {
                (Some(sender), Some((trace, span))) if *sender == Sender::Open(exchange.id) => {
                    *sender = Sender::Left(trace, span);
                }
                (Some(sender), None) if *sender == Sender::Open(exchange.id) => {
                    self.sent.pop(&position);
                }
                _ => {}
            }
        }
        self.waiting.remove(&exchange.id).unwrap_or_default()
    }

    /// Whether somebody who has sent what has come is still to leave, as `leaves` says of them; then it
    /// is told of who waits when he has.
    pub(super) fn waits(
        &mut self,
        exchange: &Exchange,
        leaves: impl Fn(ExchangeId) -> bool,
    ) -> bool {
        let open = self.senders(exchange).into_iter().find_map(|sender| match sender {
            Sender::Open(id) => Some(id).filter(|&id| leaves(id)),
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
        for sent in self.senders(exchange) {
            if let Sender::Left(trace, span) = sent
                && links.iter().all(|link| link.span_id != span)
            {
                links.push(sender(trace, span));
            }
        }
        links
    }

    /// Puts in how the topic is called, where the answer or another call tells. What a client asks for in a
    /// session need not be what comes.
    pub(super) fn name(&self, exchange: &mut Exchange) {
        let log = exchange.outcome.as_ref().and_then(|outcome| outcome.log.as_ref());
        let Some(call) = &mut exchange.call else { return };
        let came = log.map(|log| &log.batches).filter(|came| !came.is_empty() && !sends(call));
        let Some(came) = came else {
            let known = call.topic.and_then(|id| self.names.peek(&id).cloned());
            call.collection = call.collection.take().or(known);
            return;
        };
        let one = |batch: &RecordBatch| came.iter().all(|other| other.topic == batch.topic);
        call.collection = match came.first().filter(|first| one(first)).map(|first| &first.topic) {
            Some(Topic::Name(name)) => Some(name.clone()),
            Some(Topic::Id(id)) => self.names.peek(id).cloned(),
            None => None,
        };
        let partition = |text: &str| {
            let number = |batch: &RecordBatch| batch.partition.to_string() == text && one(batch);
            came.iter().all(number)
        };
        call.attributes.retain(|(key, value)| *key != PARTITION || partition(value));
    }

    /// How many wait.
    pub(super) fn remembered(&self) -> usize {
        self.waiting.values().map(Vec::len).sum()
    }

    fn sent_by(&self, exchange: &Exchange) -> Vec<Position> {
        let batches = batches(exchange, true).iter();
        batches.flat_map(|batch| self.positions(exchange, batch)).collect()
    }

    fn senders(&self, exchange: &Exchange) -> Vec<Sender> {
        let sender = |batch| {
            let positions = self.positions(exchange, batch);
            positions.iter().find_map(|position| self.sent.peek(position).copied())
        };
        batches(exchange, false).iter().filter_map(sender).collect()
    }

    /// Every way to say where a batch stands: who sends may call a topic otherwise than who fetches.
    fn positions(&self, exchange: &Exchange, batch: &RecordBatch) -> Vec<Position> {
        let (id, name) = match &batch.topic {
            Topic::Id(id) => (Some(*id), self.names.peek(id)),
            Topic::Name(name) => (None, Some(name)),
        };
        let named = |name: &String| {
            let broker = exchange.remote.clone()?;
            let loopback = matches!(&broker, Address::Inet(address, _) if address.is_loopback());
            Some(Named::Name(if loopback { exchange.netns } else { 0 }, broker, name.clone()))
        };
        let topics = [id.map(Named::Id), name.and_then(named)].into_iter().flatten();
        let position = |topic| Position { topic, partition: batch.partition, offset: batch.offset };
        topics.map(position).collect()
    }
}

/// What a client was told of that it has sent, or that has come.
fn batches(exchange: &Exchange, sent: bool) -> &[RecordBatch] {
    let client = exchange.side == Side::Client;
    let sends = exchange.call.as_ref().is_some_and(|call| sends(call));
    let log = exchange.log().filter(|_| client && sends == sent);
    log.map_or(&[], |log| &log.batches)
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
