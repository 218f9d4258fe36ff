use super::Kafka;
use crate::protocol::backing::hostile::{batter, prefixes};
use crate::protocol::backing::testing::{at, feed};
use crate::protocol::backing::{Call, Calls, Dialect, Found, Log, RecordBatch, Split, Topic};
use crate::protocol::http1::Direction::{Request, Response};

fn sized(body: &[u8]) -> Vec<u8> {
    [&(body.len() as i32).to_be_bytes(), body].concat()
}

/// A request by a client named `c`.
fn request(key: i16, version: i16, correlation: i32, body: &[u8]) -> Vec<u8> {
    let numbers = [key, version].map(i16::to_be_bytes).concat();
    sized(&[&numbers, &correlation.to_be_bytes()[..], b"\0\x01c", body].concat())
}

fn response(correlation: i32, body: &[u8]) -> Vec<u8> {
    sized(&[&correlation.to_be_bytes(), body].concat())
}

fn batch(records: i32) -> Vec<u8> {
    batch_at(0, 0, records, b"records")
}

/// One that begins with this offset.
fn batch_at(offset: i64, attributes: u8, count: i32, records: &[u8]) -> Vec<u8> {
    let length = 49 + records.len() as i32;
    let before = [&offset.to_be_bytes()[..], &length.to_be_bytes(), &[0; 4], &[2]].concat();
    [&before, &[0; 5][..], &[attributes], &[0; 34], &count.to_be_bytes(), records].concat()
}

/// A record with a header that names a span of this number.
fn record(span: u8) -> Vec<u8> {
    let value = sender(span);
    let mut record = b"\0\0\0\x01\x04ab\x04\x02x\x02y\x16traceparent".to_vec();
    record.push(2 * value.len() as u8);
    record.extend(value.bytes());
    [&[((2 * record.len() as u8) & 0x7f) | 0x80, (record.len() >> 6) as u8][..], &record].concat()
}

fn sender(span: u8) -> String {
    format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902{span:02x}-01")
}

/// What the answers say of records.
fn logs(found: &[Found]) -> Vec<Log> {
    let log = |found: &Found| match found {
        Found::Ended { outcome, .. } => Some(outcome.log.as_deref().cloned().unwrap_or_default()),
        _ => None,
    };
    found.iter().filter_map(log).collect()
}

fn named(name: &str, partition: i32, offset: i64) -> RecordBatch {
    RecordBatch { topic: Topic::Name(name.to_owned()), partition, offset }
}

/// Version 3, of acks and one partition of topic `orders`.
fn produce(acks: u8) -> Vec<u8> {
    let records = batch(3);
    let head = [0xff, 0xff, 0, acks, 0, 0, 0x75, 0x30, 0, 0, 0, 1];
    let partition =
        [b"\0\0\0\x01\0\0\0\x07", &(records.len() as i32).to_be_bytes()[..], &records].concat();
    request(0, 3, 5, &[&head, &b"\0\x06orders"[..], &partition].concat())
}

/// Version 12, of two partitions.
fn fetch() -> Vec<u8> {
    let head = [&[0xff; 4][..], &[0; 8], &[0; 4], &[0], &[0; 8], b"\x02\x07orders\x03"].concat();
    let partition = |number: u8| {
        [&[0, 0, 0, number][..], &[0; 4], &[0; 8], &[0; 4], &[0; 8], &[0; 4], &[0]].concat()
    };
    request(1, 12, 6, &[&[0][..], &head, &partition(0), &partition(1), b"\0\x01\x01\0"].concat())
}

fn asked(found: &[Found]) -> &Call {
    let asks = found.iter().find_map(|found| match found {
        Found::Asked { asks, .. } => Some(asks),
        _ => None,
    });
    asks.expect("a call")
}

fn attribute<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.attributes.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
}

/// The codes with which calls ended; an empty one where nothing failed.
fn ended(found: &[Found]) -> Vec<(u64, &str)> {
    let ended = |found| match found {
        &Found::Ended { call, ref outcome, .. } => {
            Some((call, outcome.failure.as_ref().map_or("", |failure| failure.code.as_str())))
        }
        _ => None,
    };
    found.iter().filter_map(ended).collect()
}

#[test]
fn records_are_sent() {
    let mut kafka = Kafka::new();
    let found = feed(&mut kafka, Request, 0, &produce(1), at(1));
    let call = asked(&found);
    assert_eq!(
        (call.operation.as_deref(), call.collection.as_deref()),
        (Some("send"), Some("orders"))
    );
    assert_eq!((call.batch, call.text.summary.as_deref()), (3, Some("send orders")));
    assert_eq!(attribute(call, "messaging.batch.message_count"), None);
    assert_eq!(attribute(call, "messaging.destination.partition.id"), Some("7"));
    assert_eq!(attribute(call, "messaging.client.id"), Some("c"));
    let failed =
        [&[0, 0, 0, 1][..], b"\0\x06orders", &[0, 0, 0, 1, 0, 0, 0, 7, 0, 6], &[0; 20]].concat();
    let found = feed(&mut kafka, Response, 0, &response(5, &failed), at(2));
    assert_eq!(ended(&found), [(0, "6")]);
    // Nobody waits for an answer.
    assert_eq!(ended(&feed(&mut kafka, Request, 0, &produce(0), at(3))), [(1, "")]);
}

