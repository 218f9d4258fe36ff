//! What two sides say to each other, as data: the bytes for the programs that move them, and the
//! exchanges that the tracer has to find in them.

use std::time::Duration;

use tests::exchanges::Exchange;

/// How long a message is held back in its middle.
pub(crate) const HOLD: Duration = Duration::from_millis(200);
/// How long nothing happens between some exchanges.
pub(crate) const REST: Duration = Duration::from_millis(300);
/// Scheduling may take so much from either.
pub(crate) const SLACK: Duration = Duration::from_millis(100);

/// What a message carries.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Nothing, and says nothing about it.
    None,
    /// So many bytes.
    Length(usize),
    /// The same, the second half after [`HOLD`].
    Held(usize),
    /// Chunks of these sizes.
    Chunked(Vec<usize>),
    /// Nothing, but its head speaks of so many bytes: the answer to HEAD.
    Promised(usize),
    /// A head padded to more than so many bytes, and no content.
    LongHead(usize),
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Client = b'C' as isize,
    Server = b'S' as isize,
}

/// What is said on one connection. The file's format: tests/programs/mover/conversation.c.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    case: String,
    /// For the programs.
    pub(crate) file: Vec<u8>,
    /// In the order of the requests.
    pub(crate) exchanges: Vec<Exchange>,
    /// Targets between which the client rests for [`REST`].
    pub(crate) rests: Vec<(String, String)>,
}

/// A request with its response.
pub(crate) type Pair = (&'static str, Body, u16, Body);

impl Conversation {
    /// `case` is the path of all its targets.
    pub(crate) fn new(case: &str) -> Conversation {
        let (file, exchanges, rests) = (vec![], vec![], vec![]);
        Conversation { case: case.to_owned(), file, exchanges, rests }
    }

    /// The target of the exchange with this number.
    pub(crate) fn target(&self, number: usize) -> String {
        format!("/{}?n={number}", self.case)
    }

    /// These requests in a row, then their responses.
    pub(crate) fn turn(mut self, pairs: &[Pair]) -> Conversation {
        for (method, body, status, answer) in pairs {
            let target = self.target(self.exchanges.len());
            let held = |body: &Body| match body {
                Body::Held(_) => HOLD,
                _ => Duration::ZERO,
            };
            let exchange = Exchange::new(method, &*target, (*status).into())
                .request_in(body.seen_as())
                .response_in(answer.seen_as())
                .lasting(held(answer))
                .lasting_for_client(held(body));
            self.exchanges.push(exchange);
            let start = format!("{method} {target} HTTP/1.1\r\nHost: mover.test\r\n");
            self.message(Who::Client, start, body);
        }
        for (_, _, status, answer) in pairs {
            self.message(Who::Server, format!("HTTP/1.1 {status} Reason\r\n"), answer);
        }
        self
    }

    /// The client does nothing for a while before the next turn.
    pub(crate) fn rest(mut self) -> Conversation {
        let next = self.exchanges.len();
        self.rests.push((self.target(next - 1), self.target(next)));
        self.line(Who::Client, 'p', REST.as_millis() as usize);
        self
    }

    /// A request after which the client sends no more; the response ends with the stream.
    pub(crate) fn half_closed(mut self, length: usize) -> Conversation {
        let target = self.target(self.exchanges.len());
        let exchange = Exchange::new("GET", &*target, 200).sizes(0, length as u64).lasting(HOLD);
        self.exchanges.push(exchange);
        let head =
            format!("GET {target} HTTP/1.1\r\nHost: mover.test\r\nConnection: close\r\n\r\n");
        self.bytes(Who::Client, 'h', head.as_bytes());
        self.line(Who::Client, 'e', 0);
        self.bytes(Who::Server, 'h', b"HTTP/1.1 200 Reason\r\nConnection: close\r\n\r\n");
        self.halves(Who::Server, length);
        self.line(Who::Server, 'e', 0);
        self
    }

    fn message(&mut self, who: Who, mut head: String, body: &Body) {
        match body {
            Body::None => {}
            Body::Length(n) | Body::Held(n) | Body::Promised(n) => {
                head += &format!("Content-Length: {n}\r\n");
            }
            Body::Chunked(_) => head += "Transfer-Encoding: chunked\r\n",
            Body::LongHead(n) => {
                let padding = "p".repeat(*n);
                head += &format!("Content-Length: 0\r\nX-Padding: {padding}\r\n");
            }
        }
        self.bytes(who, 'h', (head + "\r\n").as_bytes());
        match body {
            Body::Length(n) if *n > 0 => self.bytes(who, 'b', &content(*n)),
            Body::Held(n) => self.halves(who, *n),
            Body::Chunked(sizes) => {
                for &size in sizes {
                    self.bytes(who, 'h', format!("{size:x}\r\n").as_bytes());
                    self.bytes(who, 'b', &content(size));
                    self.bytes(who, 'h', b"\r\n");
                }
                self.bytes(who, 'h', b"0\r\n\r\n");
            }
            Body::None | Body::Length(_) | Body::Promised(_) | Body::LongHead(_) => {}
        }
    }

    fn halves(&mut self, who: Who, length: usize) {
        self.bytes(who, 'b', &content(length / 2));
        self.line(who, 'p', HOLD.as_millis() as usize);
        self.bytes(who, 'b', &content(length - length / 2));
    }

    fn bytes(&mut self, who: Who, what: char, bytes: &[u8]) {
        self.line(who, what, bytes.len());
        self.file.extend_from_slice(bytes);
    }

    fn line(&mut self, who: Who, what: char, length: usize) {
        self.file.extend_from_slice(format!("{} {what} {length}\n", who as u8 as char).as_bytes());
    }
}

impl Body {
    /// The sizes that its span may have. Of chunks that are not copied whole, the frames count too.
    fn seen_as(&self) -> std::ops::RangeInclusive<u64> {
        let (least, most) = match self {
            Body::None | Body::Promised(_) | Body::LongHead(_) => (0, 0),
            Body::Length(n) | Body::Held(n) => (*n, *n),
            Body::Chunked(sizes) => {
                let content: usize = sizes.iter().sum();
                let copied = content + 16 * sizes.len() < 15_000;
                (content, if copied { content } else { content + 16 * (sizes.len() + 1) })
            }
        };
        least as u64..=most as u64
    }
}

/// Bytes that show whether they come in order, and that look like no message.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|i| b'a' + (i % 23) as u8).collect()
}

