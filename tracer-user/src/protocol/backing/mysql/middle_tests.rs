//! Connections of which not all is seen, and bytes that are none of the protocol's.

use super::MySql;
use super::session::{
    COLUMN, EOF, EOF_MORE, ERR, LAST, OK, ROW, Session, greeting, handshake, packets,
};
use crate::protocol::backing::hostile::{batter, prefixes};
use crate::protocol::backing::testing::at;
use crate::protocol::backing::{Calls, Dialect, Split, Text};
use crate::protocol::http1::Direction::{Request, Response};

#[test]
fn the_end_of_an_answer_whose_middle_is_unknown_ends_it() {
    for (last, end) in [
        (EOF, Some("0 ends at 2 None ")),
        (LAST, Some("0 ends at 2 None ")),
        (ERR, Some("0 ends at 2 None 1146")),
        (EOF_MORE, None),
        (ROW, None),
    ] {
        let mut session = Session::new();
        session.send(3, b"select 1");
        let tail = [b"some bytes", &packets(77, &[last])[..]].concat();
        let mut calls = Calls::new(&mut session.found);
        session.dialect.lost(Response, at(2), &mut calls);
        assert!(!session.dialect.ends(Request, &tail, at(2), &mut calls));
        assert_eq!(session.dialect.ends(Response, &tail, at(2), &mut calls), last != ROW);
        assert_eq!(session.ends().first().map(String::as_str), end);
        if last == EOF_MORE {
            session.feed(Response, &packets(78, &[OK]));
            assert_eq!(session.ends(), ["0 ends at 2 None "]);
        }
    }
    // What comes behind what was not seen may tell, or the next command shows that it is over.
    let mut session = Session::new();
    session.send(3, b"select 1").dialect.lost(Response, at(1), &mut Calls::new(&mut vec![]));
    session.feed(Response, &packets(9, &[ROW, EOF])).send(3, b"select 2");
    session.dialect.lost(Response, at(1), &mut Calls::new(&mut vec![]));
    session.send(14, b"").answer(&[OK]);
    assert_eq!(session.ends(), ["0 ends at 2 None ", "1 abandoned", "2 ends at 5 None "]);
}

fn lose(session: &mut Session) {
    let at = at(session.time);
    session.dialect.lost(Response, at, &mut Calls::new(&mut session.found));
}

#[test]
fn a_lost_answer_is_not_replaced_by_the_next_one() {
    let mut session = Session::new();
    session.send(3, b"select 1");
    lose(&mut session);
    session.send(3, b"select 2");
    // What is left of the lost one does not begin as an answer does.
    assert!(!session.dialect.begins(Response, &packets(9, &[ROW, ROW, EOF])));
    let answer = [b"\x01", COLUMN, EOF, ROW, EOF];
    assert!(session.dialect.begins(Response, &packets(1, &answer)));
    session.answer(&answer);
    assert_eq!(session.ends(), ["0 abandoned", "1 ends at 3 Some(1) "]);
}

#[test]
fn an_answer_that_is_seen_from_its_beginning_is_whole() {
    for (answer, end) in [
        (&[OK][..], "1 ends at 3 None "),
        (&[b"\x01", COLUMN, EOF, ROW, EOF], "1 ends at 3 Some(1) "),
        (&[b"\0\x07\0\0\0\0\0\0\0\0\0\0"], "1 ends at 3 None "),
    ] {
        let mut session = Session::new();
        session.send(3, b"select 1");
        lose(&mut session);
        // The gap shows only behind the next request.
        session.send(if answer.len() == 1 { 0x16 } else { 3 }, b"select 2");
        lose(&mut session);
        assert_eq!(session.answer(answer).ends(), ["0 abandoned", end]);
    }
    // These are packets of which the first ones were not seen.
    let mut session = Session::new();
    session.send(3, b"select 1");
    lose(&mut session);
    session.answer(&[ROW, ROW]).feed(Response, &packets(3, &[EOF]));
    assert_eq!(session.ends(), ["0 ends at 3 None "]);
}

#[test]
fn of_several_answers_of_which_some_are_lost_none_is_told() {
    let mut session = Session::new();
    session.send(3, b"select 1").send(0x16, b"select 2").send(14, b"");
    lose(&mut session);
    session.answer(&[ERR]);
    assert_eq!(session.ends(), ["0 abandoned", "1 abandoned", "2 abandoned"]);
    // This may be answered by what is still to come.
    session.send(3, b"use a").answer(&[OK]).answer(&[ERR]);
    session.send(3, b"use b").answer(&[OK]);
    assert_eq!(session.ends(), ["3 abandoned", "4 abandoned"]);
    session.send(14, b"").answer(&[ERR]).send(14, b"").send(14, b"").answer(&[OK]).answer(&[ERR]);
    let ends = ["5 ends at 11 None 1146", "6 ends at 14 None ", "7 ends at 15 None 1146"];
    assert_eq!(session.ends(), ends);
    // The same where only the end of an answer is seen, or none before the next request.
    session.send(14, b"").send(14, b"");
    lose(&mut session);
    let mut calls = Calls::new(&mut session.found);
    assert!(!session.dialect.ends(Response, &packets(3, &[EOF]), at(16), &mut calls));
    assert_eq!(session.ends(), ["8 abandoned", "9 abandoned"]);
    session.send(14, b"").send(14, b"");
    lose(&mut session);
    session.send(14, b"").answer(&[OK]);
    assert_eq!(session.ends(), ["10 abandoned", "11 abandoned", "12 abandoned"]);
}

