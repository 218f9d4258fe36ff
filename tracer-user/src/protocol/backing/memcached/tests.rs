use super::Memcached;
use crate::protocol::backing::hostile::{batter, prefixes};
use crate::protocol::backing::testing::{at, feed};
use crate::protocol::backing::{Calls, Dialect, Found, Split, Text};
use crate::protocol::http1::Direction::{self, Request, Response};

fn brief(found: &[Found]) -> Vec<String> {
    let brief = |found: &Found| match found {
        Found::Asked { call, asks } => {
            Some(format!("{call} {}", asks.text.text.clone().unwrap_or_default()))
        }
        Found::Ended { call, outcome, .. } => Some(match &outcome.failure {
            Some(failure) => format!("{call}! {}", failure.code),
            None => format!("{call}. {}", outcome.bytes),
        }),
        Found::Abandoned { call, .. } => Some(format!("{call}?")),
        Found::Malformed => Some("malformed".to_owned()),
        Found::Full => Some("full".to_owned()),
        Found::Started { .. } | Found::Replied { .. } | Found::Delivered { .. } => None,
    };
    found.iter().filter_map(brief).collect()
}

fn run(script: &[(Direction, &[u8])]) -> Vec<String> {
    let (mut memcached, mut found) = (Memcached::new(Text::Redacted), vec![]);
    for (time, (of, bytes)) in (1..).zip(script) {
        found.extend(feed(&mut memcached, *of, 0, bytes, at(time)));
    }
    brief(&found)
}

/// A header and what follows it.
fn packet(first: u8, opcode: u8, status: u16, opaque: u32, parts: [&[u8]; 3]) -> Vec<u8> {
    let [extras, key, value] = parts;
    let body = (extras.len() + key.len() + value.len()) as u32;
    let mut packet = vec![first, opcode];
    packet.extend((key.len() as u16).to_be_bytes());
    packet.extend([extras.len() as u8, 0]);
    packet.extend(status.to_be_bytes());
    packet.extend(body.to_be_bytes());
    packet.extend(opaque.to_be_bytes());
    packet.extend([0; 8]);
    [packet, extras.to_vec(), key.to_vec(), value.to_vec()].concat()
}

#[test]
fn commands_of_lines() {
    let found = run(&[
        (Request, b"set user:1 0 60 5\r\na\r\nbc\r\nget user:1 user:2\r\n"),
        (Response, b"STORED\r\nVALUE user:1 0 5\r\na\r\nbc\r\nEND\r\n"),
        (Request, b"gat 10 a b\r\nincr n 5\r\ndelete n\r\nstats\r\n"),
        (Response, b"END\r\n6\r\nNOT_FOUND\r\nSTAT pid 1\r\nSTAT uptime 2\r\nEND\r\n"),
        (Request, b"set k 0 0 1 noreply\r\nx\r\ndelete k noreply\r\nadd k 0 0 9\r\nxxxxxxxxx\r\nversion\r\n"),
        (Response, b"SERVER_ERROR out of memory storing object\r\nVERSION 1.6.21\r\n"),
    ]);
    let expected = [
        "0 set user:1 ?",
        "1 get user:1 user:2",
        "0. 8",
        "1. 30",
        "2 gat a b",
        "3 incr n ?",
        "4 delete n",
        "5 stats",
        "2. 5",
        "3. 3",
        "4. 11",
        "5. 32",
        "6 set k ?",
        "6. 0",
        "7 delete k",
        "7. 0",
        "8 add k ?",
        "9 version",
        "8! SERVER_ERROR",
        "9. 16",
    ];
    assert_eq!(found, expected);
}

#[test]
fn meta_commands_may_be_quiet() {
    let found = run(&[
        (Request, b"ms foo 2 T90 O1\r\nhi\r\nmg a v q O2\r\nmg b v q O3\r\nmg c v q\r\nmn\r\n"),
        (Response, b"HD O1\r\nVA 2 O3\r\nhi\r\nMN\r\n"),
    ]);
    let expected = [
        "0 ms foo ?",
        "1 mg a",
        "2 mg b",
        "3 mg c",
        "4 mn",
        "0. 7",
        "1. 0",
        "2. 13",
        "3. 0",
        "4. 4",
    ];
    assert_eq!(found, expected);
}

