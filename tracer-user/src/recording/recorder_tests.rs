//! A disk that does not keep up.

use std::fs::File;
use std::io::{Read as _, pipe};
use std::os::fd::OwnedFd;
use std::thread;

use tracer_common::record::{Header as RecordHeader, KIND_STATE};
use zerocopy::IntoBytes as _;

use super::tests::{SECOND, process, settings};
use super::{Header, Reader, Recorder, Secrets};
use crate::replay::{Input, Source as _};
use crate::trace::Clock;

/// Records that do not compress, so that they soon fill a pipe.
struct Noise {
    state: u64,
    time: u64,
}

impl Noise {
    fn record(&mut self) -> Input {
        self.time += 1000;
        let header = RecordHeader { time: self.time, kind: KIND_STATE, ..empty() };
        let mut bytes = header.as_bytes().to_vec();
        for _ in 0..2000 {
            self.state = self.state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            bytes.extend((self.state ^ self.state >> 29).to_le_bytes());
        }
        Input::Record(bytes)
    }
}

fn empty() -> RecordHeader {
    RecordHeader { kind: 0, pid: 1, tid: 1, cpu: 0, time: 0, cookie: 1 }
}

#[test]
fn a_full_queue_loses_records_alone() {
    let (mut reader, writer) = pipe().unwrap();
    let clock = Clock::new(0, 0);
    let header = Header::new(&settings(), &clock, "6.18".into(), Secrets::Kept);
    let mut recorder = Recorder::start(File::from(OwnedFd::from(writer)), &header, None).unwrap();
    let mut noise = Noise { state: 1, time: 1000 * SECOND };
    let mut pushed = 0;
    while recorder.lost == 0 {
        recorder.push(noise.record());
        pushed += 1;
    }
    let first_lost = noise.time - 1000 * (recorder.lost - 1);
    let (since, until) = (first_lost - 7, noise.time + SECOND);
    recorder.push(Input::Clock { since: 1, boot: 2, unix: 3 });
    recorder.push(Input::Lost { since, until: since });
    recorder.push(process(9));
    for _ in 0..3 {
        recorder.push(noise.record());
        pushed += 1;
        recorder.hand_on();
    }
    recorder.push(Input::Lost { since: until, until });
    recorder.push(Input::Advance(noise.time));
    recorder.hand_on();
    recorder.push(Input::Stop(until));
    recorder.hand_on();
    assert!(recorder.batch.len() <= 4, "{} wait", recorder.batch.len());

    let file = thread::spawn(move || {
        let mut file = vec![];
        reader.read_to_end(&mut file).map(|_| file)
    });
    let totals = recorder.finish().unwrap();
    let file = file.join().unwrap().unwrap();
    let (mut reader, mut kept, mut records) = (Reader::new(&*file).unwrap(), vec![], 0);
    while let Some(input) = reader.next().unwrap() {
        match input {
            Input::Record(_) => records += 1,
            other => kept.push(format!("{other:?}")),
        }
    }
    assert_eq!(records + totals.lost, pushed);
    let want = [
        Input::Lost { since, until },
        Input::Clock { since: 1, boot: 2, unix: 3 },
        process(9),
        Input::Stop(until),
    ];
    assert_eq!(kept, want.map(|input| format!("{input:?}")));
}
