//! Whole conversations: order, interim responses, upgrades, closing.

use super::Conversation;
use crate::protocol::http1::{Direction, Event, Limits, Version};

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const ASKED: [&str; 3] = ["> 0", "> GET /a", "> end 0"];
const ANSWERED: [&str; 3] = ["<", "< 200 Length(2)", "< end 2"];

#[test]
fn one_exchange() {
    let mut c = Conversation::new();
    assert_eq!(c.request(GET).said(), ASKED);
    assert_eq!(c.response(OK).said(), ANSWERED);
    assert_eq!(c.close_both().said(), [""; 0]);
}

#[test]
fn moments_are_those_of_first_and_last_bytes() {
    let mut c = Conversation::new();
    c.request(b"G").request(&GET[1..]).response(b"HTTP/1.1 200 OK\r\n");
    c.response(b"Content-Length: 2\r\n\r\no").response(b"k");
    let orders: Vec<u64> = c
        .events
        .iter()
        .filter_map(|event| match event {
            Event::RequestStarted { at, .. }
            | Event::RequestHead(_, at)
            | Event::RequestEnded { at, .. }
            | Event::ResponseStarted { at }
            | Event::ResponseHead(_, at)
            | Event::ResponseEnded { at, .. } => Some(at.order),
            _ => None,
        })
        .collect();
    assert_eq!(orders, [1, 2, 2, 3, 4, 5]);
}

#[test]
fn the_head_says_what_spans_need() {
    let mut c = Conversation::new();
    c.request(
        b"POST http://u:p@h:81/x?a=1&token=abc HTTP/1.0\r\nHost: other\r\nUser-Agent: curl/8\r\n\
          Expect: 100-Continue\r\nContent-Length: 3\r\nUpgrade: h2c\r\n\
          b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1\r\n\r\n",
    );
    let head = c.events.iter().find_map(|event| match event {
        Event::RequestHead(head, _) => Some(head.clone()),
        _ => None,
    });
    let head = head.unwrap();
    assert_eq!((head.path(), head.query()), ("/x", Some("a=1&token=***")));
    assert_eq!((head.scheme(), head.host.as_deref()), (Some("http"), Some("h:81")));
    assert_eq!((head.version, head.user_agent.as_deref()), (Version::Http10, Some("curl/8")));
    assert_eq!((head.content_length, head.expect_continue), (Some(3), true));
    assert_eq!(head.upgrade.as_deref(), Some("h2c"));
    assert!(head.context.context.is_some());
}

#[test]
fn long_targets_are_cut() {
    let mut c = Conversation::with(Limits { max_target: 10, ..Limits::default() });
    c.request(b"GET /a?token=abcdef HTTP/1.1\r\n\r\n");
    let Some(Event::RequestHead(head, _)) = c.events.get(1) else { panic!("{:?}", c.events) };
    assert_eq!((head.target.as_str(), head.target_cut), ("/a?token=*", true));
}

#[test]
fn pipelined_back_to_back_and_interleaved() {
    let mut c = Conversation::new();
    let two = [GET, b"HEAD /b HTTP/1.1\r\n\r\n"].concat();
    let want = ["> 0", "> GET /a", "> end 0", "> 28", "> HEAD /b", "> end 0"];
    assert_eq!(c.request(&two).said(), want);
    assert_eq!(c.response(OK).said(), ANSWERED);
    assert_eq!(c.request(b"DELETE /c HTTP/1.1\r\n\r\n").said(), ["> 48", "> DELETE /c", "> end 0"]);
    let both = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 204 No\r\n\r\n";
    let want = ["<", "< 200", "< end 0", "<", "< 204", "< end 0"];
    assert_eq!(c.response(both).said(), want);
}

