//! Exchanges as the documentation has them, in bytes.

use super::session::{
    COLUMN, EOF, EOF_CURSOR, EOF_MORE, ERR, LAST, OK, OK_MORE, ROW, Session, greeting, handshake,
    packets,
};
use crate::protocol::backing::{Dialect, Split};
use crate::protocol::http1::Direction::{Request, Response};

#[test]
fn a_session_begins_and_its_database_is_told() {
    let mut session = Session::new();
    session
        .feed(Response, &packets(0, &[&greeting()]))
        .feed(Request, &packets(1, &[&handshake(0)]));
    session.feed(Response, &packets(2, &[b"\xfemysql_native_password\0x\0"]));
    session.feed(Request, &packets(3, &[b"\x01\x02\x03"])).feed(Response, &packets(4, &[OK]));
    assert!(session.found.is_empty());
    session.send(3, b"select * from t where x = 'y'").answer(&[b"\x01", COLUMN, EOF, ROW]);
    session.feed(Response, &packets(5, &[ROW, EOF]));
    assert_eq!(
        session.told(),
        [
            "0 begins at 6",
            "0 SELECT|select t|select * from t where x = ?|shop",
            "0 replied at 7",
            "0 ends at 8 Some(2) ",
        ]
    );
    assert!(!format!("{:?}", session.dialect).contains("secret"));
}

#[test]
fn who_may_not_connect_or_encrypts_makes_no_call() {
    let mut session = Session::new();
    session.feed(Response, &packets(0, &[b"\xff\x10\x04Too many connections"]));
    let mut session_2 = Session::new();
    session_2.feed(Response, &packets(0, &[&greeting()]));
    session_2.feed(Request, &packets(1, &[&handshake(0)])).feed(Response, &packets(2, &[ERR]));
    assert!(session.found.is_empty() && session_2.found.is_empty());
    let mut session = Session::new();
    session.feed(Response, &packets(0, &[&greeting()]));
    session.feed(Request, &packets(1, &[&handshake(1 << 11)[..32]]));
    assert_eq!(session.dialect.split(Request, b"\x16\x03\x01\x02\0\x01"), Split::Invalid);
    // If it is shown decrypted, it goes on.
    session.feed(Request, &packets(2, &[&handshake(1 << 11)])).feed(Response, &packets(3, &[OK]));
    assert_eq!(session.send(14, b"").asks(), ["0 PING|PING|-|shop"]);
}

#[test]
fn results_end_by_either_kind_of_packet() {
    let mut session = Session::new();
    for answer in [
        &[OK][..],
        &[b"\x01", COLUMN, EOF, ROW, ROW, EOF],
        &[b"\x02", COLUMN, COLUMN, ROW, ROW, ROW, LAST],
        &[b"\x01", COLUMN, LAST],
        &[b"\x01", COLUMN, EOF, EOF],
        &[b"\x01", COLUMN, EOF, ROW, ERR],
        &[ERR],
        &[b"\x01", COLUMN, EOF, ROW, EOF_MORE, b"\x01", COLUMN, EOF, ROW, EOF_MORE, OK],
        &[OK_MORE, OK_MORE, OK],
        &[b"\x01\0", EOF, b"\0\0\x03abc", EOF],
        &[b"\xff\xff\xff\x01\x01\x02\0\0\0", OK],
    ] {
        session.send(3, b"select 1").answer(answer);
    }
    let ends: Vec<_> = session
        .ends()
        .into_iter()
        .map(|end| end[end.find('t').unwrap() + 2..].to_owned())
        .collect();
    assert_eq!(
        ends,
        [
            "2 None ",
            "4 Some(2) ",
            "6 Some(3) ",
            "8 Some(0) ",
            "10 Some(0) ",
            "12 Some(1) 1146",
            "14 None 1146",
            "16 Some(2) ",
            "18 None ",
            "20 Some(1) ",
            "22 None ",
        ]
    );
}

