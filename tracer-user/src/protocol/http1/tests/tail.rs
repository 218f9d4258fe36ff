//! Chunked bodies whose chunks cannot be followed.

use super::Conversation;
use crate::protocol::http1::Direction::{Request, Response};

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A response whose body is in tail mode, with nothing more said.
fn in_tail() -> Conversation {
    let mut c = Conversation::new();
    c.request(GET).operation(Response, 1000, CHUNKED, b"abc");
    assert_eq!(c.said().last().map(String::as_str), Some("< 200 Chunked"));
    c
}

#[test]
fn the_end_is_reported_at_once() {
    let mut c = in_tail();
    assert_eq!(c.operation(Response, 500, b"x", b"y\r\n0\r\n\r\n").said().len(), 1);
    let said = c.request(GET).response(OK).said();
    assert_eq!(said[3..], ["<", "< 200 Length(2)", "< end 2"]);
}

#[test]
fn a_mistaken_end_is_counted_and_the_true_one_told() {
    let mut c = in_tail();
    let ended = c.operation(Response, 500, b"x", b"y\r\n0\r\n\r\n").said();
    // The first five bytes are chunk data; what was not followed counts as it is.
    let size = 1000 - CHUNKED.len() as u64 + 500;
    assert_eq!(ended, [format!("< end {size}")]);
    assert_eq!(c.operation(Response, 500, b"more", b"data").said(), ["chunked_end_mistaken"]);
    let extended = c.response(b"\r\n0\r\n\r\n").said();
    assert_eq!(extended, [format!("extended Response {}", size + 507)]);
    let said = c.request(GET).response(OK).said();
    assert_eq!(said[1..], ["> GET /a", "> end 0", "<", "< 200 Length(2)", "< end 2"]);
}

#[test]
fn data_that_looks_like_a_head_without_a_request_extends_too() {
    let mut c = in_tail();
    c.operation(Response, 500, b"x", b"y\r\n0\r\n\r\n").said();
    assert_eq!(c.response(OK).said(), ["chunked_end_mistaken"]);
}

#[test]
fn a_missed_end_is_shown_by_the_next_response() {
    let mut c = in_tail();
    c.operation(Response, 500, b"x", b"y").request(GET).said();
    let said = c.response(OK).said();
    assert_eq!(said[0], "chunked_end_missed");
    assert!(said[1].ends_with("cut"), "{said:?}");
    assert_eq!(said[2..], ["<", "< 200 Length(2)", "< end 2"]);
}

#[test]
fn a_missed_end_of_a_request_is_shown_by_the_next_one() {
    let mut c = Conversation::new();
    let head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n";
    c.operation(Request, 1000, head, b"abc").response(OK).said();
    let said = c.request(GET).response(OK).said();
    assert_eq!(said[0], "chunked_end_missed");
    assert!(said[1].ends_with("cut"), "{said:?}");
    assert_eq!(said[2..], ["> 1000", "> GET /a", "> end 0", "<", "< 200 Length(2)", "< end 2"]);
}

#[test]
fn trailers_and_a_head_behind_the_end_are_seen() {
    let mut c = in_tail();
    assert_eq!(c.response(b"\r\n0\r\nServer-Timing: x\r\n\r\n").said().len(), 1);
    let mut c = in_tail();
    c.request(GET).said();
    let said = c.response(&[b"data\r\n0\r\n\r\n", OK].concat()).said();
    assert!(said[0].starts_with("< end") && !said[0].ends_with("cut"), "{said:?}");
    assert_eq!(said[1..], ["<", "< 200 Length(2)", "< end 2"]);
}

#[test]
fn closing_ends_it_complete_only_where_an_end_is_possible() {
    let mut c = in_tail();
    assert!(c.close(Response).said()[0].ends_with("cut"));
    let mut c = in_tail();
    assert!(!c.operation(Response, 500, b"", b"").close(Response).said()[0].ends_with("cut"));
}

#[test]
fn a_body_that_is_not_answered_yet_may_hold_requests() {
    let mut c = Conversation::new();
    let head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n";
    c.operation(Request, 1000, head, b"abc").said();
    assert_eq!(c.request(GET).said(), [""; 0]);
    assert_eq!(c.request(b"\r\n0\r\n\r\n").said().len(), 1);
    assert_eq!(c.response(OK).said(), ["<", "< 200 Length(2)", "< end 2"]);
}