#[test]
fn interim_responses_are_passed_over() {
    let mut c = Conversation::new();
    c.request(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").said();
    assert_eq!(c.response(b"HTTP/1.1 100 Continue\r\n\r\n").said(), [""; 0]);
    assert_eq!(c.request(b"ab").said(), ["> end 2"]);
    let hints = [b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", OK].concat();
    assert_eq!(c.response(&hints).said(), ANSWERED);
}

#[test]
fn a_body_that_waited_for_100_is_not_waited_for_after_a_final_answer() {
    let mut c = Conversation::new();
    c.request(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 90\r\n\r\n");
    c.response(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n").said();
    let want = ["> end 0 cut", "> 60", "> GET /a", "> end 0"];
    assert_eq!(c.request(GET).said(), want);
    assert_eq!(c.response(OK).said(), ANSWERED);
}

#[test]
fn a_response_may_come_before_the_request_is_over() {
    let mut c = Conversation::new();
    c.request(b"PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab").said();
    assert_eq!(c.response(OK).said(), ANSWERED);
    assert_eq!(c.request(b"cd").said(), ["> end 4"]);
}

#[test]
fn upgrade_and_connect_end_http() {
    let mut c = Conversation::new();
    c.request(b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n").said();
    let want = ["<", "< 101", "< end 0", "left WebSocket"];
    assert_eq!(c.response(b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05").said(), want);
    assert_eq!(c.request(GET).response(OK).close_both().said(), [""; 0]);

    let mut c = Conversation::new();
    c.request(b"GET /tty HTTP/1.1\r\nUpgrade: tcp\r\n\r\n").said();
    let want = ["<", "< 101", "< end 0", "left Upgrade"];
    assert_eq!(c.response(b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05").said(), want);
    assert_eq!(c.request(GET).response(OK).close_both().said(), [""; 0]);

    let mut c = Conversation::new();
    c.request(b"CONNECT h:443 HTTP/1.1\r\n\r\n\x16\x03\x01").said();
    let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\x16\x03";
    assert_eq!(c.response(ok).said(), ["<", "< 200", "< end 0", "left Tunnel"]);
}

#[test]
fn a_refused_connect_is_an_exchange_like_others() {
    let mut c = Conversation::new();
    c.request(b"CONNECT h:443 HTTP/1.1\r\n\r\n");
    c.response(b"HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nno");
    let want = ["> 0", "> CONNECT h:443", "> end 0", "<", "< 407 Length(2)", "< end 2"];
    assert_eq!(c.said(), want);
    c.request(GET).response(OK);
    let said = c.said();
    assert_eq!(
        (&said[1..3], &said[3..]),
        (&["> GET /a".into(), "> end 0".into()][..], &ANSWERED.map(String::from)[..])
    );
}

#[test]
fn open_exchanges_end_with_the_connection() {
    let mut c = Conversation::new();
    c.request(GET).request(GET).said();
    assert_eq!(c.close(Direction::Request).said(), [""; 0]);
    c.response(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").said();
    assert_eq!(c.close(Direction::Response).said(), ["< end 3 cut", "abandoned Closed"]);
    assert_eq!(c.close_both().said(), [""; 0]);

    let mut c = Conversation::new();
    assert_eq!(c.request(b"GET /").close_both().said(), ["> 0", "> end 0 cut", "abandoned Closed"]);
}

#[test]
fn a_request_on_a_connection_that_the_server_closed() {
    let mut c = Conversation::new();
    c.close(Direction::Response).request(GET);
    assert_eq!(c.said(), ASKED);
    assert_eq!(c.close(Direction::Request).said(), ["abandoned Closed"]);
}

#[test]
fn heads_split_anywhere_and_blank_lines_before() {
    let mut c = Conversation::new();
    for byte in [b"\r\n", GET].concat() {
        c.request(&[byte]);
    }
    assert_eq!(c.said(), ["> 2", "> GET /a", "> end 0"]);
    for byte in OK {
        c.response(&[*byte]);
    }
    assert_eq!(c.said(), ANSWERED);
}

#[test]
fn unknown_methods_are_accepted_once_the_head_is_read() {
    let mut c = Conversation::new();
    assert_eq!(c.request(b"FOO /x HT").said(), [""; 0]);
    assert_eq!(c.request(b"TP/1.1\r\n\r\n").said(), ["> 0", "> FOO /x", "> end 0"]);
    assert_eq!(c.response(OK).said(), ANSWERED);
}

#[test]
fn a_proxy_prefix_is_passed_over() {
    let mut c = Conversation::new();
    let bytes = [b"PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n", GET].concat();
    assert_eq!(c.request(&bytes).said(), ["> 37", "> GET /a", "> end 0"]);
    for at in 1..37 {
        let mut c = Conversation::new();
        c.request(&bytes[..at]).request(&bytes[at..]);
        assert_eq!(c.said(), ["> 37", "> GET /a", "> end 0"]);
    }
    let mut c = Conversation::new();
    for byte in b"PROPFIND /a HTTP/1.1\r\n\r\n" {
        c.request(&[*byte]);
    }
    assert_eq!(c.said(), ["> 0", "> PROPFIND /a", "> end 0"]);
}

#[test]
fn a_request_is_told_with_its_first_byte() {
    assert_eq!(Conversation::new().request(b"G").said(), ["> 0"]);
    assert_eq!(Conversation::new().request(b"PO").said(), ["> 0"]);
    // These may be a PROXY prefix.
    assert_eq!(Conversation::new().request(b"PRO").said(), [""; 0]);
    assert_eq!(Conversation::new().request(b"\r\n").request(b"G").said(), ["> 2"]);
}

#[test]
fn too_many_open_requests_end_it() {
    let mut c = Conversation::with(Limits { max_pending: 2, ..Limits::default() });
    c.request(GET).request(GET).said();
    let want = ["too_many_pending", "abandoned Left", "abandoned Left", "left TooDeep"];
    assert_eq!(c.request(GET).said(), want);
    assert_eq!(c.request(GET).response(OK).said(), [""; 0]);
}
