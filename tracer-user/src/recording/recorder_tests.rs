//! A disk that does not keep up.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracer_common::record::{Header as RecordHeader, KIND_STATE};
use zerocopy::{FromBytes as _, IntoBytes as _};

use super::{QUEUE, Recorder};
use crate::recording::tests::settings;
use crate::recording::{Header, Reader, Secrets};
use crate::replay::{Input, Source as _};
use crate::trace::{Clock, Resource};

/// A record whose bytes do not compress.
fn record(time: u64) -> Input {
    let header = RecordHeader { kind: KIND_STATE, pid: 1, tid: 2, cpu: 0, time, cookie: 3 };
    let mut number = time;
    let noise = std::iter::repeat_with(|| {
        number = number.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        number.to_be_bytes()
    });
    Input::Record(header.as_bytes().iter().copied().chain(noise.take(512).flatten()).collect())
}

fn process(pid: u32) -> Input {
    let resource = Arc::new(Resource { service: "shop".into(), attributes: vec![] });
    Input::Process { pid, resource, wanted: None }
}

#[test]
fn what_the_disk_has_no_time_for_is_counted_and_marked() {
    // A pipe in the place of a file: what nobody reads, nobody can write.
    let (mut disk, file) = std::io::pipe().unwrap();
    let header = Header::new(&settings(), &Clock::new(1, 0), "6.18".into(), Secrets::Kept);
    let mut recorder = Recorder::start(File::from(OwnedFd::from(file)), &header, None).unwrap();
    let mut times = 1..;
    let mut push = |recorder: &mut Recorder| {
        let time = times.next().unwrap();
        recorder.push(record(time));
        recorder.hand_on();
        time
    };
    while recorder.lost == 0 {
        let pushed = push(&mut recorder);
        assert!(pushed < 10 * QUEUE as u64, "the queue has no bound");
    }
    recorder.push(process(7));
    for _ in 0..100 {
        push(&mut recorder);
    }
    assert_eq!(recorder.lost, 101);
    assert_eq!(recorder.batch.len(), 2, "who the process is, and the mark");

    let read = Arc::new(AtomicUsize::new(0));
    let disk = {
        let read = read.clone();
        std::thread::spawn(move || {
            let (mut contents, mut buffer) = (vec![], [0; 4096]);
            loop {
                match disk.read(&mut buffer)? {
                    0 => return io::Result::Ok(contents),
                    count => contents.extend(&buffer[..count]),
                }
                read.store(contents.len(), Ordering::Relaxed);
            }
        })
    };
    // Nothing is lost once there is room again: not for one batch, but for many.
    let Input::Record(one) = record(0) else { panic!("no record") };
    while read.load(Ordering::Relaxed) < QUEUE / 2 * one.len() {
        std::thread::yield_now();
    }
    let lost = loop {
        let before = recorder.lost;
        push(&mut recorder);
        if recorder.lost == before {
            break before;
        }
    };
    let last = push(&mut recorder);
    recorder.push(Input::Stop(last));
    let totals = recorder.finish().unwrap();
    let contents = disk.join().unwrap().unwrap();
    assert_eq!((totals.lost, totals.bytes), (lost, contents.len() as u64));

    let mut reader = Reader::new(&*contents).unwrap();
    let (mut missing, mut marks, mut told): (BTreeSet<u64>, _, _) =
        ((1..=last).collect(), vec![], 0);
    while let Some(input) = reader.next().unwrap() {
        match input {
            Input::Record(bytes) => {
                let (header, _) = RecordHeader::read_from_prefix(&bytes).unwrap();
                assert!(missing.remove(&header.time), "twice: {}", header.time);
            }
            Input::Lost { since, until } => marks.push(since..=until),
            Input::Process { .. } => told += 1,
            other => assert!(matches!(other, Input::Stop(_)), "{other:?}"),
        }
    }
    assert_eq!((missing.len() as u64, told), (lost, 1));
    let [mark] = &marks[..] else { panic!("{marks:?}") };
    assert!(missing.iter().all(|time| mark.contains(time)), "{missing:?} outside {mark:?}");
    assert_eq!(reader.left_out().losses.into_iter().collect::<Vec<_>>(), [("recording_gaps", 1)]);
}
