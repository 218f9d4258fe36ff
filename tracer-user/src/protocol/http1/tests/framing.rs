//! Where bodies end, and heads that cannot be read.

use super::Conversation;
use crate::protocol::http1::{Direction, Limits};

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

/// What is said of a response to GET.
fn response(bytes: &[u8]) -> Vec<String> {
    let mut c = Conversation::new();
    c.request(GET).said();
    c.response(bytes).said()
}

/// What is said of a request.
fn request(bytes: &[u8]) -> Vec<String> {
    Conversation::new().request(bytes).said()
}

#[test]
fn transfer_encoding_wins_over_content_length() {
    let both = b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n\
                 5\r\nabcde\r\n0\r\nX: y\r\n\r\n";
    assert_eq!(request(both), ["> 0", "> POST /", "> end 5"]);
    let both = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n";
    assert_eq!(response(both), ["<", "< 200 Chunked", "< end 0"]);
}

#[test]
fn a_response_without_framing_ends_with_the_connection() {
    let mut c = Conversation::new();
    c.request(GET).said();
    c.response(b"HTTP/1.0 200 OK\r\n\r\nabc").operation(Direction::Response, 9, b"", b"");
    assert_eq!(c.said(), ["<", "< 200 UntilClose"]);
    assert_eq!(c.close(Direction::Response).said(), ["< end 12"]);
}

#[test]
fn no_body_with_head_204_and_304() {
    for (method, status) in [("HEAD", "200"), ("GET", "204"), ("GET", "304")] {
        let mut c = Conversation::new();
        c.request(format!("{method} / HTTP/1.1\r\n\r\n").as_bytes()).said();
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 10\r\n\r\n");
        let want = ["<".to_owned(), format!("< {status}"), "< end 0".to_owned()];
        assert_eq!(c.response(head.as_bytes()).said(), want);
    }
}

#[test]
fn bodies_of_known_length_need_no_bytes() {
    let mut c = Conversation::new();
    c.request(GET).said();
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    c.operation(Direction::Response, 50_000, head, b"x");
    c.operation(Direction::Response, 50_000 + head.len() as u64, b"", b"");
    assert_eq!(c.said(), ["<", "< 200 Length(100000)", "< end 100000"]);
    c.request(GET).said();
    c.response(b"HTTP/1.1 204 X\r\n\r\n");
    assert_eq!(c.said(), ["<", "< 204", "< end 0"]);
}

#[test]
fn chunks_are_followed_over_hidden_bytes() {
    let mut c = Conversation::new();
    c.request(GET).said();
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\nabc";
    let len = head.len() as u64 + 0x1000 - 3 + 7;
    c.operation(Direction::Response, len, head, b"z\r\n0\r\n\r\n");
    assert_eq!(c.said(), ["<", "< 200 Chunked", "< end 4096"]);
    // The end was exact: what follows needs no plausibility.
    assert_eq!(
        c.request(GET).response(b"?").said()[3..],
        ["response_head", "abandoned Unreadable(ResponseHead)"]
    );
}

#[test]
fn conflicting_lengths_are_faults() {
    let bad = b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd";
    assert_eq!(request(bad), ["> 0", "> POST /", "content_length", "> end 0 cut"]);
    let bad = b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabcd";
    assert_eq!(response(bad), ["<", "< 200", "< end 0 cut", "content_length"]);
    let fine = b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc";
    assert_eq!(request(fine), ["> 0", "> POST /", "> end 3"]);
}

#[test]
fn malformed_heads_are_counted_and_the_next_one_is_found() {
    let mut c = Conversation::new();
    let want = ["> 0", "request_head", "> end 0 cut"];
    assert_eq!(c.request(b"GET / a b c\r\nx\r\n\r\n").said(), want);
    c.response(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(c.said(), ["<", "< 400", "< end 0"]);
    assert_eq!(c.request(b"zzz").request(GET).said()[1..], ["> GET /a", "> end 0"]);
    assert_eq!(c.response(b"HTTP/1.1 204 X\r\n\r\n").said(), ["<", "< 204", "< end 0"]);
}

#[test]
fn what_is_not_http_is_one_fault() {
    assert_eq!(request(b"*1\r\n$4\r\nPING\r\n"), ["request_head"]);
    assert_eq!(request(b"\x16\x03\x01\x02"), ["request_head"]);
    assert_eq!(request(b"EHLO x\r\n"), ["request_head"]);
}

#[test]
fn long_heads_and_many_fields_are_bounded() {
    let limits = Limits { max_head: 100, max_headers: 2, ..Limits::default() };
    let mut c = Conversation::with(limits.clone());
    for byte in b"GET / HTTP/1.1\r\nX: ".iter().chain(&[b'x'; 90]) {
        c.request(&[*byte]);
    }
    assert_eq!(c.said(), ["> 0", "head_too_long", "> GET /", "> end 0 cut"]);
    let mut c = Conversation::with(limits);
    let many = b"GET / HTTP/1.1\r\nA: b\r\nA: b\r\nA: b\r\n\r\n";
    assert_eq!(c.request(many).said(), ["> 0", "too_many_headers", "> GET /", "> end 0 cut"]);
    let fields = |n: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(n));
    assert_eq!(request(fields(128).as_bytes()), ["> 0", "> GET /", "> end 0"]);
    assert_eq!(request(fields(129).as_bytes())[1], "too_many_headers");
}

#[test]
fn a_head_of_16_kib_is_read_to_its_last_byte() {
    let (start, end) = ("GET / HTTP/1.1\r\nX: ", "\r\nUser-Agent: last\r\n\r\n");
    let fill = "x".repeat(16 * 1024 - start.len() - end.len());
    let head = format!("{start}{fill}{end}");
    assert_eq!(request(head.as_bytes()), ["> 0", "> GET /", "> end 0"]);
    assert_eq!(request(format!("{start}x{fill}{end}").as_bytes())[1], "head_too_long");
}

#[test]
fn broken_chunks_end_the_message() {
    let bad = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef";
    assert_eq!(response(bad), ["<", "< 200 Chunked", "chunk", "< end 3 cut"]);
}