#[test]
fn statements_are_prepared_and_executed_by_number() {
    let mut session = Session::new();
    let prepared = b"\0\x07\0\0\0\x01\0\x02\0\0\0\0";
    session.send(0x16, b"select a from t where b = ? and c = 1");
    session.answer(&[prepared, COLUMN, COLUMN, EOF, COLUMN, EOF]);
    session.send(0x18, b"\x07\0\0\0\0\0long data");
    session.send(0x17, b"\x07\0\0\0\0\x01\0\0\0\0\x01\x03\0\x05\0\0\0");
    session.answer(&[b"\x01", COLUMN, EOF, b"\0\0\x03abc", b"\0\0\x03abc", EOF]);
    session.send(0x17, b"\x08\0\0\0\0\x01\0\0\0").answer(&[ERR]);
    session.send(0x17, b"\xff\xff\xff\xff\0\x01\0\0\0").answer(&[OK]);
    session.send(0x19, b"\x07\0\0\0").send(0x17, b"\x07\0\0\0\0\x01\0\0\0").answer(&[OK]);
    let begins = |told: &String| !told.contains("begins") && !told.contains("replied");
    let told: Vec<_> = session.told().into_iter().filter(begins).collect();
    let text = "select a from t where b = ? and c = ?";
    assert_eq!(
        told,
        [
            &format!("0 PREPARE|PREPARE select t|{text}|-"),
            "0 ends at 2 None ",
            &format!("1 SELECT|select t|{text}|-"),
            "1 ends at 5 Some(2) ",
            "2 EXECUTE|EXECUTE|-|-",
            "2 ends at 7 None 1146",
            &format!("3 SELECT|select t|{text}|-"),
            "3 ends at 9 None ",
            "4 EXECUTE|EXECUTE|-|-",
            "4 ends at 12 None ",
        ]
    );
    // No definitions follow, or no more than they.
    session.send(0x16, b"do 1").answer(&[b"\0\x09\0\0\0\0\0\0\0\0\0\0"]);
    session.send(0x16, b"bad").answer(&[ERR]);
    assert_eq!(session.ends(), ["5 ends at 14 None ", "6 ends at 16 None 1146"]);
    for answer in
        [&[prepared, COLUMN, COLUMN, COLUMN][..], &[prepared, COLUMN, COLUMN, EOF, COLUMN, EOF]]
    {
        let mut session = Session::new();
        session.send(0x16, b"select 1").answer(answer).send(14, b"").answer(&[OK]);
        assert_eq!(session.ends(), ["0 ends at 2 None ", "1 ends at 4 None "]);
    }
}

#[test]
fn rows_of_a_cursor_are_fetched() {
    let mut session = Session::new();
    session.send(0x17, b"\x07\0\0\0\x01\x01\0\0\0").answer(&[b"\x01", COLUMN, EOF_CURSOR]);
    session.send(0x1c, b"\x07\0\0\0\x02\0\0\0").answer(&[b"\0\0\x01a", b"\0\0\x01b", EOF_CURSOR]);
    session.send(0x1a, b"\x07\0\0\0").answer(&[OK]);
    let ends = ["0 ends at 2 Some(0) ", "1 ends at 4 Some(2) ", "2 ends at 6 None "];
    assert_eq!(session.ends(), ends);
}

#[test]
fn databases_are_followed() {
    let mut session = Session::new();
    session.send(2, b"shop").answer(&[OK]).send(2, b"none").answer(&[ERR]);
    session.send(3, b"use `my``db`").answer(&[OK]).send(14, b"").answer(&[OK]);
    session
        .send(0x11, b"bob\0\x03abcother\0\x21\0")
        .feed(Response, &packets(1, &[b"\xfeplugin\0x"]));
    session.feed(Request, &packets(2, &[b"secret"])).feed(Response, &packets(3, &[OK]));
    session.send(9, b"").answer(&[b"Uptime: 3"]).send(1, b"");
    assert_eq!(
        session.asks(),
        [
            "0 USE|USE shop|USE shop|-",
            "1 USE|USE none|USE none|shop",
            "2 USE|use `my``db`|use `my``db`|shop",
            "3 PING|PING|-|my`db",
            "4 CHANGE_USER|CHANGE_USER|-|my`db",
            "5 STATISTICS|STATISTICS|-|other",
        ]
    );
}

#[test]
fn the_server_says_whether_a_backslash_escapes() {
    let mut session = Session::new();
    session.send(3, b"set sql_mode = 'x'").answer(&[b"\0\0\0\x02\x02\0\0"]);
    session.send(3, b"select 'a\\', 'k'").answer(&[OK]).send(3, b"select 'a\\', 'k'");
    let texts = session.asks();
    assert_eq!(texts[1..], ["1 SELECT|select|select ?, ?|-", "2 SELECT|select|select ?k?|-"]);
}

#[test]
fn other_commands_are_calls_by_their_names() {
    let mut session = Session::new();
    session.send(4, b"t\0%").answer(&[COLUMN, COLUMN, EOF]);
    session.send(0x1b, b"\0\0").answer(&[EOF]).send(0x1f, b"").answer(&[OK]);
    session.send(0x0a, b"").answer(&[b"\x01", COLUMN, EOF, ROW, EOF]);
    session.send(0x0c, b"\x01\0\0\0").answer(&[ERR]).send(0x12, b"\x04\0\0\0\0\0\x01\0\0\0");
    session.answer(&[b"\0event", b"\0event", EOF]);
    let ends = session.ends();
    assert_eq!(
        ends,
        [
            "0 ends at 2 None ",
            "1 ends at 4 None ",
            "2 ends at 6 None ",
            "3 ends at 8 Some(1) ",
            "4 ends at 10 None 1146",
            "5 ends at 12 None ",
        ]
    );
}

