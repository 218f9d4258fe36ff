use super::MongoDb;
use crate::protocol::backing::hostile::{batter, prefixes};
use crate::protocol::backing::testing::{at, feed};
use crate::protocol::backing::{Call, Calls, Dialect, Found, Outcome, Split, Text};
use crate::protocol::http1::Direction::{Request, Response};

fn element(kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
    [&[kind], name.as_bytes(), &[0], value].concat()
}

fn string(name: &str, value: &str) -> Vec<u8> {
    let length = (value.len() as i32 + 1).to_le_bytes();
    element(2, name, &[&length, value.as_bytes(), &[0]].concat())
}

fn int(name: &str, value: i32) -> Vec<u8> {
    element(0x10, name, &value.to_le_bytes())
}

fn double(name: &str, value: f64) -> Vec<u8> {
    element(1, name, &value.to_le_bytes())
}

fn document(elements: &[Vec<u8>]) -> Vec<u8> {
    let elements = elements.concat();
    [&(elements.len() as i32 + 5).to_le_bytes()[..], &elements, &[0]].concat()
}

fn message(request: i32, answers: i32, opcode: i32, body: &[u8]) -> Vec<u8> {
    let header = [body.len() as i32 + 16, request, answers, opcode];
    [&header.map(i32::to_le_bytes).concat(), body].concat()
}

/// A message of one section, or with another in front of it.
fn msg(request: i32, answers: i32, flags: i32, elements: &[Vec<u8>], other: &[u8]) -> Vec<u8> {
    let body = [&flags.to_le_bytes(), other, &[0], &document(elements)].concat();
    message(request, answers, 2013, &body)
}

fn find() -> Vec<u8> {
    let filter = document(&[
        string("name", "secret"),
        element(3, "age", &document(&[int("$gt", 3)])),
        element(4, "in", &document(&[int("0", 1), int("1", 2)])),
    ]);
    let elements = [
        string("find", "users"),
        element(3, "filter", &filter),
        int("limit", 5),
        string("$db", "shop"),
    ];
    msg(7, 0, 0, &elements, b"")
}

fn asked(found: &[Found]) -> &Call {
    let asks = found.iter().find_map(|found| match found {
        Found::Asked { asks, .. } => Some(asks),
        _ => None,
    });
    asks.expect("a call")
}

fn outcomes(found: &[Found]) -> Vec<(u64, &Outcome)> {
    let ended = |found| match found {
        &Found::Ended { call, ref outcome, .. } => Some((call, outcome)),
        _ => None,
    };
    found.iter().filter_map(ended).collect()
}

fn code(found: &[Found]) -> Option<&str> {
    outcomes(found).first().and_then(|(_, outcome)| Some(outcome.failure.as_ref()?.code.as_str()))
}

#[test]
fn commands_are_told_with_their_keys() {
    let found = feed(&mut MongoDb::new(Text::Redacted), Request, 0, &find(), at(1));
    let call = asked(&found);
    assert_eq!(call.operation.as_deref(), Some("find"));
    assert_eq!(
        (call.namespace.as_deref(), call.collection.as_deref()),
        (Some("shop"), Some("users"))
    );
    let text =
        r#"{"find": "users", "filter": {"name": ?, "age": {"$gt": ?}, "in": [?]}, "limit": ?}"#;
    assert_eq!(call.text.text.as_deref(), Some(text));
    assert_eq!(call.text.summary.as_deref(), Some("find users"));
    let found = feed(&mut MongoDb::new(Text::Full), Request, 0, &find(), at(1));
    let text = r#"{"find": "users", "filter": {"name": "secret", "age": {"$gt": 3}, "in": [1, 2]}, "limit": 5}"#;
    assert_eq!(asked(&found).text.text.as_deref(), Some(text));
}

#[test]
fn answers_name_their_requests() {
    let mut mongo = MongoDb::new(Text::Off);
    feed(&mut mongo, Request, 0, &find(), at(1));
    feed(&mut mongo, Request, 0, &msg(8, 0, 0, &[int("ping", 1)], b""), at(2));
    let ok = msg(100, 8, 0, &[double("ok", 1.0)], b"");
    let found = feed(&mut mongo, Response, 0, &ok, at(3));
    assert_eq!(outcomes(&found), [(1, &Outcome { bytes: ok.len() as u64, ..Outcome::default() })]);
    let failed = msg(101, 7, 0, &[double("ok", 0.0), string("errmsg", "no"), int("code", 76)], b"");
    let found = feed(&mut mongo, Response, 0, &failed, at(4));
    assert_eq!(code(&found), Some("76"));
    assert!(feed(&mut mongo, Response, 0, &failed, at(5)).is_empty());
}

