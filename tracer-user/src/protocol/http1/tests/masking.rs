//! An engine finds the same in masked operations, and no secret is in them.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::Conversation;
use crate::connection::{Chunk, Moment};
use crate::protocol::http1::{Direction, Limits, Masking};
use crate::protocol::redact::Pseudonym;

/// What must not be left, and cannot come about by chance.
const SECRET: &[u8] = b"hunter2";

#[derive(Clone, Debug)]
struct Operation {
    direction: Direction,
    bytes: Vec<u8>,
    /// How many of the bytes in the middle are hidden.
    hidden: usize,
    lost: bool,
}

/// Both conversations, the second one masked; and what was seen of the latter.
fn run(operations: &[Operation]) -> (Conversation, Conversation, Vec<Vec<u8>>) {
    let (mut plain, mut masked) = (Conversation::new(), Conversation::new());
    let (mut masking, mut seen) = (Masking::new(Limits::default(), &Pseudonym::default()), vec![]);
    for Operation { direction, bytes, hidden, lost } in operations {
        let len = bytes.len() as u64;
        if *lost {
            plain.lose(*direction, len);
            masked.lose(*direction, len);
            continue;
        }
        let shown = bytes.len() - hidden.min(&bytes.len());
        let behind = if *hidden > 0 { shown / 3 } else { 0 };
        let (head, _) = bytes.split_at(shown - behind);
        let (_, tail) = bytes.split_at(bytes.len() - behind);
        let position = plain.position(*direction);
        let chunk = Chunk { at: Moment::default(), position, len, head, tail };
        let (hidden_head, hidden_tail) = masking.operation(*direction, &chunk);
        assert_eq!((hidden_head.len(), hidden_tail.len()), (head.len(), tail.len()));
        plain.operation(*direction, len, head, tail);
        masked.operation(*direction, len, &hidden_head, &hidden_tail);
        seen.push([hidden_head, hidden_tail].concat());
    }
    (plain, masked, seen)
}

fn check(operations: &[Operation]) {
    let (plain, masked, seen) = run(operations);
    let shown: Vec<_> = seen.iter().map(|bytes| bytes.escape_ascii().to_string()).collect();
    let given: Vec<_> = operations
        .iter()
        .map(|o| format!("{:?} {} {}{}", o.direction, o.hidden, o.lost, o.bytes.escape_ascii()))
        .collect();
    let same = masked.events.iter().zip(&plain.events).take_while(|(a, b)| a == b).count();
    let (masked, plain) = (masked.events.get(same), plain.events.get(same));
    assert_eq!(masked, plain, "{given:#?} {shown:#?}");
    for bytes in seen {
        assert!(!bytes.windows(SECRET.len()).any(|b| b == SECRET), "{}", bytes.escape_ascii());
    }
}

/// A message with secrets wherever one may be.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        Just("GET /a?x=1&token=hunter2&b=c HTTP/1.1\r\n"),
        Just("HEAD /hidden;sid=hunter2/x HTTP/1.1\r\n"),
        // Not an absolute form: one that is cut within its authority loses that.
        Just("POST /p?sig=hunter2 HTTP/1.0\r\n"),
    ];
    let body = prop_oneof![
        Just(""),
        Just("Content-Length: 9\r\n\r\n hunter2 "),
        Just(
            "Transfer-Encoding: chunked\r\n\r\n7;e=hunter2\r\nhunter2\r\n11\r\nGET /?key=hunter2\r\n0\r\n\r\n"
        ),
        Just(
            "Transfer-Encoding: chunked\r\n\r\n7\r\nhunter2\r\n0\r\nCookie: hunter2\r\nA: b\r\n\r\n"
        ),
        Just("Expect: 100-continue\r\nContent-Length: 7\r\n\r\nhunter2"),
    ];
    message(first, body)
}

fn response() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        8 => Just("HTTP/1.1 200 OK\r\n"),
        1 => Just("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 C\r\n"),
        1 => Just("HTTP/1.1 304 N\r\n"),
        1 => Just("HTTP/1.1 101 S\r\n"),
    ];
    let body = prop_oneof![
        Just("Content-Length: 0\r\n"),
        Just("Content-Length: 16\r\n\r\nHTTP/1.1 hunter2"),
        Just(
            "Transfer-Encoding: chunked\r\n\r\n7\r\nhunter2\r\n10\r\nHTTP/1.1 hunter2\r\n0\r\n\r\n"
        ),
        Just("Transfer-Encoding: chunked\r\n\r\n14\r\nhunter2\r\n0\r\n\r\nHTTP/1.\r\n0\r\n\r\n"),
        Just("\r\nhunter2 until the end"),
    ];
    message(first, body)
}

