use std::net::Ipv4Addr;

use super::{MAX_TOPICS, Records};
use crate::connection::{Address, Cookie, Moment};
use crate::exchange::{ConnectionKey, Exchange, ExchangeId, PairKey, Side};
use crate::protocol::backing::{Call, Log, Outcome, RecordBatch, System, Topic};
use crate::trace::{SpanId, TraceId};

const SPAN: (TraceId, SpanId) = (TraceId([1; 16]), SpanId([2; 8]));
const ORDERS: [u8; 16] = [7; 16];

/// A call of a client in network namespace 1, of which the answer tells this.
fn call(id: u64, operation: &'static str, log: Log) -> Exchange {
    let at = Moment::default();
    let key = PairKey::new(Side::Client, Some(true), Default::default(), id);
    let connection = ConnectionKey::new(Side::Client, Some(true), Default::default());
    let call = Call { operation: Some(operation.into()), ..Call::new(System::Kafka) };
    let outcome = Outcome { log: Some(Box::new(log)), ..Outcome::default() };
    Exchange {
        netns: 1,
        remote: Some(Address::Inet(Ipv4Addr::LOCALHOST.into(), 9092)),
        call: Some(Box::new(call)),
        outcome: Some(Box::new(outcome)),
        ..Exchange::begin(
            (ExchangeId(id), Side::Client, at),
            (Cookie(1), connection, key),
            None,
            false,
        )
    }
}

fn batches(id: u64, operation: &'static str, topics: &[(Topic, i64)]) -> Exchange {
    let batch = |(topic, offset): &(Topic, i64)| RecordBatch {
        topic: topic.clone(),
        partition: 0,
        offset: *offset,
    };
    let batches = topics.iter().map(batch).collect();
    call(id, operation, Log { batches, ..Log::default() })
}

fn send(id: u64, topic: Topic, offset: i64) -> Exchange {
    batches(id, "send", &[(topic, offset)])
}

fn poll(id: u64, topic: Topic, offset: i64) -> Exchange {
    batches(id, "poll", &[(topic, offset)])
}

fn name(name: &str) -> Topic {
    Topic::Name(name.to_owned())
}

/// Of one topic.
fn metadata(id: [u8; 16], name: &str) -> Exchange {
    call(99, "Metadata", Log { topics: vec![(id, name.to_owned())], ..Log::default() })
}

fn links(records: &Records, poll: &Exchange) -> usize {
    records.links(poll).len()
}

#[test]
fn a_poll_waits_for_who_has_sent_what_has_come() {
    let mut records = Records::default();
    let (sent, came) = (send(1, name("orders"), 5), poll(2, name("orders"), 5));
    records.ended(&sent);
    assert!(records.waits(&came, |_| true));
    assert_eq!((records.remembered(), links(&records, &came)), (1, 0));
    assert_eq!(records.left(&sent, Some(SPAN)), [ExchangeId(2)]);
    assert!(!records.waits(&came, |_| true));
    let [link] = &records.links(&came)[..] else { panic!("not one link") };
    assert_eq!((link.trace_id, link.span_id), SPAN);
    for other in [poll(3, name("orders"), 6), poll(3, name("jobs"), 5)] {
        assert!(!records.waits(&other, |_| true) && links(&records, &other) == 0);
    }
    assert_eq!(records.remembered(), 0);
}

#[test]
fn who_is_left_out_or_gone_is_not_waited_for() {
    let mut records = Records::default();
    let (sent, came) = (send(1, name("orders"), 5), poll(2, name("orders"), 5));
    records.ended(&sent);
    assert!(records.waits(&came, |_| true));
    assert_eq!(records.left(&sent, None), [ExchangeId(2)]);
    assert!(!records.waits(&came, |_| true) && links(&records, &came) == 0);
    // The topic's name is forgotten before he leaves.
    let sent = send(3, Topic::Id(ORDERS), 5);
    records.ended(&metadata(ORDERS, "orders"));
    records.ended(&sent);
    for n in 0..MAX_TOPICS as u64 {
        records.ended(&metadata(
            [&[1; 8][..], &n.to_be_bytes()].concat().try_into().unwrap(),
            "other",
        ));
    }
    records.left(&sent, Some(SPAN));
    assert!(!records.waits(&came, |_| false) && links(&records, &came) == 0);
}

#[test]
fn whoever_calls_a_topic_by_name_or_by_number_means_the_same() {
    for (one, other) in [(name("orders"), Topic::Id(ORDERS)), (Topic::Id(ORDERS), name("orders"))] {
        let mut records = Records::default();
        let (sent, came) = (send(1, one.clone(), 5), poll(2, other.clone(), 5));
        records.ended(&metadata(ORDERS, "orders"));
        records.ended(&sent);
        records.left(&sent, Some(SPAN));
        assert_eq!(links(&records, &came), 1, "{one:?} {other:?}");
    }
}

#[test]
fn a_name_is_one_brokers() {
    let mut records = Records::default();
    let far = Address::Inet(Ipv4Addr::new(10, 0, 0, 9).into(), 9092);
    for (id, offset, remote) in [(1, 5, None), (2, 6, Some(far.clone()))] {
        let mut sent = send(id, name("orders"), offset);
        sent.remote = remote.or(sent.remote);
        records.ended(&sent);
        records.left(&sent, Some(SPAN));
    }
    let polled = |netns: u32, offset: i64, remote: Option<&Address>| {
        let mut came = poll(9, name("orders"), offset);
        (came.netns, came.remote) = (netns, remote.cloned().or(came.remote));
        links(&records, &came)
    };
    assert_eq!((polled(1, 5, None), polled(2, 5, None), polled(1, 5, Some(&far))), (1, 0, 0));
    assert_eq!((polled(1, 6, Some(&far)), polled(2, 6, Some(&far)), polled(1, 6, None)), (1, 1, 0));
}

#[test]
fn a_poll_is_called_after_what_has_come() {
    let mut records = Records::default();
    records.ended(&metadata(ORDERS, "orders"));
    let called = |topics: &[(Topic, i64)], asked: Option<&str>| {
        let mut came = batches(1, "poll", topics);
        let call = came.call.as_mut().unwrap();
        call.collection = asked.map(str::to_owned);
        call.attributes.push((super::PARTITION, "4".to_owned()));
        records.name(&mut came);
        let call = came.call.unwrap();
        (call.collection, call.attributes.len())
    };
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(called(&[(Topic::Id(ORDERS), 1)], Some("jobs")), (some("orders"), 0));
    assert_eq!(called(&[(name("a"), 1), (name("a"), 2)], None), (some("a"), 0));
    assert_eq!(called(&[(name("a"), 1), (name("b"), 2)], Some("a")), (None, 0));
    assert_eq!(called(&[], Some("jobs")), (some("jobs"), 1));
}
