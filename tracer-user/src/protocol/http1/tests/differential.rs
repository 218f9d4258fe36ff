//! The same conversation, cut differently into operations, or with parts of bodies hidden, is told
//! the same.

use super::Conversation;
use crate::connection::{Chunk, Moment};
use crate::protocol::http1::Direction::{self, Request, Response};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::ops::Range;

/// Bytes that go one way, and which of them are content.
struct Turn {
    direction: Direction,
    bytes: Vec<u8>,
    content: Vec<Range<usize>>,
}

/// Written with `{n}` for `n` bytes of content.
fn turn(direction: Direction, text: &str) -> Turn {
    let (mut bytes, mut content) = (Vec::new(), Vec::new());
    for part in text.split_inclusive(['{', '}']) {
        match part.strip_suffix('}') {
            Some(n) => {
                let start = bytes.len();
                bytes.resize(start + n.parse::<usize>().unwrap(), b'x');
                content.push(start..bytes.len());
            }
            None => bytes.extend_from_slice(part.trim_end_matches('{').as_bytes()),
        }
    }
    Turn { direction, bytes, content }
}

fn conversation() -> Vec<Turn> {
    vec![
        turn(Request, "PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
        turn(Response, "HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n{300}"),
        turn(Request, "PUT /b HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 40\r\n\r\n"),
        turn(Response, "HTTP/1.1 100 Continue\r\n\r\n"),
        turn(Request, "{40}"),
        turn(Response, "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n"),
        turn(
            Request,
            "HEAD /c HTTP/1.1\r\n\r\nFOO /d HTTP/1.1\r\n\r\n\r\nDELETE /e HTTP/1.1\r\n\r\n",
        ),
        turn(
            Response,
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
        ),
        turn(
            Response,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1e;a=b\r\n{30}\r\n100\r\n{256}\r\n0\r\nT: x\r\n\r\n",
        ),
        turn(Request, "POST /f HTTP/1.1\nTransfer-Encoding: chunked\n\n10\r\n{16}\r\n00\r\n\r\n"),
        turn(Response, "HTTP/1.1 304 X\r\nContent-Length: 7\r\n\r\n"),
        turn(Request, "CONNECT h:1 HTTP/1.1\r\n\r\n"),
        turn(Response, "HTTP/1.1 407 X\r\nContent-Length: 3\r\n\r\n{3}"),
        turn(Request, "GET /g HTTP/1.0\r\n\r\n"),
        turn(Response, "HTTP/1.0 200 OK\r\n\r\n{77}"),
    ]
}

/// Runs the conversation; `cut` gives the length of each operation, and whether content in it is
/// hidden.
fn told(mut cut: impl FnMut() -> (usize, bool)) -> Vec<String> {
    let mut c = Conversation::new();
    for Turn { direction, bytes, content } in conversation() {
        let mut from = 0;
        while from < bytes.len() {
            let (len, hide) = cut();
            let to = bytes.len().min(from + len.max(1));
            let inside = |range: &Range<usize>| range.start.max(from)..range.end.min(to).max(from);
            let hidden = content.iter().map(inside).filter(|range| hide && range.start < range.end);
            let hidden = hidden.max_by_key(Range::len).unwrap_or(to..to);
            let position = c.position(direction);
            let (head, tail) = (&bytes[from..hidden.start], &bytes[hidden.end..to]);
            let len = (to - from) as u64;
            c.at(direction, Chunk { at: Moment::default(), position, len, head, tail });
            c.lose(direction, len);
            from = to;
        }
    }
    c.close_both();
    c.said()
}

fn whole() -> Vec<String> {
    told(|| (usize::MAX / 2, false))
}

#[test]
fn it_is_told_as_it_was() {
    let starts =
        whole().iter().filter(|line| line.starts_with("> /") || line.starts_with("> ")).count();
    assert_eq!(starts, 8 * 3, "{:#?}", whole());
    let ends: Vec<String> = whole().into_iter().filter(|line| line.starts_with("< end")).collect();
    let want = ["300", "0", "0", "0", "286", "0", "3", "77"].map(|n| format!("< end {n}"));
    assert_eq!(ends, want);
}

#[test]
fn one_byte_at_a_time() {
    assert_eq!(told(|| (1, false)), whole());
}

#[test]
fn split_once_anywhere() {
    let length = conversation().iter().map(|turn| turn.bytes.len()).max().unwrap();
    for at in 1..length {
        let mut lengths = [at, usize::MAX / 2].into_iter().cycle();
        let cut = || (lengths.next().unwrap(), false);
        assert_eq!(told(cut), whole(), "split after {at}");
    }
}

#[test]
fn hidden_content_makes_no_difference() {
    assert_eq!(told(|| (1000, true)), whole());
    assert_eq!(told(|| (7, true)), whole());
}

#[test]
fn cut_at_random_with_content_hidden_at_random() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]);
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    let want = whole();
    let cuts = vec((1usize..120, any::<bool>()), 40);
    TestRunner::new_with_rng(config, rng)
        .run(&cuts, |cuts| {
            let mut cuts = cuts.iter().copied().cycle();
            assert_eq!(told(|| cuts.next().unwrap()), want);
            Ok(())
        })
        .unwrap();
}
