//! Whatever arrives: no panic, and memory that shrinks again.

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use tracer_common::record::{
    self, Header, KIND_CONNECTION, KIND_COURSE, KIND_DATA, KIND_PROCESS, KIND_STATE, MAX_TAIL,
};
use zerocopy::{FromBytes, IntoBytes};

use crate::http::{OK, get};
use crate::outcome::{feed, pipeline, settings};
use crate::script::{End, SECOND, Script, Task, Wire, task};

/// A number that is small often enough to meet itself again.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..4_u64, any::<u64>(), Just(u64::MAX), Just(u64::from(u32::MAX))]
}

fn header() -> impl Strategy<Value = Header> {
    (0..6_u32, number(), number(), number(), number()).prop_map(|(kind, pid, tid, time, cookie)| {
        Header { kind, pid: pid as u32, tid: tid as u32, cpu: 0, time, cookie }
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nab",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
        b"GET / HTTP/1.1\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"\r\n0\r\n\r\n",
        b"H",
    ];
    prop_oneof![
        (0..pieces.len()).prop_map(move |i| pieces[i].to_vec()),
        proptest::collection::vec(any::<u8>(), 0..200),
    ]
}

/// A record of a known kind with fields of any value, or any bytes.
fn record() -> impl Strategy<Value = Vec<u8>> {
    let fields = proptest::collection::vec(number(), 16);
    prop_oneof![
        1 => proptest::collection::vec(any::<u8>(), 0..300),
        8 => (header(), fields, body(), 0..3_u32).prop_map(|(header, fields, bytes, slack)| {
            let noise: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
            match header.kind {
                KIND_DATA => {
                    let (mut data, _) = record::Data::read_from_prefix(&noise).expect("long enough");
                    data.header = header;
                    data.flags %= 16;
                    data.head_len = bytes.len() as u32;
                    data.tail_len = slack.min(MAX_TAIL as u32);
                    data.len = data.head_len + data.tail_len + if slack == 2 { data.len % 9 } else { 0 };
                    [data.as_bytes(), &bytes, b"\n0\r\n"].concat()
                }
                KIND_CONNECTION => {
                    let (mut connection, _) =
                        record::Connection::read_from_prefix(&noise.repeat(4))
                            .expect("long enough");
                    connection.header = header;
                    connection.verdict %= 5;
                    connection.family = [1, 2, 10][slack as usize];
                    connection.as_bytes().to_vec()
                }
                KIND_STATE | KIND_PROCESS | KIND_COURSE => {
                    let change = (u32::from(noise[0]) % 4).to_le_bytes();
                    [header.as_bytes(), &change, &noise].concat()
                }
                _ => [header.as_bytes(), &noise].concat(),
            }
        }),
    ]
}

proptest! {
    #[test]
    fn records_of_any_kind_and_content_do_no_harm(
        records in proptest::collection::vec(record(), 1..60),
        existing in any::<bool>(),
    ) {
        let mut pipeline = pipeline(settings());
        for record in &records {
            pipeline.record(record);
        }
        if existing {
            pipeline.existing([], false);
            pipeline.lost_records(0, u64::MAX);
        }
        pipeline.stop(0);
        let spans = pipeline.take_spans();
        assert!(spans.len() <= 60 && spans.iter().all(|span| span.start <= span.end));
    }

    /// Real traffic with some records lost, changed, or repeated.
    #[test]
    fn damaged_traffic_does_no_harm(damage in proptest::collection::vec((0..400_usize, any::<u16>(), any::<u8>()), 0..40)) {
        let mut script = Script::new();
        let (one, two) = (script.connect(task(1), 80), script.connect(task(2), 81));
        for i in 0..20 {
            script.ask(task(1), one, &format!("/in/{i}"));
            script.hear(task(2), one);
            script.call(task(2), task(3), two, "/out", "");
            script.answer(task(2), one);
            script.learn(task(1), one);
        }
        let count = script.records.len();
        for (record, at, value) in damage {
            let record = record % count;
            match at % 3 {
                0 => script.records[record].bytes.clear(),
                1 => script.records[record] = script.records[(record + 1) % count].clone(),
                _ => {
                    let bytes = &mut script.records[record].bytes;
                    let len = bytes.len().max(1);
                    if let Some(byte) = bytes.get_mut(usize::from(at) % len) {
                        *byte = value;
                    }
                }
            }
        }
        let mut pipeline = pipeline(settings());
        feed(&mut pipeline, &script, 0);
        pipeline.stop(script.now);
        assert!(pipeline.take_spans().len() <= 4 * count);
    }
}

/// A thread of many, on a connection of many; all of it goes on for days. Returns what stays open.
fn busy_day(script: &mut Script, i: u32) -> Vec<Wire> {
    let front = Task { pid: 20, tid: 2000 + i % 50_000 };
    let (one, two) = (script.connect(task(10), 80), script.connect(front, 81));
    let context = format!("b3: {:032x}-{:016x}-1\r\n", i + 1, i + 1);
    for path in ["/a", "/b"] {
        script.send(task(10), one, End::Opener, &get(path, &context));
        script.hear(front, one);
        script.call(front, task(30), two, "/c", "");
        script.send(front, one, End::Acceptor, OK);
        script.learn(task(10), one);
    }
    let mut open = vec![one, two];
    if !i.is_multiple_of(3) {
        open.drain(..).for_each(|wire| script.close(wire));
    }
    if i.is_multiple_of(10) {
        // A process that does one thing and ends.
        let (brief, wire) = (task(100_000 + i), script.connect(task(100_000 + i), 80));
        script.ask(brief, wire, "/brief");
        script.exit(brief.pid);
        script.close(wire);
    }
    open
}

/// Of 80,000 ends of exchanges and more each.
const PARTS: u64 = 5;

#[test]
fn memory_falls_back_to_what_lives() {
    let mut pipeline = pipeline(settings());
    let mut spans = 0;
    for part in 0..PARTS {
        let mut script = Script::new();
        script.now += part * 1000 * SECOND;
        let mut open = vec![];
        for i in 0..10_000 {
            open.extend(busy_day(&mut script, i));
            if i.is_multiple_of(1000) {
                feed(&mut pipeline, &script, 0);
                script.records.clear();
                spans += pipeline.take_spans().len();
            }
        }
        // What stayed open belongs to processes that end now.
        script.wait(SECOND);
        [10, 20, 30].into_iter().for_each(|pid| script.exit(pid));
        open.into_iter().for_each(|wire| script.close(wire));
        feed(&mut pipeline, &script, 0);
        pipeline.advance(script.now + 200 * SECOND);
        spans += pipeline.take_spans().len();
        assert_eq!(pipeline.remembered(), 0, "after part {part}");
    }
    assert_eq!(spans, PARTS as usize * (10_000 * 8 + 1_000));
}
