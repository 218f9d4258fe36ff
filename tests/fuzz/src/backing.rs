//! Connections to backing services under operations of any kind: each call is told once from its
//! beginning to its end, in this order, and no more than a bounded number of them are open.
//!
//! An input is a row of [`crate::operations`]; the first byte says whether the connection is seen from
//! its first byte on, whether calls are joined, and whether it is a socket of UDP.

use std::collections::HashMap;

use tracer_user::protocol::backing::{Engine, Event, System, Text};

use crate::input::Input;
use crate::operations::Operations;

/// Open calls of a connection; Redis's are most.
const MAX_OPEN: usize = 65_536;

/// Redis under libFuzzer.
pub fn redis(data: &[u8]) {
    backing(System::Redis, data);
}

/// The same of PostgreSQL.
pub fn postgresql(data: &[u8]) {
    backing(System::PostgreSql, data);
}

/// The same of MySQL.
pub fn mysql(data: &[u8]) {
    backing(System::MySql, data);
}

/// The same of MongoDB.
pub fn mongodb(data: &[u8]) {
    backing(System::MongoDb, data);
}

/// The same of Memcached.
pub fn memcached(data: &[u8]) {
    backing(System::Memcached, data);
}

/// The same of Kafka.
pub fn kafka(data: &[u8]) {
    backing(System::Kafka, data);
}

/// The same of DNS, over TCP and UDP.
pub fn dns(data: &[u8]) {
    backing(System::Dns, data);
}

/// The same of AMQP.
pub fn amqp(data: &[u8]) {
    backing(System::Amqp, data);
}

/// Whether an open call has been told what it asks for, and that it is answered.
#[derive(Default)]
struct Told {
    asked: bool,
    replied: bool,
}

fn backing(system: System, data: &[u8]) {
    let mut input = Input(data);
    let flags = input.byte();
    let mut engine = match flags & 4 == 0 || system != System::Dns {
        true => Engine::new(system, Text::Redacted, flags & 1 == 0, flags & 2 == 0),
        false => Engine::datagrams(flags & 1 == 0),
    };
    let (mut open, mut seen, mut events) = (HashMap::<u64, Told>::new(), 0, vec![]);
    let mut operations = Operations::new(input);
    while let Some(operation) = operations.next() {
        engine.operation(operation.direction, &operation.chunk, &mut events);
        for event in events.drain(..) {
            match event {
                Event::Started { call, at, .. } => {
                    assert!(at.order <= operation.chunk.at.order);
                    assert!(open.insert(call, Told::default()).is_none(), "{call} twice");
                    seen += 1;
                }
                Event::Asked { call, asks } => {
                    assert_eq!(asks.system, system);
                    open.get_mut(&call).expect("it is open").asked = true;
                }
                Event::Replied { call, .. } => {
                    let told = open.get_mut(&call).expect("it is open");
                    assert!(!std::mem::replace(&mut told.replied, true), "{call} twice");
                }
                Event::Ended { call, abandoned, .. } => {
                    let told = open.remove(&call).expect("it is open");
                    assert!(told.asked || abandoned, "{call} ended before it asked");
                }
                Event::Delivered { first, last, asks, .. } => {
                    assert_eq!(asks.system, system);
                    assert!(first.order <= last.order && last.order <= operation.chunk.at.order);
                    seen += 1;
                }
                Event::Malformed | Event::Full => {}
            }
        }
        assert!(open.len() <= MAX_OPEN);
    }
    // Each takes at least two bytes.
    assert!(seen <= data.len());
}
