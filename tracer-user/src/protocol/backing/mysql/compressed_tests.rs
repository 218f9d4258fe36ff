//! Exchanges within compressed packets.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::MySql;
use super::session::{COLUMN, EOF, OK, ROW, Session, greeting, handshake, packets};
use crate::protocol::backing::hostile::prefixes;
use crate::protocol::backing::testing::at;
use crate::protocol::backing::{Calls, Dialect, Split, Text};
use crate::protocol::http1::Direction::{Request, Response};

/// A packet with these in it, compressed if that is set.
fn compressed(sequence: u8, content: &[u8], compress: bool) -> Vec<u8> {
    let mut bytes = content.to_vec();
    if compress {
        let mut encoder = ZlibEncoder::new(vec![], Compression::default());
        encoder.write_all(content).expect("memory");
        bytes = encoder.finish().expect("memory");
    }
    let length = |length: usize| u32::try_from(length).expect("short").to_le_bytes();
    let plain = if compress { content.len() } else { 0 };
    [&length(bytes.len())[..3], &[sequence], &length(plain)[..3], &bytes].concat()
}

#[test]
fn what_is_compressed_is_followed() {
    let mut session = Session::new();
    session.feed(Response, &packets(0, &[&greeting()]));
    session.feed(Request, &packets(1, &[&handshake(1 << 5)])).feed(Response, &packets(2, &[OK]));
    session.feed(Request, &compressed(0, &packets(0, &[b"\x03select 1 from t"]), false));
    let rows = [&[&b"\x01"[..], COLUMN, EOF], &[ROW; 1000][..], &[EOF]].concat();
    let answer = packets(1, &rows);
    let (first, second) = answer.split_at(2000);
    session.feed(Response, &compressed(1, first, true));
    session.feed(Response, &compressed(2, second, true));
    session.feed(Request, &compressed(0, &packets(0, &[b"\x03select 2 from t"]), true));
    // Something is not seen; the next answer ends it.
    session.dialect.lost(Response, at(8), &mut Calls::new(&mut vec![]));
    session.feed(Request, &compressed(0, &packets(0, &[b"\x0e"]), false));
    let pong = compressed(1, &packets(1, &[OK]), false);
    assert!(session.dialect.begins(Response, &pong));
    session.feed(Response, &pong);
    assert_eq!(
        session.told(),
        [
            "0 begins at 4",
            "0 SELECT|select t|select ? from t|shop",
            "0 replied at 5",
            "0 ends at 6 Some(1000) ",
            "1 begins at 7",
            "1 SELECT|select t|select ? from t|shop",
            "1 abandoned",
            "2 begins at 8",
            "2 PING|PING|-|shop",
            "2 replied at 9",
            "2 ends at 9 None ",
        ]
    );
    for bytes in [&packets(0, &[b"\x03select 1"])[..], b"\x16\x03\x03\0\xff\0\x01\0\0", &[0xff; 16]]
    {
        assert_eq!(session.dialect.split(Request, bytes), Split::Invalid, "{bytes:?}");
    }
}

#[test]
fn a_command_shows_that_a_connection_is_compressed() {
    let mut session = Session::new();
    let command = compressed(0, &packets(0, &[b"\x03use `shop`"]), false);
    assert!(session.dialect.begins(Request, &command));
    session.feed(Request, &command);
    let answer = compressed(1, &packets(1, &[OK]), true);
    assert!(session.dialect.begins(Response, &answer));
    session.feed(Response, &answer);
    assert_eq!(session.ends(), ["0 ends at 2 None "]);
    // Otherwise it is not, even if its packets are alike.
    let mut session = Session::new();
    session.send(14, b"").answer(&[OK]);
    assert!(!session.dialect.begins(Request, &command));
}

#[test]
fn no_bytes_do_harm() {
    let new = || -> Box<dyn Dialect> { Box::new(MySql::new(Text::Redacted)) };
    let script = packets(0, &[b"\x03select 1"]);
    let answer = packets(1, &[b"\x01", COLUMN, EOF, ROW, EOF]);
    prefixes(
        new,
        &[
            (Response, &packets(0, &[&greeting()])),
            (Request, &packets(1, &[&handshake(1 << 5)])),
            (Response, &packets(2, &[OK])),
            (Request, &compressed(0, &script, false)),
            (Response, &compressed(1, &answer, true)),
        ],
    );
}
