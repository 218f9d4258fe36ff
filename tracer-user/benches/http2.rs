//! How fast HTTP/2 is followed on one core: connections are played from memory, again and again, through
//! an engine, as socket operations of 16 KiB. `cargo xtask bench`.

mod rate;

use std::hint::black_box;
use std::io::Read as _;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use flate2::read::GzDecoder;
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use tracer_user::connection::{Chunk, Moment};
use tracer_user::protocol::http1::Limits;
use tracer_user::protocol::http2::Engine;

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

/// Header blocks by several encoders, of requests that browsers made.
#[derive(Deserialize)]
struct Story {
    encoder: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    wire: String,
}

const STORIES: &[u8] = include_bytes!("../src/protocol/http2/hpack/stories/stories.jsonl.gz");
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// Bytes of an operation.
const OPERATION: usize = 16 * 1024;

fn main() -> Result<()> {
    let options = Options::parse();
    println!("of one core: MB/s and million frames/s: min / median / max of {}", options.rounds);
    for (name, connection) in connections()? {
        let mut took: Vec<_> = (0..options.rounds).map(|_| connection.play()).collect();
        took.sort();
        let bytes = connection.requests.len() + connection.responses.len();
        println!(
            "{name:24} {:34} MB/s {:28} frames/s",
            per_second(&took, bytes),
            per_second(&took, connection.frames)
        );
    }
    Ok(())
}

/// What each side sends.
#[derive(Default)]
struct Connection {
    requests: Vec<u8>,
    responses: Vec<u8>,
    frames: usize,
}

impl Connection {
    fn new() -> Self {
        Self { requests: PREFACE.to_vec(), ..Self::default() }
    }

    fn frame(&mut self, of_request: bool, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let to = if of_request { &mut self.requests } else { &mut self.responses };
        let length = (payload.len() as u32).to_be_bytes();
        to.extend_from_slice(length.get(1..).unwrap_or_default());
        to.extend_from_slice(&[kind, flags]);
        to.extend_from_slice(&stream.to_be_bytes());
        to.extend_from_slice(payload);
        self.frames += 1;
    }

    /// This thread's CPU time for all of it.
    fn play(&self) -> Duration {
        let mut engine = Engine::new(Limits::default(), true);
        let spent =
            || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
        let begun = spent();
        // All requests are there before the first response is, as far as fewer than are followed at once.
        let halves = [(&self.requests, true), (&self.responses, false)];
        let mut at = [0; 2];
        let mut order = 0;
        while at.iter().zip(halves).any(|(at, (bytes, _))| *at < bytes.len()) {
            for (at, (bytes, of_request)) in at.iter_mut().zip(halves) {
                // Both are over at the same time.
                let share = bytes.len() * OPERATION / self.requests.len().max(self.responses.len());
                let end = (*at + share.max(1)).min(bytes.len());
                let Some(head) = bytes.get(*at..end).filter(|head| !head.is_empty()) else {
                    continue;
                };
                order += 1;
                let moment = Moment { order, ..Moment::default() };
                let (position, len) = (*at as u64, head.len() as u64);
                let chunk = Chunk { at: moment, position, len, head, tail: &[] };
                let mut sink = |event| drop(black_box(event));
                if of_request {
                    engine.request(&chunk, &mut sink);
                } else {
                    engine.response(&chunk, &mut sink);
                }
                *at = end;
            }
        }
        spent().saturating_sub(begun)
    }
}

fn connections() -> Result<Vec<(String, Connection)>> {
    let mut text = String::new();
    GzDecoder::new(STORIES).read_to_string(&mut text)?;
    let stories: Vec<Story> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let blocks = |encoder: &str| -> Result<Vec<Vec<u8>>> {
        let story = stories.iter().filter(|story| story.encoder == encoder);
        let longest = story.max_by_key(|story| story.cases.len());
        let blocks: Vec<_> = longest
            .into_iter()
            .flat_map(|story| &story.cases)
            .map(|case| bytes(&case.wire))
            .collect();
        ensure!(!blocks.is_empty(), "no stories by {encoder}");
        Ok(blocks)
    };

    let mut browser = Connection::new();
    // The table goes on, so that each reads entries of those before, if not its own.
    let heads = blocks("nghttp2")?;
    for (number, block) in heads.iter().cycle().take(20_000).enumerate() {
        let stream = 2 * number as u32 + 1;
        browser.frame(true, HEADERS, END_HEADERS | END_STREAM, stream, block);
        browser.frame(false, HEADERS, END_HEADERS, stream, &[0x88]);
        browser.frame(false, DATA, END_STREAM, stream, &[b'x'; 512]);
    }

    let mut calls = Connection::new();
    let field = |name: &str, value: &str| {
        let text = |text: &str| [&[text.len() as u8][..], text.as_bytes()].concat();
        [&[0x40][..], &text(name), &text(value)].concat()
    };
    let message = [&[0, 0, 0, 0, 40][..], &[b'm'; 40]].concat();
    let head = [&[0x83, 0x86][..], &field(":path", "/shop.Cart/Add")].concat();
    let head = [head, field("content-type", "application/grpc"), field("te", "trailers")].concat();
    let answer = [&[0x88][..], &field("content-type", "application/grpc")].concat();
    for number in 0..20_000 {
        let (stream, first) = (2 * number + 1, number == 0);
        let again: (&[u8], &[u8], &[u8]) =
            (&[0x83, 0x86, 0xc0, 0xbf, 0xbe], &[0x88, 0xbf], &[0xbe]);
        let trailers = field("grpc-status", "0");
        let (head, answer, trailers) =
            if first { (&head[..], &answer[..], &trailers[..]) } else { again };
        calls.frame(true, HEADERS, END_HEADERS, stream, head);
        calls.frame(true, DATA, END_STREAM, stream, &message);
        calls.frame(false, HEADERS, END_HEADERS, stream, answer);
        calls.frame(false, DATA, 0, stream, &message);
        calls.frame(false, HEADERS, END_HEADERS | END_STREAM, stream, trailers);
    }

    let mut download = Connection::new();
    download.frame(true, HEADERS, END_HEADERS | END_STREAM, 1, &[0x82, 0x86, 0x84]);
    download.frame(false, HEADERS, END_HEADERS, 1, &[0x88]);
    for _ in 0..4096 {
        download.frame(false, DATA, 0, 1, &[b'x'; OPERATION]);
    }
    Ok([("heads of a browser", browser), ("gRPC, unary", calls), ("a download", download)]
        .map(|(name, connection)| (name.to_owned(), connection))
        .into())
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
    let pairs = hex.as_bytes().chunks_exact(2);
    pairs.map(|pair| pair.iter().fold(0, |byte, hex| byte << 4 | digit(*hex))).collect()
}
