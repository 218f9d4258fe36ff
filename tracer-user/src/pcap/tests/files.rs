//! The file formats.

use super::wire::{Client, GET, MILLISECOND, OK, Outcome, RAW, START, Server, Wire, file, header};

fn exchange() -> Vec<(u64, Vec<u8>)> {
    let mut wire = Wire::new().open();
    wire.exchange();
    wire.packets
}

#[test]
fn all_byte_orders_and_resolutions_of_pcap() {
    let packets = exchange();
    for (magic, unit) in [(0xa1b2_c3d4u32, 1000), (0xa1b2_3c4d, 1)] {
        for big in [false, true] {
            let put = |word: u32| if big { word.to_be_bytes() } else { word.to_le_bytes() };
            let mut file: Vec<u8> = put(magic).to_vec();
            file.extend(if big { [0, 2, 0, 4] } else { [2, 0, 4, 0] });
            file.extend([0, 0, 65535, RAW].into_iter().flat_map(put));
            for (time, packet) in &packets {
                let len = packet.len() as u32;
                let time = [(time / 1_000_000_000) as u32, (time % 1_000_000_000 / unit) as u32];
                file.extend([time[0], time[1], len, len].into_iter().flat_map(put));
                file.extend(packet);
            }
            let outcome = Outcome::of(&file);
            outcome.assert_one();
            assert_eq!(outcome.spans[0].start, START + 4 * MILLISECOND);
        }
    }
}

/// A pcapng block.
fn block(kind: u32, body: &[u8], big: bool) -> Vec<u8> {
    let put = |word: u32| if big { word.to_be_bytes() } else { word.to_le_bytes() };
    let mut padded = body.to_vec();
    padded.resize(body.len().next_multiple_of(4), 0);
    let len = put(12 + padded.len() as u32);
    [&put(kind)[..], &len, &padded, &len].concat()
}

/// A pcapng section with two interfaces of different link types and resolutions.
fn section(packets: &[(u64, Vec<u8>)], big: bool) -> Vec<u8> {
    let put = |word: u32| if big { word.to_be_bytes() } else { word.to_le_bytes() };
    let put16 = |word: u16| if big { word.to_be_bytes() } else { word.to_le_bytes() };
    let magic = [&put(0x1a2b_3c4d)[..], &put16(1), &put16(0), &[0xff; 8]].concat();
    let mut file = block(0x0a0d_0d0a, &magic, big);
    // Raw IP in nanoseconds and with 100 s to add; Linux cooked in 2^-20 s.
    let offset = 100i64;
    let offset = if big { offset.to_be_bytes() } else { offset.to_le_bytes() };
    for (link, options) in [
        (RAW, [&put16(9)[..], &put16(1), &[9, 0, 0, 0], &put16(14), &put16(8), &offset].concat()),
        (113, [&put16(9)[..], &put16(1), &[0x94, 0, 0, 0]].concat()),
    ] {
        let body = [&put16(link as u16)[..], &[0, 0], &put(65535), &options, &[0; 4]].concat();
        file.extend(block(1, &body, big));
    }
    for (number, (time, packet)) in packets.iter().enumerate() {
        let id = number as u32 % 2;
        let (ticks, bytes) = match id {
            0 => (time - 100_000_000_000, packet.clone()),
            _ => {
                let ticks = u128::from(*time) * (1 << 20) / 1_000_000_000;
                (ticks as u64, [&[0; 14], &[8, 0][..], packet].concat())
            }
        };
        let len = bytes.len() as u32;
        let words = [id, (ticks >> 32) as u32, ticks as u32, len, len];
        let words: Vec<u8> = words.into_iter().flat_map(put).collect();
        file.extend(block(6, &[words, bytes].concat(), big));
    }
    // Statistics, which say nothing of packets.
    file.extend(block(5, &[0; 12], big));
    file
}

#[test]
fn pcapng_with_several_interfaces_and_sections() {
    for big in [false, true] {
        let outcome = Outcome::of(&section(&exchange(), big));
        outcome.assert_one();
        assert!(outcome.replayed.losses.is_empty(), "{:?}", outcome.replayed);
        let drift = outcome.spans[0].start.abs_diff(START + 4 * MILLISECOND);
        assert!(drift < 2000, "2^-20 s is about a microsecond: {drift}");
    }
    let mut later = Wire::between("10.0.0.7:1234", "10.0.0.2:80").open();
    later.now += 1000 * MILLISECOND;
    later.say(Client, GET).say(Server, OK);
    let file = [section(&exchange(), false), section(&later.packets, true)].concat();
    assert_eq!(Outcome::of(&file).lines(), ["GET /a 200"; 2]);
}

#[test]
fn packets_of_unknown_interfaces_are_counted() {
    let file = section(&exchange(), false);
    // Without the second interface's description: it is 32 bytes, behind 28 and 44.
    let file = [&file[..72], &file[104..]].concat();
    assert_eq!(Outcome::of(&file).lost("unknown_interfaces"), 2);
}

#[test]
fn a_file_that_breaks_off_is_read_to_there() {
    let mut wire = Wire::new().open();
    wire.exchange().exchange();
    let whole = file(RAW, &wire.packets);
    let outcome = Outcome::of(&whole[..whole.len() - 7]);
    assert_eq!(outcome.lines(), ["GET /a 200", "GET /a tracer_stopped"]);
    assert_eq!(outcome.lost("file_cut"), 1);
    assert!(Outcome::of(&header(0xa1b2_c3d4, RAW)).spans.is_empty());
}

#[test]
fn damage_is_an_error_after_what_came_before() {
    let mut damaged = section(&exchange(), false);
    // A block whose two lengths differ.
    damaged.extend([6, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0]);
    damaged.extend(section(&exchange(), false));
    let outcome = Outcome::of(&damaged);
    assert_eq!(outcome.lines(), ["GET /a 200"]);
    let error = format!("{:#}", outcome.replayed.broken.unwrap());
    assert!(error.contains("damaged at byte"), "{error}");
}

#[test]
fn times_that_jump_are_clamped() {
    let mut packets = exchange();
    packets[3].0 = START + 365 * 86_400_000 * MILLISECOND;
    packets[4].0 = 1000;
    let outcome = Outcome::of(&file(RAW, &packets));
    outcome.assert_one();
    assert_eq!(outcome.lost("times_clamped"), 2);
    assert_eq!(outcome.spans[0].start, START + 3 * MILLISECOND);
}

#[test]
fn the_same_file_gives_the_same_spans() {
    let file = section(&exchange(), false);
    let [one, other] = [0, 1].map(|_| Outcome::of(&file).spans);
    assert!(!one.is_empty());
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}