#[test]
fn binary_commands() {
    let requests = [
        packet(0x80, 0x01, 0, 7, [&[0xde, 0xad, 0xbe, 0xef, 0, 0, 0xe, 0x10], b"Hello", b"World"]),
        packet(0x80, 0x09, 0, 8, [b"", b"miss", b""]),
        packet(0x80, 0x0d, 0, 9, [b"", b"hit", b""]),
        packet(0x80, 0x0a, 0, 10, [b"", b"", b""]),
        packet(0x80, 0x10, 0, 11, [b"", b"", b""]),
    ]
    .concat();
    let responses = [
        packet(0x81, 0x01, 0x82, 7, [b"", b"", b"Out of memory"]),
        packet(0x81, 0x0d, 0, 9, [&[0; 4], b"hit", b"v"]),
        packet(0x81, 0x0a, 0, 10, [b"", b"", b""]),
        packet(0x81, 0x10, 0, 11, [b"", b"pid", b"3078"]),
        packet(0x81, 0x10, 0, 11, [b"", b"", b""]),
    ]
    .concat();
    let found = run(&[(Request, &requests), (Response, &responses)]);
    let expected = [
        "0 set Hello ?",
        "1 get miss",
        "2 get hit",
        "3 noop",
        "4 stats",
        "0! 130",
        "1. 0",
        "2. 32",
        "3. 24",
        "4. 55",
    ];
    assert_eq!(found, expected);
    let memcached = Memcached::new(Text::Full);
    assert!(memcached.begins(Request, &requests) && memcached.begins(Response, &responses));
    assert!(!memcached.begins(Response, &requests) && !memcached.begins(Request, &[0x80; 40]));
    prefixes(
        || Box::new(Memcached::new(Text::Full)),
        &[(Request, &requests), (Response, &responses)],
    );
}

#[test]
fn the_last_quiet_commands_end_with_their_operation() {
    let set = packet(0x80, 0x11, 0, 7, [&[0; 8], b"k", b"v"]);
    let noop = packet(0x80, 0x0a, 0, 8, [b"", b"", b""]);
    let get = packet(0x80, 0x09, 0, 9, [b"", b"k", b""]);
    let requests = [noop, get].concat();
    let answer = packet(0x81, 0x0a, 0, 8, [b"", b"", b""]);
    let hit = packet(0x81, 0x09, 0, 9, [&[0; 4], b"", b"v"]);
    let found = run(&[
        (Request, &[set.clone(), set].concat()),
        (Request, &requests),
        (Response, &[answer, hit].concat()),
        (Request, b"ms k 1 q\r\nv\r\n"),
    ]);
    let expected = [
        "0 set k ?",
        "1 set k ?",
        "0. 0",
        "1. 0",
        "2 noop",
        "3 get k",
        "3. 0",
        "2. 24",
        "4 ms k ?",
        "4. 0",
    ];
    assert_eq!(found, expected);
}

#[test]
fn very_many_quiet_commands_end_early() {
    let get = packet(0x80, 0x09, 0, 300, [b"", b"k", b""]);
    let noop = packet(0x80, 0x0a, 0, 301, [b"", b"", b""]);
    let answer = packet(0x81, 0x0a, 0, 301, [b"", b"", b""]);
    let mut memcached = Memcached::new(Text::Off);
    let requests = [get.repeat(5000), noop].concat();
    let found = feed(&mut memcached, Request, 0, &requests, at(1));
    assert!(!found.iter().any(|found| matches!(found, Found::Full)));
    assert_eq!(memcached.outstanding.len(), super::MAX_OUTSTANDING);
    let found = feed(&mut memcached, Response, 0, &answer, at(2));
    assert_eq!(brief(&found).last().map(String::as_str), Some("5000. 24"));
    assert!(memcached.outstanding.capacity() <= super::KEPT);
}