/// Small messages of every kind.
pub(crate) fn small(case: &str) -> Conversation {
    use Body::{Chunked, Held, Length, LongHead, None, Promised};
    Conversation::new(case)
        .turn(&[("GET", None, 200, Length(7))])
        .turn(&[("POST", Length(1), 201, Length(1))])
        .turn(&[("DELETE", None, 204, None)])
        .turn(&[("HEAD", None, 200, Promised(5000))])
        .turn(&[("POST", Chunked(vec![5, 1, 300]), 200, Chunked(vec![1, 900, 3]))])
        .turn(&[("GET", LongHead(10_000), 200, LongHead(10_000))])
        .turn(&[
            ("GET", None, 200, Length(10)),
            ("POST", Length(3), 201, Length(0)),
            ("GET", None, 404, Length(300)),
            ("PUT", Chunked(vec![4]), 200, Chunked(vec![2, 2])),
            ("GET", None, 304, None),
        ])
        .turn(&[("GET", None, 200, Held(2000))])
        .rest()
        .turn(&[("POST", Held(600), 200, Length(3))])
        .turn(&[("GET", None, 200, Length(3))])
        .turn(&[("GET", None, 204, None)])
}

/// Bodies of megabytes.
pub(crate) fn large(case: &str) -> Conversation {
    use Body::{Chunked, Held, Length, None};
    Conversation::new(case)
        .turn(&[("PUT", Length(3_000_000), 201, Length(2))])
        .turn(&[("GET", None, 200, Length(4_000_000))])
        .turn(&[("POST", Chunked(vec![50_000; 40]), 200, Chunked(vec![100_000; 20]))])
        .turn(&[("GET", None, 200, Held(1_000_000))])
        .rest()
        .turn(&[("GET", None, 200, Length(3))])
        .turn(&[("GET", None, 204, None)])
}
