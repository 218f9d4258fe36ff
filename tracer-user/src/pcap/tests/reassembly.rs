//! Segments that are lost, late, repeated, overlapping or cut.

use super::wire::{
    ACK, Client, FIN, GET, MILLISECOND, OK, Outcome, RAW, RST, START, SYN, Server, Wire, attribute,
    file,
};

/// An exchange split into segments, the request's in this order.
fn split(order: &[usize]) -> Wire {
    let mut wire = Wire::new().open();
    let first = wire.next[0];
    let parts: Vec<_> = GET.chunks(5).collect();
    for &at in order {
        wire.segment(Client, first + 5 * at as u32, ACK, parts[at]);
    }
    wire.lose(Client, GET.len() as u32).say(Server, OK);
    wire
}

#[test]
fn in_and_out_of_order() {
    split(&[0, 1, 2, 3, 4, 5, 6]).outcome().assert_one();
    split(&[6, 5, 4, 3, 2, 1, 0]).outcome().assert_one();
    split(&[3, 0, 1, 2, 6, 4, 5]).outcome().assert_one();
}

#[test]
fn repetitions_are_no_second_request() {
    let outcome = split(&[0, 0, 1, 2, 1, 3, 4, 5, 6, 0, 6]).outcome();
    outcome.assert_one();
    assert_eq!(outcome.passed_over("repeated_segments"), 4);
    // A keep-alive probe: one byte, or none, before what comes next.
    let mut wire = Wire::new().open();
    wire.exchange();
    wire.segment(Client, wire.next[0].wrapping_sub(1), ACK, b"\0").exchange();
    assert_eq!(wire.outcome().lines(), ["GET /a 200"; 2]);
}

#[test]
fn of_overlapping_segments_the_first_counts() {
    let mut wire = Wire::new().open();
    let first = wire.next[0];
    // What waits is not replaced, nor is what was handed on; only holes are filled.
    wire.segment(Client, first + 10, ACK, &GET[10..20]);
    wire.segment(Client, first + 5, ACK, &[&GET[5..10], &b"xxxxxxxxxx"[..], &GET[20..]].concat());
    wire.segment(Client, first, ACK, &[&GET[..5], &b"yyyyyyy"[..]].concat());
    wire.segment(Client, first + 2, ACK, b"zzz");
    wire.lose(Client, GET.len() as u32).say(Server, OK);
    wire.outcome().assert_one();
}

#[test]
fn sequence_numbers_wrap() {
    let mut wire = Wire::new();
    wire.next = [u32::MAX - 10, u32::MAX - 3];
    let mut wire = wire.open();
    for _ in 0..3 {
        wire.exchange();
    }
    assert_eq!(wire.outcome().lines(), ["GET /a 200"; 3]);
}

#[test]
fn what_the_peer_got_and_the_capture_lacks_is_a_gap() {
    let mut wire = Wire::new().open();
    let long = b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n";
    wire.say(Client, GET).say(Server, long);
    wire.lose(Server, 1000).say(Server, &[b'x'; 2000]);
    wire.exchange();
    let outcome = wire.outcome();
    assert_eq!(outcome.lines(), ["GET /a 200", "GET /a 200"]);
    assert_eq!(outcome.lost("capture_gaps"), 1);
    let body = attribute(&outcome.spans[0], "http.response.body.size");
    assert_eq!(body.as_deref(), Some("3000"), "the lost bytes count");
}

#[test]
fn a_gap_that_nobody_fills_is_not_waited_for_without_end() {
    let mut wire = Wire::new().open();
    // Nothing of the client's is captured from here on that would acknowledge anything.
    wire.say(Client, GET).lose(Server, 1000);
    let numbers = wire.next;
    for _ in 0..3000 {
        wire.say(Server, &[b'x'; 10]);
    }
    wire.say(Server, OK);
    let outcome = wire.outcome();
    assert_eq!(outcome.lost("capture_gaps"), 1);
    assert_eq!(outcome.lines(), ["GET /a 200"], "from {numbers:?} on");
}

#[test]
fn a_request_whose_head_is_lost_in_part_keeps_its_name() {
    let mut wire = Wire::new().open();
    wire.say(Client, b"POST /long HTTP/1.1\r\nHost: there\r\nCookie: a=b");
    wire.lose(Client, 300).say(Server, OK).exchange();
    let outcome = wire.outcome();
    assert_eq!(outcome.lines(), ["POST /long 200 bytes_lost", "GET /a 200"]);
    assert_eq!((outcome.lost("capture_gaps"), outcome.lost("head_unseen")), (1, 1));
    // The same where the capture begins with it.
    let mut wire = Wire::new();
    wire.say(Client, b"POST /long HTTP/1.1\r\nHost: there\r\nCookie: a=b");
    wire.lose(Client, 300).say(Server, OK);
    let lines = wire.outcome().lines();
    assert!(lines.len() == 1 && lines[0].starts_with("POST /long 200 "), "{lines:?}");
}