#[test]
fn answers_do_not_shift_behind_a_loss() {
    let (mut memcached, mut found) = (Memcached::new(Text::Off), vec![]);
    feed(&mut memcached, Request, 0, b"get a\r\n", at(1));
    feed(&mut memcached, Request, 0, b"get b\r\n", at(2));
    memcached.lost(Response, at(3), &mut Calls::new(&mut found));
    found.extend(feed(&mut memcached, Request, 0, b"get c\r\n", at(4)));
    // That of the second one, and of the third one.
    found.extend(feed(&mut memcached, Response, 0, b"END\r\n", at(5)));
    found.extend(feed(&mut memcached, Request, 0, b"get d\r\n", at(6)));
    found.extend(feed(&mut memcached, Response, 0, b"VALUE c 0 1\r\nc\r\nEND\r\n", at(7)));
    assert_eq!(brief(&found), ["0?", "1?", "2 ", "2?", "3 ", "3?"]);
    // One that waits, and was met in the middle.
    let (mut memcached, mut found) = (Memcached::new(Text::Off), vec![]);
    memcached.lost(Request, at(0), &mut Calls::new(&mut found));
    memcached.lost(Response, at(0), &mut Calls::new(&mut found));
    for time in 0..2 {
        found.extend(feed(&mut memcached, Request, 0, b"get a\r\n", at(2 * time + 1)));
        found.extend(feed(&mut memcached, Response, 0, b"END\r\n", at(2 * time + 2)));
    }
    assert_eq!(brief(&found), ["0 ", "0?", "1 ", "1. 5"]);
}

#[test]
fn what_is_lost_is_abandoned_or_ends_with_its_last_line() {
    let (mut memcached, mut found) = (Memcached::new(Text::Full), vec![]);
    feed(&mut memcached, Request, 0, b"get a\r\n", at(1));
    memcached.lost(Response, at(2), &mut Calls::new(&mut found));
    assert!(!memcached.ends(Response, b"x\r\n", at(2), &mut Calls::new(&mut found)));
    assert!(memcached.ends(Response, b"x\r\nEND\r\n", at(3), &mut Calls::new(&mut found)));
    feed(&mut memcached, Request, 0, b"get a\r\nget b\r\n", at(4));
    memcached.lost(Response, at(5), &mut Calls::new(&mut found));
    assert_eq!(brief(&found), ["0. 0", "1?", "2?"]);
}

#[test]
fn other_protocols_are_told_apart() {
    let memcached = Memcached::new(Text::Full);
    for bytes in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"*1\r\n",
        b"got",
        b"get \x01\r\n",
        b"set a\r\n",
        b"\x80\xff",
        b"get\r\n",
    ] {
        assert_eq!(memcached.split(Request, bytes), Split::Invalid, "{bytes:?}");
    }
    for bytes in [&b"HTTP/1.1 200 OK\r\n"[..], b"+OK\r\n", b"VALUE a\r\n", b"\x81\x99"] {
        assert_eq!(memcached.split(Response, bytes), Split::Invalid, "{bytes:?}");
    }
    for bytes in [&b"ge"[..], b"get a\r", b"version\r"] {
        assert_eq!(memcached.split(Request, bytes), Split::More, "{bytes:?}");
    }
}

#[test]
fn no_bytes_do_harm() {
    batter(|| Box::new(Memcached::new(Text::Full)), b"mgsetad VALUE0123456789\r\n\x80\x81\0 q O");
    let script: &[(Direction, &[u8])] = &[
        (Request, b"set user:1 0 60 5\r\na\r\nbc\r\nget user:1 user:2\r\nmg a q O1\r\nmn\r\n"),
        (Response, b"STORED\r\nVALUE user:1 0 5\r\na\r\nbc\r\nEND\r\nMN\r\n"),
    ];
    prefixes(|| Box::new(Memcached::new(Text::Full)), script);
}
