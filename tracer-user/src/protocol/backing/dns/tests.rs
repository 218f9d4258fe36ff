use super::super::hostile::batter;
use super::super::testing::{at, feed};
use super::super::{Dialect, Found, Split};
use super::Dns;
use crate::protocol::http1::Direction::{Request, Response};

/// A message with this number and these flags: a question, and answers as they stand on the wire.
fn message(number: u16, flags: u16, name: &str, kind: u16, answers: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![];
    for word in [number, flags, 1, answers.len() as u16, 0, 0] {
        bytes.extend(word.to_be_bytes());
    }
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(label.len() as u8);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1]);
    answers.iter().for_each(|answer| bytes.extend(*answer));
    bytes
}

const ALIAS: &[u8] = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03www\xc0\x0c";
const ADDRESS: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x07";

fn told(found: &[Found]) -> Vec<String> {
    let tell = |found: &Found| match found {
        Found::Started { call, position, .. } => format!("{call} at {position}"),
        Found::Asked { call, asks } => {
            let (operation, name) = (&asks.operation, &asks.collection);
            format!("{call} {} {}", operation.as_deref().unwrap(), name.as_deref().unwrap())
        }
        Found::Replied { call, .. } => format!("{call} replied"),
        Found::Ended { call, outcome, .. } => {
            let failure = outcome.failure.as_ref().map(|failure| &*failure.code);
            format!("{call} {failure:?} {:?}", outcome.answers)
        }
        Found::Abandoned { call, .. } => format!("{call} abandoned"),
        other => format!("{other:?}"),
    };
    found.iter().map(tell).collect()
}

#[test]
fn a_datagram_a_message() {
    let mut dns = Dns::datagrams();
    let asks = message(7, 0x0100, "api.example.com", 1, &[]);
    assert_eq!(told(&feed(&mut dns, Request, 0, &asks, at(1))), ["0 at 0", "0 A api.example.com"]);
    assert!(feed(&mut dns, Request, 33, &asks, at(2)).is_empty(), "asked once more");
    let other = message(8, 0x8180, "api.example.com", 1, &[]);
    assert!(feed(&mut dns, Response, 0, &other, at(3)).is_empty(), "another number");
    let answer = message(7, 0x8180, "api.example.com", 1, &[ALIAS, ADDRESS]);
    assert_eq!(
        told(&feed(&mut dns, Response, 33, &answer, at(4))),
        ["0 replied", "0 None [\"10.0.0.7\"]"]
    );
}

#[test]
fn a_length_before_each() {
    let mut dns = Dns::stream();
    let prefixed = |bytes: Vec<u8>| [&(bytes.len() as u16).to_be_bytes()[..], &bytes].concat();
    let both = [message(1, 0x0100, "a.b", 1, &[]), message(2, 0x0120, "a.b", 28, &[])];
    let both = both.map(prefixed).concat();
    let found = told(&feed(&mut dns, Request, 0, &both, at(1)));
    assert_eq!(found, ["0 at 0", "0 A a.b", "1 at 23", "1 AAAA a.b"]);
    let answers = [message(2, 0x8183, "a.b", 28, &[]), message(1, 0x8182, "a.b", 1, &[])];
    let found = told(&feed(&mut dns, Response, 0, &answers.map(prefixed).concat(), at(2)));
    let expected = ["0 replied", "0 Some(\"SERVFAIL\") []", "1 replied", "1 Some(\"NXDOMAIN\") []"];
    assert_eq!([&found[2..], &found[..2]].concat(), expected);
    assert_eq!(dns.split(Request, b"\0"), Split::More);
    assert_eq!(dns.split(Request, b"\0\x05hello"), Split::Invalid);
    assert_eq!(dns.split(Request, b"\x40\0GET / HTTP/1.1"), Split::Invalid);
}

#[test]
fn names_are_written_as_names() {
    let mut dns = Dns::datagrams();
    let mut name = |bytes: &[u8], kind: u8| {
        let mut message = message(9, 0, "", 1, &[]);
        message.truncate(12);
        message.extend([bytes, &[0, 0, kind, 0, 1]].concat());
        told(&feed(&mut dns, Request, 0, &message, at(1)))[1].clone()
    };
    assert_eq!(name(b"", 2), "0 NS .");
    assert_eq!(name(b"\x05_http\x04_tcp", 33), "1 SRV _http._tcp");
    assert_eq!(name(b"\x03a.b\x02\xffc", 99), "2 TYPE99 a\\.b.\\255c");
}

#[test]
fn what_is_none_is_malformed() {
    let mut dns = Dns::datagrams();
    let mut is = |bytes: &[u8]| told(&feed(&mut dns, Request, 0, bytes, at(1)));
    assert_eq!(is(b"hello"), ["Malformed"]);
    assert_eq!(is(&message(1, 0x8180, "a", 1, &[])), ["Malformed"], "an answer");
    assert_eq!(is(b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\xc0\x0c\0\x01\0\x01"), ["Malformed"]);
    let long =
        [&b"\0\x01\x01\0\0\x01\0\0\0\0\0\0"[..], &[b"\x3f", &[b'a'; 63][..]].concat().repeat(5)];
    assert_eq!(is(&long.concat()), ["Malformed"]);
}

#[test]
fn only_so_many_are_awaited() {
    let mut dns = Dns::datagrams();
    let ask = |dns: &mut Dns, number| {
        told(&feed(dns, Request, 0, &message(number, 0x0100, "a", 1, &[]), at(1)))
    };
    for number in 0..256 {
        assert_eq!(ask(&mut dns, number).len(), 2);
    }
    assert_eq!(ask(&mut dns, 256), ["Full", "0 abandoned", "256 at 0", "256 A a"]);
}

#[test]
fn nothing_harms_it() {
    let likely = b"\0\x01\x0c\x1d\x80\xc0\x03www";
    batter(|| Box::new(Dns::datagrams()), likely);
    batter(|| Box::new(Dns::stream()), likely);
}