#[test]
fn packets_cut_by_the_snapshot_length_count_whole() {
    let mut wire = Wire::new().open();
    let long = [&b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"[..], &[b'x'; 1000]].concat();
    wire.say(Client, GET).say(Server, &long).exchange();
    for (_, packet) in &mut wire.packets {
        packet.truncate(120);
    }
    let outcome = wire.outcome();
    assert_eq!(outcome.lines(), ["GET /a 200"; 2]);
    let body = attribute(&outcome.spans[0], "http.response.body.size");
    assert_eq!(body.as_deref(), Some("1000"));
}

#[test]
fn large_segments_of_offloading_cards() {
    let mut wire = Wire::new().open();
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n";
    wire.say(Client, GET).say(Server, &[&head[..], &[b'x'; 60_000]].concat()).exchange();
    let outcome = wire.outcome();
    assert_eq!(outcome.lines(), ["GET /a 200"; 2]);
    assert!(outcome.replayed.losses.is_empty(), "{:?}", outcome.replayed);
}

#[test]
fn times_are_those_of_first_and_last_byte() {
    let mut wire = Wire::new().open();
    let (first, second) = OK.split_at(10);
    wire.say(Client, GET).say(Server, first).say(Server, second);
    let outcome = wire.outcome();
    let span = &outcome.spans[0];
    let at = |number: u64| START + number * MILLISECOND;
    assert_eq!((span.start, span.end), (at(4), at(6)));
}

#[test]
fn a_connection_found_in_the_middle() {
    let mut wire = Wire::new();
    wire.say(Server, b"...the rest of some body").exchange().exchange();
    wire.outcome().lines().iter().for_each(|line| assert_eq!(line, "GET /a 200"));
    assert_eq!(wire.outcome().spans.len(), 2);
    // H begins HEAD as well as HTTP.
    let mut wire = Wire::new();
    wire.say(Client, b"H").say(Client, b"EAD /h HTTP/1.1\r\n\r\n");
    wire.say(Server, b"H").say(Server, b"TTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(wire.outcome().lines(), ["HEAD /h 204"]);
}

#[test]
fn without_a_syn_the_content_tells_who_is_the_client() {
    let mut wire = Wire::between("10.0.0.9:80", "10.0.0.1:40000");
    wire.exchange();
    let outcome = wire.outcome();
    outcome.assert_one();
    let client = attribute(&outcome.spans[0], "client.address");
    assert_eq!(client.as_deref(), Some("10.0.0.9"));
}

#[test]
fn a_server_that_opened_the_connection() {
    let mut wire = Wire::between("10.0.0.1:80", "10.0.0.2:40000");
    wire.send(Server, SYN, b"").send(Client, SYN | ACK, b"").send(Server, ACK, b"");
    wire.exchange();
    let outcome = wire.outcome();
    outcome.assert_one();
    let server = attribute(&outcome.spans[0], "server.port");
    assert_eq!(server.as_deref(), Some("40000"));
}

#[test]
fn a_port_that_is_used_again_is_a_new_connection() {
    let mut wire = Wire::new().open();
    wire.say(Client, b"GET /unanswered HTTP/1.1\r\n\r\n");
    wire.next = [700_000, 900_000];
    let mut wire = wire.open();
    // The same SYN once more is none.
    let syn = wire.packets[4].1.clone();
    wire.packets.push((wire.now, syn));
    wire.exchange();
    let outcome = wire.outcome();
    assert_eq!(outcome.lines(), ["GET /unanswered connection_closed", "GET /a 200"]);
}

#[test]
fn ids_differ_even_where_sequence_numbers_do_not() {
    let mut both = vec![];
    for port in [40_000, 40_001] {
        let mut wire = Wire::between(&format!("10.0.0.1:{port}"), "10.0.0.2:80").open();
        wire.exchange();
        both.extend(wire.packets);
    }
    let outcome = Outcome::of(&file(RAW, &both));
    let [one, other] = &outcome.spans[..] else { panic!("{:?}", outcome.lines()) };
    assert!(one.span_id != other.span_id && one.trace_id != other.trace_id);
}

#[test]
fn ends_and_resets_end_a_response() {
    let close = b"HTTP/1.0 200 OK\r\n\r\nuntil the end";
    let mut wire = Wire::new().open();
    wire.say(Client, GET).say(Server, close).send(Server, FIN | ACK, b"");
    wire.send(Client, FIN | ACK, b"");
    // What is left of an old connection is no new one.
    wire.segment(Server, wire.next[1].wrapping_sub(1), ACK, b"x");
    wire.outcome().assert_one();
    let mut wire = Wire::new().open();
    wire.say(Client, GET).send(Server, RST | ACK, b"");
    assert_eq!(wire.outcome().lines(), ["GET /a connection_closed"]);
}

#[test]
fn an_end_that_overtakes_waits_its_turn() {
    let close = b"HTTP/1.0 200 OK\r\n\r\nuntil the end";
    let mut wire = Wire::new().open();
    wire.say(Client, GET);
    let first = wire.next[1];
    wire.segment(Server, first + close.len() as u32, FIN | ACK, b"");
    wire.segment(Server, first, ACK, close);
    let outcome = wire.outcome();
    outcome.assert_one();
    let body = attribute(&outcome.spans[0], "http.response.body.size");
    assert_eq!(body.as_deref(), Some("13"));
}

#[test]
fn other_protocols_are_left_alone() {
    let mut wire = Wire::new().open();
    wire.say(Server, b"220 mail ESMTP\r\n").say(Client, b"EHLO x\r\n");
    wire.say(Client, b"GET / HTTP/1.1\r\n\r\n").say(Server, OK);
    let outcome = wire.outcome();
    assert!(outcome.spans.is_empty(), "{:?}", outcome.lines());
    assert_eq!(outcome.passed_over("not_http_connections"), 1);
}