#[test]
fn a_client_says_who_it_is_where_no_greeting_was_seen() {
    for sequence in [1, 2] {
        let login = packets(sequence, &[&handshake(1)]);
        let mut session = Session::new();
        assert!(session.dialect.begins(Request, &login));
        assert_eq!(session.dialect.split(Request, &login[..20]), Split::More);
        session.feed(Request, &login).feed(Response, &packets(sequence + 1, &[OK]));
        assert_eq!(session.send(14, b"").answer(&[OK]).asks(), ["0 PING|PING|-|shop"]);
        assert!(!session.dialect.begins(Request, &login));
    }
    let mut session = Session::new();
    session.feed(Request, &packets(2, &[&handshake(1 | 1 << 5)]));
    session.feed(Response, &packets(3, &[b"\xfeplugin\0x"])).feed(Request, &packets(4, &[b"x"]));
    session.feed(Response, &packets(5, &[OK]));
    assert!(session.dialect.layer.is_some());
    for content in [&[0xff; 40][..], &[0; 40], b"short"] {
        let bytes = packets(1, &[content]);
        let dialect = MySql::new(Text::Redacted);
        assert!(!dialect.begins(Request, &bytes), "{bytes:?}");
        assert_eq!(dialect.split(Request, &bytes), Split::Invalid, "{bytes:?}");
    }
}

#[test]
fn the_middle_of_a_connection_is_known_by_its_packets() {
    let dialect = MySql::new(Text::Redacted);
    for content in [
        &b"\x03select 1"[..],
        b"\x03\x00\x01select 1",
        b"\x0e",
        b"\x01",
        b"\x02shop",
        b"\x17\x01\0\0\0\0\x01\0\0\0",
        b"\x19\x01\0\0\0",
    ] {
        assert!(dialect.begins(Request, &packets(0, &[content])), "{content:?}");
        assert!(!dialect.begins(Request, &packets(1, &[content])), "{content:?}");
    }
    let close = [packets(0, &[b"\x19\x01\0\0\0"]), packets(0, &[b"\x16select ?"])].concat();
    assert!(dialect.begins(Request, &close));
    for contents in [
        &[OK][..],
        &[ERR],
        &[LAST],
        &[EOF],
        &[b"\x01", COLUMN, EOF, ROW, EOF],
        &[ROW, ROW, ROW],
        &[b"\x01"],
    ] {
        assert!(dialect.begins(Response, &packets(1, contents)), "{contents:?}");
    }
    for bytes in [
        b"GET / HTTP/1.1\r\n",
        &[0; 16],
        &[0xff; 16],
        b"\x17\x03\x03\0\x1c\0\0\0",
        b"*1\r\n$4\r\nPING\r\n",
        b"+OK\r\n",
    ] as [&[u8]; 6]
    {
        assert!(!dialect.begins(Request, bytes) && !dialect.begins(Response, bytes), "{bytes:?}");
        assert!(!matches!(dialect.split(Response, bytes), Split::Message { .. }), "{bytes:?}");
    }
    let mut session = Session::new();
    session.answer(&[ROW, ROW, EOF]).send(3, b"select 1").answer(&[b"\x01", COLUMN, EOF, ROW, EOF]);
    assert_eq!(session.ends(), ["0 ends at 3 Some(1) "]);
}

#[test]
fn no_bytes_do_harm() {
    let new = || -> Box<dyn Dialect> { Box::new(MySql::new(Text::Redacted)) };
    batter(new, b"\0\0\0\0\x01\x02\x03\x04\x05\x07\x09\x0a\x0e\x11\x16\x17\x1c\xfb\xfe\xff");
    prefixes(
        new,
        &[
            (Response, &packets(0, &[&greeting()])),
            (Request, &packets(1, &[&handshake(0)])),
            (Response, &packets(2, &[OK])),
            (Request, &packets(0, &[b"\x16select ?"])),
            (Response, &packets(1, &[b"\0\x07\0\0\0\x01\0\x01\0\0\0\0", COLUMN, EOF, COLUMN, EOF])),
            (Request, &packets(0, &[b"\x17\x07\0\0\0\0\x01\0\0\0\0\x01\x03\0\x05\0\0\0"])),
            (Response, &packets(1, &[b"\x01", COLUMN, EOF, b"\0\0\x03abc", EOF_MORE, OK])),
            (Request, &packets(0, &[b"\x03\x01\x01\x00\x01\x03\0\x01a\x05\0\0\0select 1"])),
            (Response, &packets(1, &[ERR])),
        ],
    );
}