#[test]
fn records_are_sent_in_flexible_versions() {
    let records = batch(2);
    let flexible = |version: i16, name: &[u8]| {
        let head = [&[0, 0, 1, 0, 0, 0x75, 0x30, 2][..], name, &[2, 0, 0, 0, 4]].concat();
        let length = [records.len() as u8 + 1];
        request(0, version, 9, &[&[0][..], &head, &length, &records, &[0; 3]].concat())
    };
    let found = feed(&mut Kafka::new(), Request, 0, &flexible(9, b"\x07orders"), at(1));
    let call = asked(&found);
    assert_eq!((call.collection.as_deref(), call.batch), (Some("orders"), 2));
    let mut kafka = Kafka::new();
    let found = feed(&mut kafka, Request, 0, &flexible(13, &[7; 16]), at(1));
    let call = asked(&found);
    assert_eq!((call.collection.as_deref(), call.topic, call.batch), (None, Some([7; 16]), 2));
    let body = [&[0, 2][..], &[7; 16], &[2, 0, 0, 0, 4, 0, 3]].concat();
    assert_eq!(ended(&feed(&mut kafka, Response, 0, &response(9, &body), at(2))), [(0, "3")]);
}

#[test]
fn records_are_fetched() {
    let mut kafka = Kafka::new();
    let found = feed(&mut kafka, Request, 0, &fetch(), at(1));
    let call = asked(&found);
    assert_eq!(
        (call.operation.as_deref(), call.collection.as_deref()),
        (Some("poll"), Some("orders"))
    );
    assert_eq!(attribute(call, "messaging.destination.partition.id"), None);
    let body = [&[0][..], &[0; 4], &[0, 0], &[0; 4], b"\x02\x07orders\x02\0\0\0\0\0\x01"].concat();
    assert_eq!(ended(&feed(&mut kafka, Response, 0, &response(6, &body), at(2))), [(0, "1")]);
    // The oldest version, and one whose fields are not known.
    let body =
        [&[0xff; 4][..], &[0; 8], b"\0\0\0\x01\0\x01t\0\0\0\x01\0\0\0\x02", &[0; 12]].concat();
    let found = feed(&mut kafka, Request, 0, &request(1, 0, 7, &body), at(3));
    let call = asked(&found);
    assert_eq!(call.collection.as_deref(), Some("t"));
    assert_eq!(attribute(call, "messaging.destination.partition.id"), Some("2"));
    let found = feed(&mut kafka, Request, 0, &request(1, 30, 8, &body), at(4));
    assert_eq!(
        (asked(&found).operation.as_deref(), asked(&found).collection.as_deref()),
        (Some("poll"), None)
    );
}

#[test]
fn where_records_stand_is_told_to_who_sends_and_to_who_fetches() {
    let mut kafka = Kafka::new();
    feed(&mut kafka, Request, 0, &produce(1), at(1));
    let offset = 7_i64.to_be_bytes();
    let partition = [&[0, 0, 0, 7, 0, 0][..], &offset, &[0; 8]].concat();
    let other = [&[0, 0, 0, 8, 0, 6][..], &[0xff; 16]].concat();
    let body = [&[0, 0, 0, 1][..], b"\0\x06orders\0\0\0\x02", &partition, &other, &[0; 4]];
    let found = feed(&mut kafka, Response, 0, &response(5, &body.concat()), at(2));
    assert_eq!(
        (ended(&found), logs(&found)[0].batches.clone()),
        (vec![(0, "6")], vec![named("orders", 7, 7)])
    );

    feed(&mut kafka, Request, 0, &fetch(), at(3));
    let records = [
        batch_at(7, 0, 2, &[record(1), record(2)].concat()),
        batch_at(9, 0x20, 1, b"\x02x"),
        batch_at(10, 1, 3, b"compressed"),
    ];
    let fetched = |records: &[u8], length: usize| {
        let length = length as u32 + 1;
        let length = [(length & 0x7f | 0x80) as u8, (length >> 7) as u8];
        let partition =
            [&[0, 0, 0, 1, 0, 0][..], &[0; 24], &[1], &[0; 4], &length, records].concat();
        let head = [&[0][..], &[0; 4], &[0, 0], &[0; 4], b"\x02\x07orders\x02", &partition];
        response(6, &[&head.concat()[..], &[0; 3]].concat())
    };
    let records = records.concat();
    let answer = fetched(&records, records.len());
    let [log] = &logs(&feed(&mut kafka, Response, 0, &answer, at(4)))[..] else { panic!() };
    assert_eq!(log.batches, [named("orders", 1, 7), named("orders", 1, 10)]);
    assert_eq!((log.count, &log.senders[..]), (Some(5), &[sender(1), sender(2)][..]));
    // Of some only the beginning is there.
    feed(&mut kafka, Request, 0, &fetch(), at(5));
    let cut = fetched(&records[..100], 10_000);
    let [log] = &logs(&feed(&mut kafka, Response, 0, &cut, at(6)))[..] else { panic!() };
    assert_eq!((&log.batches[..], log.count), (&[named("orders", 1, 7)][..], None));
}

