//! Missing operations and hidden beginnings: nothing is answered by another's response.

use super::Conversation;
use crate::connection::{Chunk, Moment};
use crate::protocol::http1::Direction::{Request, Response};

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const ANSWERED: [&str; 3] = ["<", "< 200 Length(2)", "< end 2"];

/// The next exchange is told right.
fn goes_on(c: &mut Conversation) {
    c.said();
    let said = c.request(GET).response(OK).said();
    let at = said.iter().position(|line| line == "> GET /a").unwrap();
    assert_eq!(said[at + 1], "> end 0");
    assert_eq!(said[at + 2..], ANSWERED, "{said:?}");
}

#[test]
fn a_gap_within_a_body_of_known_length_is_bridged() {
    let mut c = Conversation::new();
    c.request(GET).response(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab").said();
    assert_eq!(c.lose(Response, 6).response(b"ij").said(), ["< end 10"]);
    goes_on(&mut c);
}

#[test]
fn a_gap_within_a_chunk_is_bridged() {
    let mut c = Conversation::new();
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n";
    c.request(GET).response(head).said();
    assert_eq!(c.lose(Response, 255).response(b"\r\n0\r\n\r\n").said(), ["< end 255"]);
    let mut c = Conversation::new();
    c.request(GET).response(head).said();
    assert_eq!(c.lose(Response, 300).response(b"x").said(), ["gap"]);
    assert_eq!(c.response(b"\r\n0\r\n\r\n").said(), ["< end 308"]);
    goes_on(&mut c);
}

#[test]
fn a_gap_beyond_a_body_loses_sync() {
    let mut c = Conversation::new();
    c.request(GET).response(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab").said();
    c.lose(Response, 50).response(b"rest");
    assert_eq!(c.said(), ["< end 10", "gap"]);
    goes_on(&mut c);
}

#[test]
fn a_lost_response_is_not_replaced_by_the_next() {
    let mut c = Conversation::new();
    c.request(GET).lose(Response, OK.len() as u64).request(b"GET /b HTTP/1.1\r\n\r\n").said();
    // That a response is missing shows only now, and either request may be meant.
    assert_eq!(c.response(OK).said(), ["abandoned Loss", "abandoned Loss", "response_unmatched"]);
    goes_on(&mut c);
}

#[test]
fn a_hidden_response_is_noticed_at_once() {
    let mut c = Conversation::new();
    c.request(GET).operation(Response, 100, b"", b"");
    assert_eq!(c.said()[3..], ["message_start_unseen"]);
    assert_eq!(c.request(b"GET /b HTTP/1.1\r\n\r\n").said()[0], "abandoned Loss");
    assert_eq!(c.response(OK).said(), ANSWERED);
    goes_on(&mut c);
}

#[test]
fn a_lost_request_does_not_shift_the_others() {
    let mut c = Conversation::new();
    c.lose(Request, 50).response(OK);
    assert_eq!(c.said(), ["response_unmatched"]);
    goes_on(&mut c);
    c.lose(Request, 50).response(OK).said();
    assert_eq!(c.request(GET).said()[0], "gap");
    assert_eq!(c.response(OK).said(), ANSWERED);
}

#[test]
fn a_request_pipelined_behind_a_gap_is_given_up() {
    let mut c = Conversation::new();
    c.request(GET).lose(Request, 50).request(b"GET /c HTTP/1.1\r\n\r\n").said();
    assert_eq!(c.response(OK).said(), ANSWERED);
    assert_eq!(c.response(OK).said(), ["abandoned Loss", "response_unmatched"]);
    assert_eq!(c.response(OK).said(), ["response_unmatched"]);
    goes_on(&mut c);
}

#[test]
fn overlapping_bytes_are_read_once() {
    let mut c = Conversation::new();
    c.request(b"GET /a HT");
    let chunk = Chunk { at: Moment::default(), position: 4, len: 24, head: &GET[4..], tail: b"" };
    c.at(Request, chunk).at(Request, chunk);
    assert_eq!(c.said(), ["> 0", "> GET /a", "> end 0"]);
}

#[test]
fn a_connection_met_in_the_middle() {
    let mut c = Conversation::midstream();
    c.request(b"body of something").response(b"\r\n more").response(OK);
    assert_eq!(c.said(), ["response_unmatched"]);
    assert_eq!(c.response(b"unframed").said(), [""; 0]);
    goes_on(&mut c);
    let mut c = Conversation::midstream();
    c.request(b"G").request(&GET[1..]);
    assert_eq!(c.said(), ["> 1000", "> GET /a", "> end 0"]);
    assert_eq!(c.response(OK).said(), ANSWERED);
}

#[test]
fn a_message_that_begins_among_hidden_bytes() {
    let mut c = Conversation::new();
    c.request(GET).said();
    c.operation(Response, 500, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"xyz");
    assert_eq!(c.said(), ["<", "< 200 Length(10)", "< end 10", "message_start_unseen"]);
    goes_on(&mut c);
}

#[test]
fn a_head_that_is_not_all_there() {
    let mut c = Conversation::new();
    c.operation(Request, 500, b"GET /a HTTP/1.1\r\n", b"\r\n\r\n");
    assert_eq!(c.said(), ["> 0", "head_unseen", "> GET /a", "> end 0 cut"]);
    assert_eq!(c.response(OK).said(), ANSWERED);
    goes_on(&mut c);
    let mut c = Conversation::new();
    c.operation(Request, 500, b"GET /a HTT", b"\r\n\r\n");
    assert_eq!(c.said(), ["> 0", "head_unseen", "> end 0 cut"]);
    // Its response has no body, whatever it says.
    let mut c = Conversation::new();
    c.operation(Request, 500, b"HEAD /a HTTP/1.1\r\nA: b", b"");
    assert_eq!(c.said(), ["> 0", "head_unseen", "> HEAD /a", "> end 0 cut"]);
    c.response(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    assert_eq!(c.said(), ["<", "< 200", "< end 0"]);
    goes_on(&mut c);
}

#[test]
fn what_only_looked_like_a_request_takes_no_response() {
    let mut c = Conversation::midstream();
    c.request(b"GET is what we say\r\n");
    assert_eq!(c.said(), ["> 1000", "request_head", "> end 0 cut", "abandoned Loss"]);
    goes_on(&mut c);
}

#[test]
fn after_pipelining_a_loss_leaves_nothing_to_guess() {
    let mut c = Conversation::new();
    c.request(&[GET, GET].concat()).response(&[OK, OK].concat());
    c.request(GET).operation(Response, 100, b"", b"").said();
    assert_eq!(c.request(GET).said()[0], "abandoned Loss");
    assert_eq!(c.response(OK).said(), ["abandoned Loss", "response_unmatched"]);
    goes_on(&mut c);
}
