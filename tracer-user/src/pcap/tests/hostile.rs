//! Captures that want to do harm.

use proptest::prelude::*;

use super::wire::{ACK, Client, Outcome, RAW, SYN, Server, Wire, file};

#[test]
fn a_flood_of_connections_is_bounded_and_told() {
    let mut packets = vec![];
    for port in 1..=500 {
        let mut wire = Wire::between(&format!("10.0.0.1:{port}"), "10.0.0.2:80").open();
        wire.exchange();
        packets.extend(wire.packets);
    }
    let outcome = Outcome::within(&file(RAW, &packets), 10);
    assert_eq!(outcome.lines().len(), 500);
    assert_eq!(outcome.lost("capture_connections_full"), 490);
}

#[test]
fn acknowledgements_of_what_was_never_sent_cost_nothing() {
    let mut wire = Wire::new().open();
    wire.exchange();
    for _ in 0..100 {
        // The peer acknowledges half a gigabyte more each time.
        wire.lose(Client, 1 << 29).say(Server, b"x");
    }
    let outcome = wire.outcome();
    assert_eq!(outcome.lines(), ["GET /a 200"]);
}

#[test]
fn segments_far_away_are_left_out() {
    let mut wire = Wire::new().open();
    wire.segment(Client, wire.next[0] + (1 << 30) + 1, ACK, b"far").exchange();
    let outcome = wire.outcome();
    outcome.assert_one();
    assert_eq!(outcome.lost("segments_out_of_window"), 1);
}

/// A capture with segments of all kinds on few addresses and sequence numbers.
fn segments() -> impl Strategy<Value = Vec<(bool, u32, u8, Vec<u8>)>> {
    let bytes = prop_oneof![
        Just(super::wire::GET.to_vec()),
        Just(super::wire::OK.to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    let flags = prop_oneof![4 => Just(ACK), 1 => Just(SYN), 1 => Just(SYN | ACK), 1 => any::<u8>()];
    let sequence = prop_oneof![4 => 0..200u32, 1 => any::<u32>()];
    proptest::collection::vec((any::<bool>(), sequence, flags, bytes), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_segments_are_digested(segments in segments()) {
        let mut wire = Wire::new();
        for (from, sequence, flags, bytes) in segments {
            wire.next = [sequence, sequence];
            wire.segment(if from { Client } else { Server }, sequence, flags, &bytes);
        }
        let [one, other] = [0, 1].map(|_| wire.outcome());
        prop_assert!(one.replayed.broken.is_none());
        prop_assert_eq!(one.lines(), other.lines());
    }

    #[test]
    fn any_change_of_a_file_is_digested(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ethernet in any::<bool>(),
    ) {
        let mut wire = Wire::new().open();
        wire.exchange().exchange();
        if ethernet {
            for (_, packet) in &mut wire.packets {
                packet.splice(0..0, [&[0; 12][..], &[8, 0]].concat());
            }
        }
        let mut file = file(if ethernet { 1 } else { RAW }, &wire.packets);
        let packets = file.len() - 24;
        for (at, byte) in changes {
            file[24 + at.index(packets)] = byte;
        }
        Outcome::of(&file);
    }
}