#[test]
fn writes_come_in_sections_of_their_own_and_may_fail_one_by_one() {
    let documents = [document(&[string("a", "1")]), document(&[string("a", "2")])].concat();
    let name = b"documents\0";
    let length = (documents.len() + name.len() + 4) as i32;
    let other = [&[1], &length.to_le_bytes()[..], name, &documents].concat();
    let mut mongo = MongoDb::new(Text::Redacted);
    let insert = msg(1, 0, 0, &[string("insert", "c"), string("$db", "d")], &other);
    let found = feed(&mut mongo, Request, 0, &insert, at(1));
    let text = r#"{"insert": "c", "documents": [{"a": ?}, ...]}"#;
    assert_eq!(asked(&found).text.text.as_deref(), Some(text));
    let error = document(&[int("index", 0), int("code", 11000)]);
    let errors = document(&[element(3, "0", &error)]);
    let answer =
        msg(2, 1, 0, &[int("n", 0), element(4, "writeErrors", &errors), double("ok", 1.0)], b"");
    assert_eq!(code(&feed(&mut mongo, Response, 0, &answer, at(2))), Some("11000"));
    let insert = msg(3, 0, 2, &[string("insert", "c"), string("$db", "d")], b"");
    assert_eq!(outcomes(&feed(&mut mongo, Request, 0, &insert, at(3))).len(), 1);
}

#[test]
fn answers_may_come_in_several_messages() {
    let mut mongo = MongoDb::new(Text::Redacted);
    let more = [element(0x12, "getMore", &9_i64.to_le_bytes()), string("collection", "c")];
    let found = feed(&mut mongo, Request, 0, &msg(1, 0, 1 << 16, &more, b""), at(1));
    assert_eq!(asked(&found).collection.as_deref(), Some("c"));
    let ok = [double("ok", 1.0)];
    assert_eq!(feed(&mut mongo, Response, 0, &msg(50, 1, 2, &ok, b""), at(2)).len(), 1);
    assert!(feed(&mut mongo, Response, 0, &msg(51, 50, 2, &ok, b""), at(3)).is_empty());
    let found = feed(&mut mongo, Response, 0, &msg(52, 51, 0, &ok, b""), at(4));
    assert_eq!(outcomes(&found).len(), 1);
    // One that watches the server is answered once.
    feed(&mut mongo, Request, 0, &msg(2, 0, 1 << 16, &[int("hello", 1)], b""), at(5));
    let found = feed(&mut mongo, Response, 0, &msg(60, 2, 2, &ok, b""), at(6));
    assert_eq!(outcomes(&found).len(), 1);
    assert!(feed(&mut mongo, Response, 0, &msg(61, 60, 2, &ok, b""), at(7)).is_empty());
}