/// Version 4, with a transaction that was given up.
#[test]
fn what_the_broker_has_cut_or_keeps_in_an_older_format_is_not_told() {
    let fetched = |error: u8, records: &[u8]| {
        let lengths = [&[0, 0, 0, 1][..], &[0; 16], &(records.len() as i32).to_be_bytes()].concat();
        let partition = [&[0, 0, 0, 1, 0, error][..], &[0; 16], &lengths, records].concat();
        [&[0; 4][..], b"\0\0\0\x01\0\x06orders\0\0\0\x01", &partition].concat()
    };
    let told = |error: u8, records: &[u8]| {
        let mut kafka = Kafka::new();
        feed(&mut kafka, Request, 0, &request(1, 4, 6, &[0; 21]), at(1));
        let found = feed(&mut kafka, Response, 0, &response(6, &fetched(error, records)), at(2));
        let offsets = logs(&found)[0].batches.iter().map(|batch| batch.offset).collect::<Vec<_>>();
        (offsets, logs(&found)[0].count, ended(&found)[0].1.to_owned())
    };
    let two = [batch_at(7, 1, 2, b"compressed"), batch_at(9, 1, 3, b"compressed")].concat();
    assert_eq!(told(0, &two), (vec![7, 9], Some(5), String::new()));
    assert_eq!(told(0, &two[..two.len() - 1]), (vec![7], Some(2), String::new()));
    assert_eq!(told(1, &[]), (vec![], Some(0), "1".to_owned()));
    let mut older = two;
    older[16] = 1;
    assert_eq!(told(0, &older), (vec![], None, String::new()));
    let many: Vec<u8> = (0..20).flat_map(|n| batch_at(n, 1, 1, b"compressed")).collect();
    let (offsets, count, _) = told(0, &many);
    assert_eq!((offsets.len(), count), (16, Some(20)));
}

#[test]
fn metadata_tell_how_topics_are_called() {
    let mut kafka = Kafka::new();
    let asks = |version: i16, number| request(3, version, number, &[0, 1, 0, 0, 0]);
    feed(&mut kafka, Request, 0, &asks(12, 3), at(1));
    let brokers = b"\x02\0\0\0\x01\x05host\0\0\x23\x84\0\0\x05abcd\0\0\0\x01";
    let partitions =
        [&b"\x02\0\0\0\0\0\0\0\0\0\x01\0\0\0\0"[..], b"\x02\0\0\0\x01", b"\x02\0\0\0\x01", &[1, 0]]
            .concat();
    let topic = |error: u8, name: &[u8], id: u8| {
        [&[0, error][..], name, &[id; 16], &[0], &partitions, &[0; 5]].concat()
    };
    let topics = [
        &[4][..],
        &topic(0, b"\x07orders", 7),
        &topic(3, b"\0", 8),
        &topic(0, b"\x05jobs", 9),
        &[0],
    ];
    let body = [&[0][..], &[0; 4], brokers, &topics.concat()].concat();
    let [log] = &logs(&feed(&mut kafka, Response, 0, &response(3, &body), at(2)))[..] else {
        panic!()
    };
    assert_eq!(log.topics, [([7; 16], "orders".to_owned()), ([9; 16], "jobs".to_owned())]);
    // Older ones have no numbers.
    feed(&mut kafka, Request, 0, &asks(1, 4), at(3));
    let body = b"\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x06orders\0\0\0\0\0";
    assert_eq!(logs(&feed(&mut kafka, Response, 0, &response(4, body), at(4))), [Log::default()]);
}

