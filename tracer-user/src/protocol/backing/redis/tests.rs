use super::Redis;
use crate::protocol::backing::testing::{at, feed};
use crate::protocol::backing::{Calls, Dialect, Found, Message, Split, Text};
use crate::protocol::http1::Direction::{self, Request, Response};

/// Findings in short.
fn brief(found: &[Found]) -> Vec<String> {
    let brief = |found: &Found| match found {
        Found::Started { call, position, .. } => format!("{call} at {position}"),
        Found::Asked { call, asks } => {
            let text = asks.text.text.clone().unwrap_or_default();
            let namespace = asks.namespace.as_ref().map(|name| format!("{name}:"));
            format!("{call} {}{text}", namespace.unwrap_or_default())
        }
        Found::Replied { call, .. } => format!("{call}<"),
        Found::Ended { call, outcome, .. } => match &outcome.failure {
            Some(failure) => format!("{call}! {}", failure.code),
            None => format!("{call}. {}", outcome.bytes),
        },
        Found::Abandoned { call, .. } => format!("{call}?"),
        Found::Malformed => "malformed".to_owned(),
        Found::Delivered { .. } => "delivered".to_owned(),
        Found::Full => "full".to_owned(),
    };
    found.iter().map(brief).collect()
}

fn run(script: &[(Direction, &str)]) -> Vec<String> {
    let (mut redis, mut found) = (Redis::new(Text::Redacted), vec![]);
    for (time, (of, bytes)) in (1..).zip(script) {
        found.extend(feed(&mut redis, *of, 0, bytes.as_bytes(), at(time)));
    }
    brief(&found)
        .into_iter()
        .filter(|line| !line.ends_with('<') && !line.contains(" at "))
        .collect()
}

#[test]
fn a_command_is_told_since_its_name_and_ended_by_its_answer() {
    let mut redis = Redis::new(Text::Redacted);
    let found = feed(&mut redis, Request, 7, b"*3\r\n$3\r\nset\r\n", at(1));
    assert_eq!(brief(&found), ["0 at 7"]);
    let found = feed(&mut redis, Request, 20, b"$1\r\nk\r\n$5\r\nhello\r\n", at(2));
    assert_eq!(brief(&found), ["0 SET k ?"]);
    let found = feed(&mut redis, Response, 0, b"+OK\r\n", at(3));
    assert_eq!(brief(&found), ["0<", "0. 5"]);
    assert!(matches!(found[..], [_, Found::Ended { at, .. }] if at.time == 3));
}

#[test]
fn pipelines_are_answered_in_order() {
    let found = run(&[
        (
            Request,
            "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*3\r\n$5\r\nLPUSH\r\n$1\r\nl\r\n$1\r\nv\r\nPING\r\n",
        ),
        (Response, "$-1\r\n-WRONGTYPE Operation against a key\r\n+PONG\r\n"),
    ]);
    assert_eq!(found, ["0 GET a", "1 LPUSH l ?", "2 PING", "0. 5", "1! WRONGTYPE", "2. 7"]);
}

#[test]
fn databases_are_followed() {
    let found = run(&[
        (Request, "SELECT 3\r\nSELECT 99\r\n"),
        (Response, "+OK\r\n-ERR DB index is out of range\r\n"),
        (Request, "GET a\r\n"),
        (Response, "$1\r\n1\r\n"),
        (Request, "MULTI\r\nSELECT 4\r\nEXEC\r\n"),
        (Response, "+OK\r\n+QUEUED\r\n*1\r\n-ERR no\r\n"),
    ]);
    assert_eq!(found[4..6], ["2 3:GET a", "2. 7"]);
    assert_eq!(found[6..], ["3 3:MULTI", "4 3:SELECT 4", "5 3:EXEC", "3. 5", "4. 9", "5. 13"]);
}

