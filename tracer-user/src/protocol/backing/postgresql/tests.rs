//! Exchanges as the documentation has them, in bytes.

use super::PostgreSql;
use super::session::{
    BOUND, COLUMNS, FAILED, NO_DATA, PARSED, READY, ROW, SYNC, Session, bind, complete, execute,
    parse, query, typed,
};
use crate::protocol::backing::hostile::{batter, prefixes};
use crate::protocol::backing::testing::at;
use crate::protocol::backing::{Calls, Dialect, Found, Split, Text};
use crate::protocol::http1::Direction::{Request, Response};

#[test]
fn a_session_begins_and_its_database_is_told() {
    let startup = b"\0\0\0\x20\0\x03\0\0user\0bob\0database\0shop\0\0";
    let mut session = Session::new();
    session.send(&[b"\0\0\0\x08\x04\xd2\x16\x2f"]).answer(&[b"N"]);
    session.send(&[startup]).answer(&[b"R\0\0\0\x08\0\0\0\x03"]);
    session.send(&[&typed(b'p', b"secret\0")]);
    session.answer(&[
        b"R\0\0\0\x08\0\0\0\0",
        b"S\0\0\0\x0bTZ\0UTC\0",
        b"K\0\0\0\x0c\0\0\0\x01\0\0\0\x02",
        READY,
    ]);
    assert!(session.found.is_empty());
    session.send(&[&query("SELECT 1 FROM t")]).answer(&[COLUMNS, ROW]);
    let [call] = &session.answer(&[&complete("SELECT 1"), READY]).ended()[..] else { panic!() };
    assert_eq!((call.text(), call.summary()), ("SELECT ? FROM t", "SELECT t"));
    assert_eq!(call.asks.namespace.as_deref(), Some("shop"));
    assert_eq!(call.asks.operation.as_deref(), Some("SELECT"));
    assert_eq!((call.times(), call.position), ((7, Some(8), 9), 8 + 32 + 12));
    assert_eq!((call.outcome.rows, call.code()), (Some(1), ""));
    let bytes = COLUMNS.len() + ROW.len() + complete("SELECT 1").len() + READY.len();
    assert_eq!(call.outcome.bytes, bytes as u64);
}

