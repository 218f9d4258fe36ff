//! How fast connections to databases and caches are followed on one core: they are played from memory,
//! again and again, through an engine, each request and each answer in socket operations of 16 KiB at
//! most. `cargo xtask bench`.

mod rate;

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use rustix::time::{ClockId, clock_gettime};
use tracer_user::connection::{Chunk, Moment};
use tracer_user::protocol::backing::{Engine, Event, System, Text};
use tracer_user::protocol::http1::Direction;

use self::rate::per_second;

#[derive(Parser)]
struct Options {
    /// Passed on by `cargo bench`
    #[arg(long)]
    bench: bool,
    /// How often each connection is played
    #[arg(long, default_value_t = 15)]
    rounds: usize,
}

/// Bytes of an operation at most.
const OPERATION: usize = 16 * 1024;
/// Bytes that a connection moves, about.
const SIZE: usize = 64 << 20;

fn main() -> Result<()> {
    let options = Options::parse();
    println!("of one core: MB/s and million calls/s: min / median / max of {}", options.rounds);
    for connection in connections() {
        let mut took = vec![];
        for _ in 0..options.rounds {
            took.push(connection.play()?);
        }
        took.sort();
        let once = connection.request.len() + connection.answer.len();
        println!(
            "{:36} {:34} MB/s {:26} calls/s",
            connection.name,
            per_second(&took, once * connection.rounds()),
            per_second(&took, connection.calls * connection.rounds())
        );
    }
    Ok(())
}

/// A request with its answer, which are repeated.
struct Connection {
    name: &'static str,
    system: System,
    request: Vec<u8>,
    answer: Vec<u8>,
    /// Of the request, how many commands or statements.
    calls: usize,
}

impl Connection {
    fn rounds(&self) -> usize {
        SIZE / (self.request.len() + self.answer.len())
    }

    /// This thread's CPU time for all of it.
    fn play(&self) -> Result<Duration> {
        let mut engine = Engine::new(self.system, Text::Redacted, false, true);
        let (mut events, mut ended, mut order) = (vec![], 0, 0);
        let mut positions = [1 << 20; 2];
        let spent =
            || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
        let begun = spent();
        for _ in 0..self.rounds() {
            let halves = [(Direction::Request, &self.request), (Direction::Response, &self.answer)];
            for ((of, bytes), position) in halves.into_iter().zip(&mut positions) {
                for head in bytes.chunks(OPERATION) {
                    order += 1;
                    let at = Moment { order, ..Moment::default() };
                    let len = head.len() as u64;
                    let chunk = Chunk { at, position: *position, len, head, tail: &[] };
                    engine.operation(of, &chunk, &mut events);
                    *position += len;
                    for event in events.drain(..) {
                        ended += usize::from(matches!(event, Event::Ended { .. }));
                        black_box(event);
                    }
                }
            }
        }
        let took = spent().saturating_sub(begun);
        ensure!(ended == self.rounds(), "{}: {ended} calls ended", self.name);
        Ok(took)
    }
}

fn connections() -> Vec<Connection> {
    let bulk = |value: &[u8]| [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat();
    let command = |words: &[&[u8]]| {
        let count = format!("*{}\r\n", words.len()).into_bytes();
        [count, words.iter().flat_map(|word| bulk(word)).collect()].concat()
    };
    let get = command(&[b"GET", b"user:1000:profile"]);
    let set = command(&[b"SET", b"user:1000:profile", &[b'v'; 64]]);
    let range = [&b"*300\r\n"[..], &bulk(&[b'v'; 32]).repeat(300)].concat();
    let redis = |name, request: Vec<u8>, answer: Vec<u8>, calls| Connection {
        name,
        system: System::Redis,
        request,
        answer,
        calls,
    };

    let message = |kind: u8, content: &[u8]| {
        let length = (content.len() as u32 + 4).to_be_bytes();
        [&[kind][..], &length, content].concat()
    };
    let statement = b"SELECT name, price, stock FROM items WHERE price > 150 AND name <> 'anvil' \
        ORDER BY price LIMIT 100\0";
    let row = message(b'D', &[b'r'; 96]);
    let rows = |count: usize| {
        let tag = format!("SELECT {count}\0");
        [
            message(b'T', &[b't'; 70]),
            row.repeat(count),
            message(b'C', tag.as_bytes()),
            message(b'Z', b"I"),
        ]
        .concat()
    };
    let postgres = |name, count| Connection {
        name,
        system: System::PostgreSql,
        request: message(b'Q', statement),
        answer: rows(count),
        calls: 1,
    };

    let packet = |number: u8, content: &[u8]| {
        let length = (content.len() as u32).to_le_bytes();
        [length.get(..3).unwrap_or_default(), &[number], content].concat()
    };
    let column = packet(2, b"\x03def\0\0\0\x01a\0\x0c\x3f\0\x01\0\0\0\x08\x81\0\0\0\0");
    let end = |number| packet(number, b"\xfe\0\0\x02\0");
    let found = packet(4, &[&[95][..], &[b'r'; 95]].concat()).repeat(100);
    let mysql = Connection {
        name: "MySQL, 100 rows of 96 bytes",
        system: System::MySql,
        request: packet(0, &[&[3], statement.strip_suffix(&[0]).unwrap_or_default()].concat()),
        answer: [packet(1, &[1]), column, end(3), found, end(5)].concat(),
        calls: 1,
    };
    vec![
        redis("Redis, GET of 4 KiB", get.clone(), bulk(&[b'v'; 4096]), 1),
        redis("Redis, GET of 64 bytes", get, bulk(&[b'v'; 64]), 1),
        redis("Redis, pipelines of 16 SETs", set.repeat(16), b"+OK\r\n".repeat(16), 16),
        redis("Redis, LRANGE of 300 items", command(&[b"LRANGE", b"list", b"0", b"-1"]), range, 1),
        postgres("PostgreSQL, 1 row of 96 bytes", 1),
        postgres("PostgreSQL, 100 rows of 96 bytes", 100),
        mysql,
    ]
}