#[test]
fn what_is_published_answers_nothing() {
    let found = run(&[
        (Request, "*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$1\r\nb\r\n"),
        (
            Response,
            "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n",
        ),
        (Response, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"),
        (Request, "PING\r\n"),
        (Response, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n"),
        (Request, "UNSUBSCRIBE\r\n"),
        (
            Response,
            "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n",
        ),
        (Request, "LRANGE l 0 9\r\n"),
        (Response, "*1\r\n$7\r\nmessage\r\n"),
    ]);
    assert_eq!(found[..2], ["0 SUBSCRIBE a b", "0. 30"]);
    assert_eq!(found[2..4], ["1 PING", "1. 20"]);
    assert_eq!(found[4..], ["2 UNSUBSCRIBE", "2. 33", "3 LRANGE l 0 9", "3. 17"]);
}

#[test]
fn answers_of_the_third_version() {
    let found = run(&[
        (Request, "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"),
        (Response, "%1\r\n+proto\r\n:3\r\n"),
        (Request, "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n"),
        (Response, ">3\r\n+message\r\n+somechannel\r\n+this is the message\r\n"),
        (Response, ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"),
        (Request, "GET k\r\n"),
        (Response, "|1\r\n+ttl\r\n:3600\r\n>2\r\n+a\r\n+b\r\n"),
    ]);
    assert_eq!(found[..4], ["0 HELLO 3", "0. 16", "1 SUBSCRIBE a", "1. 30"]);
    let found = run(&[
        (Request, "GET k\r\nGET l\r\nGET m\r\n"),
        (
            Response,
            "|1\r\n+ttl\r\n:3600\r\n$1\r\n1\r\n$?\r\n;4\r\nHell\r\n;0\r\n!10\r\nSYNTAX bad\r\n",
        ),
    ]);
    assert_eq!(found[3..], ["0. 24", "1. 18", "2! SYNTAX"]);
}

#[test]
fn commands_may_stay_unanswered() {
    let found = run(&[
        (
            Request,
            "CLIENT REPLY OFF\r\nGET a\r\nCLIENT REPLY ON\r\nCLIENT REPLY SKIP\r\nGET b\r\nGET c\r\n",
        ),
        (Response, "+OK\r\n$-1\r\n"),
    ]);
    let ended: Vec<_> = found.into_iter().filter(|line| line.contains(". ")).collect();
    assert_eq!(ended, ["0. 0", "1. 0", "3. 0", "4. 0", "2. 5", "5. 5"]);
}

#[test]
fn monitors_and_replicas_are_sent_more_than_answers() {
    let found = run(&[
        (Request, "MONITOR\r\n"),
        (Response, "+OK\r\n+1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\"\r\n"),
        (Request, "RESET\r\n"),
        (Response, "+1339518083.107412 [0 127.0.0.1:60866] \"reset\"\r\n+RESET\r\n"),
    ]);
    assert_eq!(found, ["0 MONITOR", "0. 5", "1 RESET", "1. 8"]);
    let found = run(&[
        (Request, "*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n"),
        (Response, "\n"),
        (Response, "+FULLRESYNC 8371445ee47b 0\r\n$3\r\nREDanything"),
        (Request, "*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n"),
    ]);
    assert_eq!(found, ["0 PSYNC ? -1", "0. 28"]);
    let found = run(&[(Request, "SYNC\r\n"), (Response, "$300\r\nREDIS0011")]);
    assert_eq!(found, ["0 SYNC", "0. 6"]);
    let found =
        run(&[(Request, "SYNC\r\n"), (Response, "-NOMASTERLINK no\r\n"), (Request, "PING\r\n")]);
    assert_eq!(found, ["0 SYNC", "0! NOMASTERLINK", "1 PING"]);
}

#[test]
fn more_commands_than_fit_keep_the_order() {
    let mut redis = Redis::new(Text::Off);
    let most = super::answers::MAX_OUTSTANDING;
    let found = feed(&mut redis, Request, 0, &b"PING\r\n".repeat(most + 2), at(1));
    assert_eq!(found.iter().filter(|found| matches!(found, Found::Full)).count(), 2);
    feed(&mut redis, Response, 0, &b"+PONG\r\n".repeat(most + 1), at(2));
    let found = feed(&mut redis, Request, 0, b"PING\r\n", at(3));
    assert_eq!(brief(&found), ["full"]);
    assert!(feed(&mut redis, Response, 0, &b"+PONG\r\n".repeat(2), at(3)).is_empty());
    feed(&mut redis, Request, 0, b"PING\r\n", at(4));
    assert_eq!(feed(&mut redis, Response, 0, b"+PONG\r\n", at(5)).len(), 2);
}

#[test]
fn lost_answers_end_with_what_looks_like_their_end() {
    let (mut redis, mut found) = (Redis::new(Text::Redacted), vec![]);
    feed(&mut redis, Request, 0, b"LRANGE l 0 9\r\n", at(1));
    feed(&mut redis, Response, 0, b"*3\r\n$1\r\na\r\n", at(2));
    redis.lost(Response, at(3), &mut Calls::new(&mut found));
    assert!(!redis.begins(Response, b"$1\r\nb\r\n"));
    assert!(!redis.ends(Response, b"xx", at(3), &mut Calls::new(&mut found)));
    assert!(redis.ends(Response, b"x\r\n", at(4), &mut Calls::new(&mut found)));
    assert_eq!(brief(&found), ["0. 11"]);
    found.clear();
    feed(&mut redis, Request, 0, b"GET a\r\nGET b\r\n", at(5));
    redis.lost(Response, at(6), &mut Calls::new(&mut found));
    assert_eq!(brief(&found), ["1?", "2?"]);
    feed(&mut redis, Response, 0, b"$-1\r\n$-1\r\n", at(7));
    feed(&mut redis, Request, 0, b"GET c\r\n", at(7));
    redis.lost(Response, at(8), &mut Calls::new(&mut found));
    found = feed(&mut redis, Request, 0, b"GET d\r\n", at(9));
    assert_eq!(brief(&found), ["4 at 0", "4 GET d", "3?"]);
    assert_eq!(brief(&feed(&mut redis, Response, 0, b"$-1\r\n", at(10))), ["4<", "4. 5"]);
}

#[test]
fn answers_that_are_passed_over_are_not_given_to_others() {
    let (mut redis, mut found) = (Redis::new(Text::Redacted), vec![]);
    feed(&mut redis, Request, 0, b"GET a\r\nGET b\r\n", at(1));
    assert!(!redis.ends(Response, b"\r\n", at(2), &mut Calls::new(&mut found)));
    found.extend(feed(&mut redis, Request, 0, b"GET c\r\n", at(3)));
    assert!(!redis.ends(Response, b"\r\n", at(4), &mut Calls::new(&mut found)));
    feed(&mut redis, Request, 0, b"GET d\r\n", at(5));
    assert!(redis.ends(Response, b"\r\n", at(6), &mut Calls::new(&mut found)));
    assert_eq!(brief(&found), ["0?", "1?", "2 at 0", "2 GET c", "2?", "3<", "3. 0"]);
}

#[test]
fn lost_requests_leave_complete_ones() {
    let (mut redis, mut found) = (Redis::new(Text::Redacted), vec![]);
    feed(&mut redis, Request, 0, b"GET a\r\n*3\r\n$3\r\nSET\r\n", at(1));
    redis.lost(Request, at(2), &mut Calls::new(&mut found));
    assert_eq!(brief(&found), ["1 SET...", "1?"]);
    assert_eq!(brief(&feed(&mut redis, Response, 0, b"$-1\r\n", at(3))), ["0<", "0. 5"]);
    assert!(feed(&mut redis, Response, 0, b"+OK\r\n", at(4)).is_empty());
    let found = feed(&mut redis, Request, 0, b"GET b\r\n", at(5));
    assert_eq!(brief(&found), ["2 at 0", "2 GET b", "2?"]);
    assert!(feed(&mut redis, Response, 0, b"$-1\r\n", at(6)).is_empty());
    feed(&mut redis, Request, 0, b"GET c\r\n", at(7));
    assert_eq!(brief(&feed(&mut redis, Response, 0, b"$-1\r\n", at(8))), ["3<", "3. 5"]);
}

#[test]
fn a_command_that_is_cut_is_told_and_answered() {
    let (mut redis, mut found) = (Redis::new(Text::Redacted), vec![]);
    feed(&mut redis, Request, 0, b"*9\r\n$4\r\nMSET\r\n$1\r\na\r\n$1\r\nb\r\n", at(1));
    redis.lost(Request, at(1), &mut Calls::new(&mut found));
    assert_eq!(brief(&found), ["0 MSET a ?..."]);
    assert_eq!(brief(&feed(&mut redis, Response, 0, b"+OK\r\n", at(2))), ["0<", "0. 5"]);
    // A client that waits for its answers is taken up again at once.
    feed(&mut redis, Request, 0, b"GET b\r\n", at(3));
    assert_eq!(brief(&feed(&mut redis, Response, 0, b"$-1\r\n", at(4))), ["1<", "1. 5"]);
}

#[test]
fn answers_do_not_shift_where_a_connection_is_never_idle() {
    let none = |found: &[Found]| !found.iter().any(|each| matches!(each, Found::Ended { .. }));
    // Met in the middle, with three answers to come; and after the loss of one of three answers.
    for lost in [false, true] {
        let (mut redis, mut found) = (Redis::new(Text::Off), vec![]);
        if lost {
            for time in 1..4 {
                feed(&mut redis, Request, 0, b"GET a\r\n", at(time));
            }
        } else {
            redis.lost(Request, at(0), &mut Calls::new(&mut found));
        }
        redis.lost(Response, at(4), &mut Calls::new(&mut found));
        found.extend(feed(&mut redis, Response, 0, b"$1\r\n1\r\n$1\r\n1\r\n", at(5)));
        found.extend(feed(&mut redis, Request, 0, b"GET b\r\nGET b\r\n", at(6)));
        for time in 7..30 {
            found.extend(feed(&mut redis, Response, 0, b"$1\r\n1\r\n", at(2 * time)));
            found.extend(feed(&mut redis, Request, 0, b"GET b\r\n", at(2 * time + 1)));
        }
        assert!(none(&found), "{lost}: {:?}", brief(&found));
        // Nothing has come for a while: whatever was awaited has come.
        feed(&mut redis, Request, 0, b"GET c\r\n", at(2_000_000_000));
        let found = feed(&mut redis, Response, 0, b"$-1\r\n", at(2_000_000_001));
        assert_eq!(brief(&found).last().map(|last| last.ends_with(". 5")), Some(true));
    }
}

#[test]
fn a_client_that_waits_is_taken_up_at_once() {
    let (mut redis, mut found) = (Redis::new(Text::Off), vec![]);
    redis.lost(Request, at(0), &mut Calls::new(&mut found));
    redis.lost(Response, at(0), &mut Calls::new(&mut found));
    feed(&mut redis, Request, 0, b"GET a\r\n", at(1));
    feed(&mut redis, Response, 0, b"$-1\r\n", at(2));
    feed(&mut redis, Request, 0, b"GET b\r\n", at(3));
    assert_eq!(brief(&feed(&mut redis, Response, 0, b"$-1\r\n", at(4))), ["1<", "1. 5"]);
    redis.lost(Request, at(5), &mut Calls::new(&mut found));
    feed(&mut redis, Request, 0, b"GET c\r\n", at(6));
    assert_eq!(brief(&feed(&mut redis, Response, 0, b"$-1\r\n", at(7))), ["2<", "2. 5"]);
}

#[test]
fn room_for_a_burst_is_given_back() {
    let mut redis = Redis::new(Text::Off);
    feed(&mut redis, Request, 0, &b"PING\r\n".repeat(5000), at(1));
    feed(&mut redis, Response, 0, &b"+PONG\r\n".repeat(5000), at(2));
    assert!(redis.answers.room() <= 4096);
}

#[test]
fn beginnings_are_told_from_the_rest() {
    let redis = Redis::new(Text::Redacted);
    for bytes in [&b"*1\r\n$4\r\nPING\r\n"[..], b"*3\r\n$3\r\n", b"*2\r\n$3\r\nget\r\n$1"] {
        assert!(redis.begins(Request, bytes), "{bytes:?}");
    }
    for bytes in [&b"+OK\r\n"[..], b"$5\r\nhello\r\n", b"$5\r\nhel", b"*2\r\n:1\r\n", b"*0\r\n"] {
        assert!(redis.begins(Response, bytes) && !redis.begins(Request, bytes), "{bytes:?}");
    }
    for bytes in
        [&b"GET / HTTP/1.1\r\n"[..], b"*1\r\n", b"*1\r\n:1\r\n", b"hello", b"$3\r\nhello\r\n"]
    {
        assert!(!redis.begins(Request, bytes), "{bytes:?}");
    }
    assert!(!redis.begins(Response, b"$3\r\nhello\r\n") && !redis.begins(Response, b"*2\r\nx"));
    for bytes in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"\x16\x03\x01\x02",
        b"EHLO a:b\x01\r\n",
        b"Host: a\r\n",
        b"*1\r\n$1\r\n-\r\n",
    ] {
        let split = redis.split(Request, bytes);
        assert!(split == Split::Invalid || bytes.starts_with(b"*1"), "{bytes:?} {split:?}");
    }
}

#[test]
fn large_values_are_skipped() {
    let mut redis = Redis::new(Text::Redacted);
    feed(&mut redis, Request, 0, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n", at(1));
    let Split::Message { length, want } = redis.split(Request, b"$1073741824\r\nabc") else {
        panic!()
    };
    assert!(length == (1 << 30) + 15 && want < 5000);
    let mut found = vec![];
    let message =
        Message { bytes: b"$1073741824\r\nabc", length, position: 0, first: at(2), last: at(9) };
    redis.message(Request, &message, &mut Calls::new(&mut found));
    assert_eq!(brief(&found), ["0 SET k ?"]);
}

#[test]
fn no_bytes_do_harm() {
    use crate::protocol::backing::hostile::{batter, prefixes};
    batter(|| Box::new(Redis::new(Text::Full)), b"*3$%~|>?;.+-:0123\r\nGETMONITOR");
    let script: &[(Direction, &[u8])] = &[
        (Request, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\nSELECT 1\r\nSUBSCRIBE a\r\n"),
        (Response, b"+OK\r\n+OK\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n|1\r\n+a\r\n:1\r\n$?\r\n;1\r\na\r\n;0\r\n"),
    ];
    prefixes(|| Box::new(Redis::new(Text::Full)), script);
}