#[test]
fn who_may_not_connect_makes_no_call() {
    let mut session = Session::new();
    session.send(&[b"\0\0\0\x12\0\x03\0\0user\0bob\0\0"]).answer(&[FAILED]);
    session.send(&[b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02"]);
    assert!(session.found.is_empty());
    assert_eq!(session.dialect.database.as_deref(), Some("bob"));
}

#[test]
fn several_statements_are_one_query_and_its_rows_are_summed() {
    let mut session = Session::new();
    session.send(&[&query("SELECT 1; SELECT 2; INSERT INTO t VALUES (3)")]);
    session.answer(&[COLUMNS, ROW, &complete("SELECT 1"), COLUMNS, &complete("SELECT 3")]);
    let [call] = &session.answer(&[&complete("INSERT 0 5"), READY]).ended()[..] else { panic!() };
    assert_eq!(call.outcome.rows, Some(4));
    session.send(&[&query(""), &query("INSERT INTO t VALUES (1)"), &query("asdf")]);
    session.answer(&[b"I\0\0\0\x04", READY, &complete("INSERT 0 1"), READY, FAILED, READY]);
    let [empty, insert, failed] = &session.ended()[..] else { panic!() };
    assert_eq!((empty.outcome.rows, insert.outcome.rows), (None, None));
    assert_eq!((failed.code(), failed.text()), ("42P01", "asdf"));
}

#[test]
fn an_execution_begins_with_its_group_and_ends_with_it() {
    let mut session = Session::new();
    session.send(&[&parse("", "SELECT x FROM t WHERE y = $1")]).send(&[&bind("", "")]);
    session.send(&[&typed(b'D', b"P\0"), &execute(""), SYNC]);
    session.answer(&[PARSED, BOUND, COLUMNS, ROW]).answer(&[&complete("SELECT 1")]);
    let [call] = &session.answer(&[READY]).ended()[..] else { panic!() };
    assert_eq!((call.times(), call.position), ((1, Some(4), 6), 0));
    assert_eq!((call.text(), call.outcome.rows), ("SELECT x FROM t WHERE y = $1", Some(1)));
}

#[test]
fn statements_are_prepared_and_executed_by_name() {
    let mut session = Session::new();
    session.send(&[&parse("s", "SELECT 1 FROM t"), &typed(b'D', b"Ss\0"), SYNC]);
    let described = b"t\0\0\0\x06\0\0";
    let [call] = &session.answer(&[PARSED, described, COLUMNS, READY]).ended()[..] else {
        panic!()
    };
    assert_eq!((call.summary(), call.text()), ("PREPARE SELECT t", "SELECT ? FROM t"));
    assert_eq!(call.asks.operation.as_deref(), Some("PREPARE"));
    session.send(&[&bind("p", "s"), &execute("p"), SYNC]);
    let [call] = &session.answer(&[BOUND, ROW, b"s\0\0\0\x04", READY]).ended()[..] else {
        panic!()
    };
    assert_eq!((call.summary(), call.outcome.rows), ("SELECT t", Some(1)));
    session.send(&[&typed(b'C', b"Ss\0"), &bind("", "s"), &execute(""), SYNC]);
    let [call] = &session.answer(&[b"3\0\0\0\x04", FAILED, READY]).ended()[..] else { panic!() };
    assert_eq!((call.summary(), call.text(), call.code()), ("EXECUTE", "-", "42P01"));
    // Flushed, the statement is prepared once its description has come.
    session.send(&[&parse("u", "SELECT 2"), &typed(b'D', b"Su\0"), b"H\0\0\0\x04"]);
    let [call] = &session.answer(&[PARSED, described, NO_DATA]).ended()[..] else { panic!() };
    assert_eq!(call.summary(), "PREPARE SELECT");
    session.send(&[&bind("", "u"), &execute(""), SYNC]).answer(&[
        BOUND,
        &complete("SELECT 0"),
        READY,
    ]);
    let [call] = &session.ended()[..] else { panic!() };
    assert_eq!(
        (call.summary(), call.times(), call.outcome.rows),
        ("SELECT", (9, Some(10), 10), Some(0))
    );
}

#[test]
fn what_is_skipped_after_an_error_fails_as_it_did() {
    let mut session = Session::new();
    session.send(&[&parse("", "INSERT INTO t VALUES ($1)")]);
    for _ in 0..3 {
        session.send(&[&bind("", ""), &execute("")]);
    }
    session.send(&[SYNC, &parse("", "SELECT 1"), &bind("", ""), &execute(""), SYNC]);
    session.answer(&[PARSED, BOUND, &complete("INSERT 0 1"), BOUND]).answer(&[FAILED]);
    session.answer(&[READY]).answer(&[PARSED, BOUND, &complete("SELECT 1"), READY]);
    let ended = session.ended();
    let codes: Vec<_> = ended.iter().map(|call| (call.code(), call.ended)).collect();
    assert_eq!(codes, [("", 6), ("42P01", 7), ("42P01", 8), ("", 9)]);
    assert_eq!(ended[1].began, 3);
    // The error may come before the client's `Sync`.
    session.send(&[&parse("", "asdf")]).answer(&[FAILED]).send(&[SYNC]).answer(&[READY]);
    let [call] = &session.ended()[..] else { panic!() };
    assert_eq!((call.code(), call.summary()), ("42P01", "PREPARE"));
}

#[test]
fn an_error_that_ends_the_connection_ends_the_call() {
    let fatal = typed(b'E', b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0");
    let mut session = Session::new();
    session.send(&[&query("SELECT 1"), &query("SELECT 2")]).answer(&[&fatal]);
    let abandoned = |found: &Found| matches!(found, Found::Abandoned { call: 1, .. });
    assert!(session.found.iter().any(abandoned));
    let [call] = &session.ended()[..] else { panic!() };
    assert_eq!((call.code(), call.ended), ("57P01", 2));
}

#[test]
fn rows_are_copied_within_a_call() {
    let row = typed(b'd', b"1\t2\n");
    let mut session = Session::new();
    session.send(&[&query("COPY t FROM STDIN")]).answer(&[b"G\0\0\0\x07\0\0\0"]);
    session.send(&[&row, &row]).send(&[b"c\0\0\0\x04"]).answer(&[&complete("COPY 2"), READY]);
    session.send(&[&query("COPY t TO STDOUT")]).answer(&[
        b"H\0\0\0\x07\0\0\0",
        &row,
        b"c\0\0\0\x04",
    ]);
    session.answer(&[&complete("COPY 1"), READY]);
    // In the extended protocol, a `Sync` before the rows' end counts for nothing.
    session.send(&[&parse("", "COPY t FROM STDIN"), &bind("", ""), &execute(""), SYNC]);
    session.answer(&[PARSED, BOUND, b"G\0\0\0\x07\0\0\0"]).send(&[
        &row,
        SYNC,
        b"c\0\0\0\x04",
        SYNC,
    ]);
    session.answer(&[&complete("COPY 1"), READY]);
    session.send(&[&query("COPY t FROM STDIN")]).answer(&[b"G\0\0\0\x07\0\0\0"]);
    session.send(&[&typed(b'f', b"no\0")]).answer(&[FAILED, READY]);
    session.send(&[&query("START_REPLICATION SLOT s LOGICAL 0/0")]);
    session.answer(&[b"W\0\0\0\x07\0\0\0", &typed(b'd', b"w")]);
    let ended = session.ended();
    let calls: Vec<_> =
        ended.iter().map(|call| (call.summary(), call.times(), call.code())).collect();
    assert_eq!(
        calls,
        [
            ("COPY t", (1, Some(2), 5), ""),
            ("COPY t", (6, Some(7), 8), ""),
            ("COPY t", (9, Some(10), 12), ""),
            ("COPY t", (13, Some(14), 16), "42P01"),
            ("-", (17, Some(18), 18), ""),
        ]
    );
    // Of a replication, nothing more is told.
    session.send(&[&query("SELECT 1")]).answer(&[&complete("SELECT 1"), READY]);
    assert!(session.found.is_empty());
}

#[test]
fn the_server_says_whether_a_backslash_escapes() {
    let mut session = Session::new();
    for (setting, text) in [("off", "SELECT ?, ?"), ("on", "SELECT ?s?k?")] {
        let status = [b"standard_conforming_strings\0", setting.as_bytes(), b"\0"].concat();
        session.answer(&[&typed(b'S', &status)]).send(&[&query(r"SELECT 'it\'s', 'k'")]);
        let [call] = &session.answer(&[READY]).ended()[..] else { panic!() };
        assert_eq!(call.text(), text);
    }
}

#[test]
fn notices_answer_nothing_and_functions_are_calls() {
    let mut session = Session::new();
    session.send(&[&typed(b'F', &[0; 10])]);
    session.answer(&[&typed(b'A', b"\0\0\0\x01c\0p\0"), &typed(b'N', b"SNOTICE\0\0")]);
    let [call] = &session.answer(&[b"V\0\0\0\x08\xff\xff\xff\xff", READY]).ended()[..] else {
        panic!()
    };
    assert_eq!((call.summary(), call.times()), ("FUNCTION_CALL", (1, Some(3), 3)));
}

#[test]
fn more_calls_than_are_remembered_keep_the_order() {
    let mut session = Session::new();
    for _ in 0..300 {
        session.send(&[&query("SELECT 1")]);
    }
    session.send(&[&bind("", ""), &execute(""), SYNC]);
    let full = session.found.iter().filter(|found| matches!(found, Found::Full)).count();
    for _ in 0..300 {
        session.answer(&[&complete("SELECT 1"), READY]);
    }
    session.answer(&[BOUND, &complete("SELECT 1")]).send(&[&query("SELECT 2")]).answer(&[READY]);
    session.answer(&[&complete("SELECT 1"), READY]);
    session.send(&[&query("SELECT 3 FROM t")]).answer(&[FAILED, READY]);
    let ended = session.ended();
    assert_eq!((full, ended.len()), (45, 257));
    let last = ended.last().expect("a call");
    assert_eq!((last.code(), last.summary()), ("42P01", "SELECT t"));
}

#[test]
fn the_end_of_an_answer_whose_middle_is_unknown_ends_it() {
    for (before, rows, code) in [
        (complete("SELECT 12"), Some(12), ""),
        (FAILED.to_vec(), None, "42P01"),
        (complete("UPDATE 12"), None, ""),
        (b"xxx".to_vec(), None, ""),
    ] {
        let mut session = Session::new();
        session.send(&[&query("SELECT 1")]).answer(&[COLUMNS]);
        let tail = [b"some\0bytes", &before[..], READY].concat();
        let mut found = vec![];
        let mut calls = Calls::new(&mut found);
        session.dialect.lost(Response, at(3), &mut calls);
        assert!(!session.dialect.ends(Response, &tail[..tail.len() - 1], at(3), &mut calls));
        assert!(session.dialect.ends(Response, &tail, at(3), &mut calls));
        assert!(!session.dialect.ends(Request, &tail, at(3), &mut calls));
        session.found.extend(found);
        let [call] = &session.ended()[..] else { panic!() };
        assert_eq!((call.outcome.rows, call.code(), call.ended), (rows, code, 3));
    }
}

#[test]
fn statements_that_were_long_not_used_are_forgotten() {
    let mut session = Session::new();
    for name in 0..1100 {
        let name = name.to_string();
        session.send(&[&parse(&name, "SELECT 1"), &bind(&name, &name)]);
    }
    for names in [&session.dialect.statements, &session.dialect.portals] {
        assert_eq!(names.len(), 1024);
        assert!(!names.contains(&b"75"[..]) && names.contains(&b"76"[..]));
    }
}

fn lose(session: &mut Session) {
    session.dialect.lost(Response, at(session.time), &mut Calls::new(&mut vec![]));
}

#[test]
fn a_lost_answer_is_not_replaced_by_the_next_one() {
    let mut session = Session::new();
    session.send(&[&query("SELECT 1 FROM a")]);
    lose(&mut session);
    session.send(&[&query("SELECT 1 FROM b")]).answer(&[&complete("SELECT 2"), READY]);
    let abandoned = |found: &Found| matches!(found, Found::Abandoned { call: 0, .. });
    assert!(session.found.iter().any(abandoned));
    let [call] = &session.ended()[..] else { panic!() };
    assert_eq!((call.summary(), call.outcome.rows), ("SELECT b", Some(2)));
    // The gap may show only behind the next request.
    session.send(&[&query("SELECT 1 FROM a")]);
    lose(&mut session);
    session.send(&[&query("SELECT 1 FROM b")]);
    lose(&mut session);
    session.send(&[]).answer(&[FAILED, READY]).send(&[&query("x")]).answer(&[READY]);
    let ended = session.ended();
    let calls: Vec<_> = ended.iter().map(|call| (call.text(), call.code())).collect();
    assert_eq!(calls, [("SELECT ? FROM b", "42P01"), ("x", "")]);
    // A single one is ended by what is seen of its answer.
    session.send(&[&parse("", "SELECT 1 FROM a"), &bind("", ""), &execute(""), SYNC]);
    lose(&mut session);
    let [call] = &session.answer(&[ROW, &complete("SELECT 3"), READY]).ended()[..] else {
        panic!()
    };
    assert_eq!((call.summary(), call.outcome.rows), ("SELECT a", Some(3)));
}

#[test]
fn of_several_answers_of_which_some_are_lost_none_is_told() {
    let mut session = Session::new();
    let queries = ["a", "b", "c"].map(|table| query(&format!("SELECT 1 FROM {table}")));
    session.send(&[&queries.concat()]);
    lose(&mut session);
    session.answer(&[&complete("SELECT 2"), READY]);
    // This may be answered by what is still to come.
    session.send(&[&query("SELECT 1 FROM d")]).answer(&[&complete("SELECT 3"), READY]);
    session.answer(&[&complete("SELECT 4"), READY]);
    session.send(&[&query("SELECT 1 FROM e")]).answer(&[FAILED, READY]);
    let abandoned = session.found.iter().filter(|found| matches!(found, Found::Abandoned { .. }));
    assert_eq!(abandoned.count(), 5);
    session.send(&[&queries.concat()]).answer(&[FAILED, READY, READY, READY]);
    let ended = session.ended();
    let calls: Vec<_> = ended.iter().map(|call| (call.summary(), call.code())).collect();
    assert_eq!(calls, [("SELECT a", "42P01"), ("SELECT b", ""), ("SELECT c", "")]);
    // One that still comes shows that it was too early.
    session.answer(&[READY]).send(&[&query("x")]).answer(&[READY]);
    assert!(session.ended().is_empty());
}

#[test]
fn of_a_group_of_which_something_is_lost_no_error_is_told() {
    let mut session = Session::new();
    let both = [bind("", ""), execute(""), bind("", ""), execute(""), SYNC.to_vec()].concat();
    session.send(&[&both]);
    lose(&mut session);
    session.answer(&[BOUND, FAILED, READY]);
    assert!(session.ended().is_empty());
    session.send(&[&both]).answer(&[BOUND, &complete("SELECT 1"), BOUND, FAILED, READY]);
    let ended = session.ended();
    let codes: Vec<_> = ended.iter().map(|call| (call.outcome.rows, call.code())).collect();
    assert_eq!(codes, [(Some(1), ""), (None, "42P01")]);
    // What is executed before a group's end may be answered by what was executed before.
    session.send(&[&bind("", ""), &execute(""), b"H\0\0\0\x04"]);
    lose(&mut session);
    session.send(&[&bind("", ""), &execute(""), SYNC]);
    session.answer(&[&complete("SELECT 5"), READY]);
    let [call] = &session.ended()[..] else { panic!() };
    assert_eq!((call.times(), call.outcome.rows), ((6, Some(7), 7), None));
}

#[test]
fn the_middle_of_a_connection_is_known_by_its_messages() {
    let dialect = PostgreSql::new(Text::Redacted);
    let group = [parse("", "SELECT 1"), bind("", ""), execute(""), SYNC.to_vec()].concat();
    for bytes in [&query("SELECT 1")[..], &group, SYNC, &typed(b'D', b"Sx\0"), b"X\0\0\0\x04"] {
        assert!(dialect.begins(Request, bytes), "{bytes:?}");
    }
    for bytes in [&[COLUMNS, ROW, READY].concat()[..], READY, FAILED, PARSED, &complete("BEGIN")] {
        assert!(dialect.begins(Response, bytes), "{bytes:?}");
    }
    let long = [&query("SELECT 1")[..12], &[b'x'; 100]].concat();
    assert!(!dialect.begins(Request, &[&query("SELECT 1")[..], b"GET / HTTP/1.1"].concat()));
    for bytes in
        [b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r", &[0; 16], &[0xff; 16], b"S\0\0\0\x05"]
            as [&[u8]; 5]
    {
        assert!(!dialect.begins(Request, bytes) && !dialect.begins(Response, bytes), "{bytes:?}");
    }
    assert!(!dialect.begins(Request, &long));
    assert_eq!(dialect.split(Request, b"\x16\x03\x01\0\xff"), Split::Invalid);
    let huge = dialect.split(Response, b"D\x3f\xff\xff\xff\0\x01");
    assert_eq!(huge, Split::Message { length: 0x4000_0000, want: 5 });
}

#[test]
fn no_bytes_do_harm() {
    let new = || -> Box<dyn Dialect> { Box::new(PostgreSql::new(Text::Redacted)) };
    batter(new, b"QPBESDCXFdcfHpRKvNAZ123tTnIsGWV\0\0\0\0\0\0\x04\x05\x09");
    let group = [&parse("s", "SELECT $1")[..], &bind("", "s"), &execute(""), SYNC].concat();
    let answer = [PARSED, BOUND, COLUMNS, ROW, &complete("SELECT 1")[..], READY].concat();
    prefixes(
        new,
        &[
            (Request, b"\0\0\0\x12\0\x03\0\0user\0bob\0\0"),
            (Response, &[b"R\0\0\0\x08\0\0\0\0", READY].concat()),
            (Request, &group),
            (Response, &answer),
            (Request, &query("COPY t FROM STDIN")),
            (Response, b"G\0\0\0\x07\0\0\0"),
            (Request, &[&typed(b'd', b"1\n")[..], b"c\0\0\0\x04"].concat()),
            (Response, &[FAILED, READY].concat()),
        ],
    );
}