#[test]
fn attributes_of_a_query_are_passed_over() {
    let mut session = Session::new();
    session.send(3, b"\x00\x01select 1").answer(&[OK]);
    let attributes =
        b"\x02\x01\x00\x01\xfe\x00\x01a\x03\x00\x01b\x05value\x07\0\0\0select 2 from t";
    session.send(3, attributes).answer(&[OK]);
    session.send(3, b"\x01\x01\x01\x01\xfe\x00\x01aselect 3 from t");
    assert_eq!(
        session.asks(),
        [
            "0 SELECT|select|select ?|-",
            "1 SELECT|select t|select ? from t|-",
            "2 SELECT|select t|select ? from t|-",
        ]
    );
}

#[test]
fn attributes_that_cannot_be_read_are_not_told() {
    let mut session = Session::new();
    let many = [&b"\x41\x01"[..], &[0; 9], b"\x01", b"secret"].concat();
    session.send(3, &many).answer(&[OK]);
    session.send(3, b"\x01\x01\x00\x01\xfe\x00\x01a\xfasecret").answer(&[OK]);
    session.send(3, b"\x01\x02\x00secret").answer(&[OK]);
    let asks = ["0 QUERY|QUERY|-|-", "1 QUERY|QUERY|-|-", "2 QUERY|QUERY|-|-"];
    assert_eq!(session.asks(), asks);
}

#[test]
fn the_first_statement_names_the_database() {
    let mut session = Session::new();
    for sql in [&b"use a; select 1"[..], b"use `b;``c`; select x from t", b"use d"] {
        session.send(3, sql).answer(&[OK]);
    }
    let mut asks = session.send(14, b"").asks();
    asks.iter_mut().for_each(|asks| *asks = asks.rsplit('|').next().unwrap().to_owned());
    assert_eq!(asks, ["-", "a", "b;`c", "d"]);
}

#[test]
fn a_long_name_of_a_database_is_not_in_the_summary() {
    let mut session = Session::new();
    let long = "d".repeat(300);
    session.send(2, long.as_bytes());
    assert_eq!(session.asks(), [format!("0 USE|USE|USE {long}|-")]);
}

#[test]
fn the_log_of_a_server_is_one_short_call() {
    let mut session = Session::new();
    session.send(0x12, b"\x04\0\0\0\0\0\x01\0\0\0").answer(&[b"\0event"]);
    assert_eq!(session.ends(), ["0 ends at 2 None "]);
    session.feed(Response, &packets(200, &[b"\0event", b"", EOF]));
    session.feed(Request, &packets(0, &[b"\xef acknowledged"])).send(14, b"");
    assert!(session.found.is_empty());
}

#[test]
fn statements_that_were_long_not_used_are_forgotten() {
    let mut session = Session::new();
    for number in 0..1100_u32 {
        let prepared = [&b"\0"[..], &number.to_le_bytes(), &[0; 7]].concat();
        session.send(0x16, b"do 1").answer(&[&prepared]);
    }
    assert_eq!(session.dialect.statements.len(), 1024);
    assert!(!session.dialect.statements.contains(&75) && session.dialect.statements.contains(&76));
}

#[test]
fn a_file_is_sent_within_a_call() {
    let mut session = Session::new();
    session.send(3, b"load data local infile 'f' into table t").answer(&[b"\xfbf"]);
    session.feed(Request, &packets(2, &[b"\x03lines", b"more", b""]));
    session.feed(Response, &packets(5, &[OK])).send(14, b"").answer(&[OK]);
    assert_eq!(session.ends(), ["0 ends at 4 None ", "1 ends at 6 None "]);
}

#[test]
fn long_packets_are_one_message() {
    let mut session = Session::new();
    let long = [&[3][..], b"select '", &vec![b'x'; 0xff_ffff - 9]].concat();
    session.feed(Request, &packets(0, &[&long, b"xxx' from t"]));
    session.answer(&[b"\x01", COLUMN, EOF, &long, ROW, EOF]);
    assert_eq!(
        session.told(),
        [
            "0 begins at 1",
            "0 SELECT|select|select ? ...|-",
            "0 replied at 2",
            "0 ends at 2 Some(1) ",
        ]
    );
}

#[test]
fn more_calls_than_are_remembered_keep_the_order() {
    let mut session = Session::new();
    for _ in 0..300 {
        session.send(3, b"select 1");
    }
    assert_eq!(session.told().iter().filter(|told| *told == "full").count(), 44);
    for _ in 0..300 {
        session.answer(&[b"\x01", COLUMN, EOF, ROW, EOF]);
    }
    assert_eq!(session.ends().len(), 256);
    assert_eq!(session.send(3, b"select 2").answer(&[ERR]).ends(), ["256 ends at 602 None 1146"]);
}
