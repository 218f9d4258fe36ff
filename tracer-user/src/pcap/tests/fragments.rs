//! Packets in fragments.

use super::wire::{ACK, Client, GET, OK, Outcome, RAW, Server, Wire, file};

/// The fragments of an IPv4 packet, each with this many bytes of its payload.
fn v4(packet: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(20);
    let parts = payload.chunks(size).enumerate();
    let fragment = |(index, part): (usize, &[u8])| {
        let mut header = header.to_vec();
        let last = (index + 1) * size >= payload.len();
        let offset = (index * size / 8) as u16 | if last { 0 } else { 0x2000 };
        header[2..4].copy_from_slice(&(20 + part.len() as u16).to_be_bytes());
        header[6..8].copy_from_slice(&offset.to_be_bytes());
        [&header[..], part].concat()
    };
    parts.map(fragment).collect()
}

/// The same of an IPv6 packet, behind a hop-by-hop and a routing header.
fn v6(packet: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(40);
    let parts = payload.chunks(size).enumerate();
    let fragment = |(index, part): (usize, &[u8])| {
        let last = (index + 1) * size >= payload.len();
        let offset = (index * size) as u16 | u16::from(!last);
        let hop_by_hop = [43, 0, 1, 4, 0, 0, 0, 0];
        let routing = [44, 0, 0, 0, 0, 0, 0, 0];
        let mut extension = vec![6, 0];
        extension.extend(offset.to_be_bytes());
        extension.extend(77u32.to_be_bytes());
        let mut header = header.to_vec();
        header[6] = 0;
        header[4..6].copy_from_slice(&(24 + part.len() as u16).to_be_bytes());
        [&header[..], &hop_by_hop, &routing, &extension, part].concat()
    };
    parts.map(fragment).collect()
}

/// An exchange whose request comes in these fragments.
fn outcome(mut wire: Wire, split: fn(&[u8], usize) -> Vec<Vec<u8>>, backwards: bool) -> Outcome {
    let packet = wire.packet(Client, wire.next[0], ACK, GET);
    let mut parts = split(&packet, 16);
    assert!(parts.len() > 2);
    if backwards {
        parts.reverse();
    }
    wire.packets.extend(parts.into_iter().map(|part| (wire.now, part)));
    wire.lose(Client, GET.len() as u32).say(Server, OK);
    wire.outcome()
}

#[test]
fn in_any_order() {
    for backwards in [false, true] {
        outcome(Wire::new().open(), v4, backwards).assert_one();
        let wire = Wire::between("[2001:db8::1]:40000", "[2001:db8::2]:80").open();
        outcome(wire, v6, backwards).assert_one();
    }
}

#[test]
fn one_that_is_missing_is_told() {
    let mut wire = Wire::new().open();
    let packet = wire.packet(Client, wire.next[0], ACK, GET);
    let parts = v4(&packet, 16).into_iter().skip(1).map(|part| (wire.now, part));
    wire.packets.extend(parts);
    wire.lose(Client, GET.len() as u32).say(Server, OK).exchange();
    let outcome = wire.outcome();
    assert_eq!(outcome.lost("fragments_given_up"), 1);
    assert_eq!(outcome.lines(), ["GET /a 200"]);
}

#[test]
fn memory_for_them_is_bounded() {
    let wire = Wire::new();
    let packet = wire.packet(Client, 0, ACK, GET);
    let parts = (0..5000u16).map(|number| {
        let mut part = v4(&packet, 16).swap_remove(0);
        part[4..6].copy_from_slice(&number.to_be_bytes());
        (wire.now, part)
    });
    let outcome = Outcome::of(&file(RAW, &parts.collect::<Vec<_>>()));
    assert_eq!(outcome.lost("fragments_given_up"), 5000);
}