#[test]
fn old_messages_are_read() {
    let mut mongo = MongoDb::new(Text::Redacted);
    let query = |name: &str, elements: &[Vec<u8>]| {
        let numbers = [0_i32, -1].map(i32::to_le_bytes).concat();
        [&[0; 4], name.as_bytes(), &[0], &numbers, &document(elements)].concat()
    };
    let hello = message(1, 0, 2004, &query("admin.$cmd", &[int("isMaster", 1)]));
    let found = feed(&mut mongo, Request, 0, &hello, at(1));
    let call = asked(&found);
    assert_eq!(
        (call.operation.as_deref(), call.namespace.as_deref()),
        (Some("isMaster"), Some("admin"))
    );
    let reply = |flags: i32, document: Vec<u8>| {
        [&flags.to_le_bytes()[..], &[0; 12], &1_i32.to_le_bytes(), &document].concat()
    };
    let answer = message(9, 1, 1, &reply(8, document(&[double("ok", 1.0)])));
    let found = feed(&mut mongo, Response, 0, &answer, at(2));
    assert_eq!((code(&found), outcomes(&found)[0].1.rows), (None, Some(1)));
    let found = feed(
        &mut mongo,
        Request,
        0,
        &message(2, 0, 2004, &query("d.a.b", &[string("x", "y")])),
        at(3),
    );
    let call = asked(&found);
    assert_eq!(
        (call.collection.as_deref(), call.text.text.as_deref()),
        (Some("a.b"), Some(r#"{"x": ?}"#))
    );
    let answer = message(9, 2, 1, &reply(2, document(&[string("$err", "no"), int("code", 13)])));
    assert_eq!(code(&feed(&mut mongo, Response, 0, &answer, at(4))), Some("13"));
    let delete = message(3, 0, 2006, b"\0\0\0\0d.c\0\0\0\0\0\x05\0\0\0\0");
    assert_eq!(outcomes(&feed(&mut mongo, Request, 0, &delete, at(5))).len(), 1);
}

#[test]
fn compressed_commands_are_told_without_their_names() {
    let compressed = |compressor: u8, request: i32, answers: i32, body: &[u8]| {
        let numbers = [2013, body.len() as i32].map(i32::to_le_bytes).concat();
        message(request, answers, 2012, &[&numbers, &[compressor][..], body].concat())
    };
    let mut mongo = MongoDb::new(Text::Redacted);
    let found = feed(&mut mongo, Request, 0, &compressed(2, 1, 0, b"\x78\x9c\x01"), at(1));
    assert_eq!(asked(&found).operation, None);
    assert_eq!(
        outcomes(&feed(&mut mongo, Response, 0, &compressed(2, 5, 1, b"\x78\x9c"), at(2))).len(),
        1
    );
    // Perhaps it was not to be answered.
    feed(&mut mongo, Request, 0, &compressed(2, 3, 0, b"\x78\x9c\x01"), at(3));
    let found = feed(&mut mongo, Request, 0, &compressed(0, 2, 0, &find()[16..]), at(3));
    assert!(found.iter().any(|found| matches!(found, Found::Abandoned { call: 1, .. })));
    assert_eq!(asked(&found).operation.as_deref(), Some("find"));
}

#[test]
fn only_collections_are_told_as_such() {
    let collection = |elements: &[Vec<u8>]| {
        let mut mongo = MongoDb::new(Text::Redacted);
        let found = feed(&mut mongo, Request, 0, &msg(1, 0, 0, elements, b""), at(1));
        let call = asked(&found);
        (call.collection.clone(), call.text.text.clone().unwrap_or_default())
    };
    for name in ["createUser", "usersInfo", "renameCollection", "getLog", "grantRolesToUser"] {
        let told = collection(&[string(name, "secret")]);
        assert_eq!(told, (None, format!(r#"{{"{name}": ?}}"#)));
    }
    for name in ["findandmodify", "createIndexes", "killCursors"] {
        assert_eq!(collection(&[string(name, "c")]).0.as_deref(), Some("c"));
    }
    let explained = element(3, "explain", &document(&[string("count", "c")]));
    assert_eq!(collection(&[explained]).0.as_deref(), Some("c"));
    assert_eq!(collection(&[int("aggregate", 1)]).0, None);
}

#[test]
fn secrets_are_never_told() {
    for elements in [
        [int("saslStart", 1), string("payload", "n,,n=user")],
        [int("hello", 1), element(3, "speculativeAuthenticate", &document(&[string("p", "q")]))],
        [string("createUser", "n=user"), string("pwd", "p")],
    ] {
        let found =
            feed(&mut MongoDb::new(Text::Full), Request, 0, &msg(1, 0, 0, &elements, b""), at(1));
        let text = asked(&found).text.text.as_ref().expect("text");
        assert!(text.contains(": ?") && !text.contains("n=user"), "{text}");
    }
}

#[test]
fn beginnings_and_losses() {
    let mut mongo = MongoDb::new(Text::Full);
    let answer = msg(100, 7, 0, &[double("ok", 1.0)], b"");
    assert!(mongo.begins(Request, &find()) && !mongo.begins(Response, &find()));
    assert!(mongo.begins(Response, &answer) && !mongo.begins(Request, &answer));
    // A driver that reads the header apart shows only whose answer it is.
    let header = answer.get(..16).unwrap();
    assert!(!mongo.begins(Response, header), "nothing was asked");
    let mut asked = MongoDb::new(Text::Full);
    feed(&mut asked, Request, 0, &find(), at(1));
    assert!(asked.begins(Response, header));
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 32], &[0xff; 32]] {
        assert_eq!(mongo.split(Request, bytes), Split::Invalid);
    }
    let found = &mut vec![];
    feed(&mut mongo, Request, 0, &find(), at(1));
    mongo.lost(Request, at(2), &mut Calls::new(found));
    assert!(found.is_empty());
    mongo.lost(Response, at(2), &mut Calls::new(found));
    assert!(matches!(found[..], [Found::Abandoned { call: 0, .. }]));
}

#[test]
fn no_bytes_do_harm() {
    batter(|| Box::new(MongoDb::new(Text::Full)), &[&find()[..], &[0; 64]].concat());
    let (find, answer) = (find(), msg(100, 7, 0, &[double("ok", 0.0), int("code", 1)], b""));
    prefixes(|| Box::new(MongoDb::new(Text::Full)), &[(Request, &find), (Response, &answer)]);
    let deep = (0..200).fold(document(&[]), |inner, _| document(&[element(3, "a", &inner)]));
    let found = feed(
        &mut MongoDb::new(Text::Full),
        Request,
        0,
        &msg(1, 0, 0, &[element(3, "a", &deep)], b""),
        at(1),
    );
    assert!(asked(&found).text.text.as_ref().expect("text").len() < 100);
}
