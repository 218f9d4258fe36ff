//! Every link type, with IPv4 and IPv6.

use super::wire::{Client, RAW};
use super::wire::{GET, OK, Outcome, Server, Wire, attribute, file};

/// A whole exchange over these addresses, each packet behind what `link` puts there.
fn captured(link: u32, v6: bool, wrap: impl Fn(u16, Vec<u8>) -> Vec<u8>) -> Outcome {
    let mut wire = match v6 {
        true => Wire::between("[2001:db8::1]:40000", "[2001:db8::2]:80").open(),
        false => Wire::new().open(),
    };
    wire.exchange();
    let kind = if v6 { 0x86dd } else { 0x0800 };
    let packets = wire.packets.into_iter().map(|(time, packet)| (time, wrap(kind, packet)));
    Outcome::of(&file(link, &packets.collect::<Vec<_>>()))
}

fn behind(front: &[u8], packet: Vec<u8>) -> Vec<u8> {
    [front, &packet].concat()
}

#[test]
fn ethernet_with_and_without_vlans() {
    let tags: [&[u8]; 4] = [
        b"",
        &[0x81, 0, 0, 7],
        // QinQ, in its two spellings.
        &[0x88, 0xa8, 0, 7, 0x81, 0, 0, 9],
        &[0x81, 0, 0, 7, 0x81, 0, 0, 9],
    ];
    for (v6, tag) in [false, true].into_iter().flat_map(|v6| tags.map(|tag| (v6, tag))) {
        let outcome = captured(1, v6, |kind, packet| {
            // Frames are padded to 60 bytes.
            let mut frame = behind(&[&[0; 12], tag, &kind.to_be_bytes()].concat(), packet);
            frame.resize(frame.len().max(60), 0xee);
            frame
        });
        outcome.assert_one();
    }
}

#[test]
fn loopback_in_either_byte_order() {
    for (v6, families) in [(false, vec![2u32]), (true, vec![10, 24, 28, 30])] {
        for family in families {
            captured(0, v6, |_, packet| behind(&family.to_le_bytes(), packet)).assert_one();
            captured(0, v6, |_, packet| behind(&family.to_be_bytes(), packet)).assert_one();
            captured(108, v6, |_, packet| behind(&family.to_be_bytes(), packet)).assert_one();
        }
    }
}

#[test]
fn linux_cooked_of_both_versions() {
    for v6 in [false, true] {
        captured(113, v6, |kind, packet| {
            behind(&[&[0; 14], &kind.to_be_bytes()[..]].concat(), packet)
        })
        .assert_one();
        captured(276, v6, |kind, packet| {
            behind(&[&kind.to_be_bytes()[..], &[0; 18]].concat(), packet)
        })
        .assert_one();
    }
}

#[test]
fn raw_ip_under_all_its_numbers() {
    for link in [RAW, 12, 14, 228] {
        captured(link, false, |_, packet| packet).assert_one();
    }
    for link in [RAW, 229] {
        captured(link, true, |_, packet| packet).assert_one();
    }
}

#[test]
fn the_ends_are_told_as_they_are() {
    let outcome = captured(RAW, true, |_, packet| packet);
    let span = &outcome.spans[0];
    assert_eq!(&*span.resource.service, "[2001:db8::2]:80");
    for (key, value) in [
        ("client.address", "2001:db8::1"),
        ("client.port", "40000"),
        ("server.address", "2001:db8::2"),
        ("server.port", "80"),
        ("http.request.header.host", "there"),
    ] {
        assert_eq!(attribute(span, key).as_deref(), Some(value), "{key}");
    }
}

#[test]
fn what_is_no_tcp_is_counted() {
    let mut wire = Wire::new().open();
    wire.say(Client, GET).say(Server, OK);
    let mut udp = wire.packet(Client, 0, 0, b"");
    udp[9] = 17;
    let arp = [&[0; 12][..], &[8, 6], &[0; 28]].concat();
    let packets: Vec<_> = wire.packets.iter().chain([&(wire.now, udp)]).cloned().collect();
    let frames = packets
        .into_iter()
        .map(|(time, packet)| (time, behind(&[&[0; 12][..], &[8, 0]].concat(), packet)));
    let frames: Vec<_> = frames.chain([(wire.now, arp), (wire.now, vec![1, 2, 3])]).collect();
    let outcome = Outcome::of(&file(1, &frames));
    outcome.assert_one();
    assert_eq!((outcome.passed_over("not_tcp"), outcome.passed_over("not_ip")), (1, 1));
    assert_eq!(outcome.lost("packets_cut"), 1);
    let outcome = Outcome::of(&file(147, &frames));
    assert_eq!(outcome.lost("unknown_link_types"), frames.len() as u64);
}