fn message(
    first: impl Strategy<Value = &'static str>,
    body: impl Strategy<Value = &'static str>,
) -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        Just("Host: example.org\r\n"),
        Just("Authorization: Bearer hunter2\r\n"),
        Just("cookie : a=hunter2;\r\n\thunter2\r\n"),
        Just("Referer: http://me:hunter2@h/?key=hunter2\r\n"),
        Just("X-Consul-Token: hunter2\r\nOcp-Apim-Subscription-Key: hunter2\r\n"),
        Just("x-custom:hunter2\r\nuberctx-user: hunter2\r\nBaggage: user=hunter2\r\n"),
        Just(
            "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: a=b\r\n"
        ),
        Just("b3: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1-05e3ac9a4f6e3b90\r\n"),
        Just("Uber-Trace-Id: 5b8aa5a2d2c872e8:1f:0:1\r\n"),
        Just("Upgrade: h2c\r\nConnection: upgrade\r\n"),
        Just(
            "X-B3-TraceId: 0123456789abcdef\r\nX-B3-SpanId: 0123456789abcdef\r\nX-B3-ParentSpanId: 05e3ac9a4f6e3b90\r\nX-B3-Sampled: 1\r\nX-B3-Flags: 0\r\n"
        ),
        Just("User-Agent: \x0cx\r\n"),
        Just("Set-Cookie:hunter2\n"),
    ];
    (first, vec(field, 0..4), body).prop_map(|(first, fields, body)| {
        let end = if body.contains("\r\n\r\n") || body.starts_with('\r') { "" } else { "\r\n" };
        [first, &fields.concat(), body, end].concat().into_bytes()
    })
}

/// A conversation cut into operations anywhere.
fn conversation() -> impl Strategy<Value = Vec<Operation>> {
    let turn = (vec(request(), 1..3), vec(response(), 0..3));
    (vec(turn, 1..4), vec(any::<u8>(), 12), prop_oneof![Just(0usize), 1usize..40], any::<u16>())
        .prop_map(|(turns, cuts, hidden, lose)| {
            let (mut operations, mut cuts) = (vec![], cuts.into_iter().cycle());
            for (requests, responses) in turns {
                for (direction, messages) in
                    [(Direction::Request, requests), (Direction::Response, responses)]
                {
                    let mut rest = messages.concat();
                    while !rest.is_empty() {
                        // Often whole, often a byte, else anything. An engine that looks for ends in
                        // last bytes loses a head whose first bytes are cut off from it.
                        let cut = match cuts.next().unwrap_or(0) {
                            _ if hidden > 0 => rest.len(),
                            0..96 => rest.len(),
                            96..140 => 1,
                            cut => usize::from(cut - 139),
                        };
                        let after = rest.split_off(cut.min(rest.len()));
                        let number = operations.len();
                        let hidden = if number % 5 == 4 { hidden } else { 0 };
                        let lost = lose % 7 == 0 && number == usize::from(lose) % 11;
                        operations.push(Operation { direction, bytes: rest, hidden, lost });
                        rest = after;
                    }
                }
            }
            operations
        })
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 1500, ..Default::default() })]
    #[test]
    fn the_same_is_found_in_masked_conversations(operations in conversation()) {
        check(&operations);
    }
}

fn operations(all: &[(Direction, &str)]) -> Vec<Operation> {
    all.iter()
        .map(|(direction, text)| Operation {
            direction: *direction,
            bytes: text.as_bytes().to_vec(),
            hidden: 0,
            lost: false,
        })
        .collect()
}

#[test]
fn what_is_no_http_is_blanked() {
    use Direction::{Request, Response};
    for conversation in [
        &[(Request, "\x16\x03\x01 hunter2\n"), (Response, "hunter2\n")][..],
        &[(Request, "GET / HTTP/1.1\r\n\r\n"), (Response, "SSH hunter2\n"), (Request, "hunter2")],
        &[(Request, "GET / HTTP/1.1\r\n\r\n"), (Request, "hunter2=hunter2&hunter2\n")],
        &[
            (Request, "GET / HTTP/1.1\r\n\r\n"),
            (Request, "hunter2=hunter2&hun"),
            (Request, "ter2\n"),
        ],
        &[(Request, "POST http://me:hunter2@h/?sig=hunter2 HTTP/1.0\r\n\r\nhunter2")],
        &[(Request, "GET / hunter2"), (Request, "hunter2\r\nhunter2\r\n\r\n")],
        &[(Request, "PROXY hunter2 hunter2\r\nGET / HTTP/1.1\r\n\r\n")],
        &[(Request, "PRO"), (Request, "XY hunter2 hunter2\r\nGET / HTTP/1.1\r\n\r\n")],
        &[(Request, "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x07hunter2GET / HTTP/1.1\r\n\r\n")],
        &[(Request, "PRO"), (Request, "PFIND /?token=hunter2 HTTP/1.1\r\n\r\n")],
        &[(Request, "CONNECT h:1 HTTP/1.1\r\n\r\n"), (Response, "HTTP/1.1 200 OK\r\n\r\nhunter2")],
        &[(Request, "HTTP/1.1 200 OK\r\nCookie: hunter2\r\n\r\n"), (Request, "GET / H")],
    ] {
        let conversation = operations(conversation);
        check(&conversation);
    }
}