#[test]
fn other_requests_are_told_by_their_names() {
    let mut kafka = Kafka::new();
    let found = feed(&mut kafka, Request, 0, &request(12, 4, 1, b"\0\x06group"), at(1));
    let call = asked(&found);
    assert_eq!(call.operation.as_deref(), Some("Heartbeat"));
    assert_eq!(attribute(call, "messaging.consumer.group.name"), Some("group"));
    let anonymous = sized(b"\0\x12\0\x03\0\0\0\x02\xff\xff\0\x01\x01\0");
    let found = feed(&mut kafka, Request, 0, &anonymous, at(2));
    assert_eq!(
        (asked(&found).operation.as_deref(), asked(&found).attributes.len()),
        (Some("ApiVersions"), 0)
    );
    assert_eq!(ended(&feed(&mut kafka, Response, 0, &response(2, b"\0\0"), at(3))), [(1, "")]);
    assert_eq!(ended(&feed(&mut kafka, Response, 0, &response(1, b"\0\0"), at(3))), [(0, "")]);
    assert!(feed(&mut kafka, Response, 0, &response(1, b"\0\0"), at(3)).is_empty());
}

#[test]
fn beginnings_and_losses() {
    let (mut kafka, mut found) = (Kafka::new(), vec![]);
    assert!(kafka.begins(Request, &fetch()) && kafka.begins(Request, &produce(1)[..20]));
    assert!(!kafka.begins(Response, &response(6, b"")));
    for bytes in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 32], &[0xff; 32], b"\0\0\0\x20\0\x70\0\0\0\0\0\0\0\0"]
    {
        assert_eq!(kafka.split(Request, bytes), Split::Invalid, "{bytes:?}");
    }
    feed(&mut kafka, Request, 0, &fetch(), at(1));
    assert!(
        kafka.begins(Response, &response(6, b"")) && !kafka.begins(Response, &response(7, b""))
    );
    kafka.lost(Request, at(2), &mut Calls::new(&mut found));
    assert!(found.is_empty());
    kafka.lost(Response, at(2), &mut Calls::new(&mut found));
    assert!(matches!(found[..], [Found::Abandoned { call: 0, .. }]));
}

#[test]
fn a_connection_begins_as_clients_begin_it() {
    let split = |bytes: &[u8]| Kafka::new().split(Request, bytes);
    let zookeeper = [&[0, 0, 0, 0x2d][..], &[0; 45]].concat();
    let rabbit = sized(b"\0\x11\0\x01\0\0\0\x01\0\0\0\x01\0\x07product\0\x01a");
    let nameless = sized(b"\0\x01\0\x0b\0\0\0\x07\xff\xff\0\0\0\0\0\0\0\0");
    for bytes in [&zookeeper, &rabbit, &nameless, &request(1, 11, 1, b"")[..4].to_vec()] {
        assert!(!matches!(split(bytes), Split::Message { .. }), "{bytes:?}");
    }
    assert_eq!((split(&zookeeper), split(&rabbit)), (Split::Invalid, Split::Invalid));
    assert!(!Kafka::new().begins(Request, &zookeeper));
    let handshake = sized(b"\0\x11\0\x01\0\0\0\0\xff\xff\0\x05PLAIN");
    let metadata = sized(b"\0\x03\0\0\0\0\0\0\0\0\0\0\0\0");
    for bytes in [&handshake, &metadata, &fetch()] {
        assert!(matches!(split(bytes), Split::Message { .. }), "{bytes:?}");
    }
    assert_eq!(split(&handshake[..18]), Split::More);
    // Later, and where the beginning was not seen, a name may be missing.
    let (mut kafka, mut found) = (Kafka::new(), vec![]);
    feed(&mut kafka, Request, 0, &fetch(), at(1));
    assert!(matches!(kafka.split(Request, &nameless), Split::Message { .. }));
    let mut kafka = Kafka::new();
    kafka.lost(Request, at(1), &mut Calls::new(&mut found));
    assert!(kafka.begins(Request, &nameless) && !kafka.begins(Request, &zookeeper));
}

#[test]
fn answers_to_nothing_are_malformed() {
    let (mut kafka, mut found) = (Kafka::new(), vec![]);
    feed(&mut kafka, Request, 0, &fetch(), at(1));
    assert!(feed(&mut kafka, Response, 0, &response(1, b""), at(2)).is_empty());
    let strange = feed(&mut kafka, Response, 0, &response(2, b""), at(2));
    assert!(matches!(strange[..], [Found::Malformed]));
    // Unless their requests were not seen.
    kafka.lost(Request, at(3), &mut Calls::new(&mut found));
    assert!(feed(&mut kafka, Response, 0, &response(3, b""), at(4)).is_empty());
}

#[test]
fn no_bytes_do_harm() {
    batter(|| Box::new(Kafka::new()), &[produce(1), fetch(), vec![0; 100]].concat());
    let answer = [response(5, &[0; 40]), response(6, &[0; 40])].concat();
    let script = [(Request, &produce(1)[..]), (Request, &fetch()), (Response, &answer)];
    prefixes(|| Box::new(Kafka::new()), &script);
}
