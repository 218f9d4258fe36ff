//! What is written is read, and nothing that is read does harm.

use std::io::Cursor;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use tracer_common::record::{Header as RecordHeader, KIND_STATE};
use zerocopy::IntoBytes as _;

use super::reader::MAX_RECORD;
use super::{Header, Reader, Secrets, Writer};
use crate::causality::Kinds;
use crate::pipeline::Settings;
use crate::protocol::{backing, http1};
use crate::replay::{Input, Source as _};
use crate::trace::{Clock, LeaveOut, Resource, Value};

pub(super) const SECOND: u64 = 1_000_000_000;

pub(super) fn settings() -> Settings {
    Settings {
        connections: 1024,
        open_exchanges: 1024,
        http1: http1::Limits::default(),
        backing: backing::Settings::default(),
        settle: SECOND,
        max_hold: 30 * SECOND,
        min_confidence: 0.9,
        without: Kinds::default().and("turn").unwrap(),
        leave_out: LeaveOut::default(),
        ports_left_out: false,
    }
}

fn header() -> Header {
    let clock = Clock::new(2000 * SECOND, 1000 * SECOND);
    Header::new(&settings(), &clock, "6.18.0".into(), Secrets::Masked)
}

fn record(time: u64) -> Input {
    let header = RecordHeader { kind: KIND_STATE, pid: 1, tid: 2, cpu: 0, time, cookie: 3 };
    Input::Record(header.as_bytes().to_vec())
}

pub(super) fn process(pid: u32) -> Input {
    let attributes = vec![
        ("process.pid".into(), Value::Int(pid.into())),
        ("share".into(), Value::Double(0.5)),
        ("known".into(), Value::Bool(true)),
        ("names".into(), Value::Texts(vec!["a".into(), "b".into()])),
        ("text".into(), Value::from("t")),
    ];
    let resource = Arc::new(Resource { service: "shop".into(), attributes });
    Input::Process { pid, resource, wanted: Some(true) }
}

fn everything() -> Vec<Input> {
    let end = |port| (std::net::IpAddr::from([127, 0, 0, 1]), port);
    vec![
        Input::Existing { connections: vec![((end(80), end(4000)), 7)], first: true },
        process(7),
        record(1000 * SECOND),
        Input::Advance(1001 * SECOND),
        Input::Lost { since: 1001 * SECOND, until: 1002 * SECOND },
        Input::Clock { since: 1001 * SECOND, boot: 1002 * SECOND, unix: 7 },
        record(1002 * SECOND),
        Input::Stop(1003 * SECOND),
    ]
}

fn write(inputs: &[Input], block: usize) -> Vec<u8> {
    let mut file = vec![];
    let mut writer = Writer::new(&mut file, &header()).unwrap();
    for inputs in inputs.chunks(block) {
        inputs.iter().for_each(|input| writer.push(input).unwrap());
        writer.flush().unwrap();
    }
    assert!(writer.is_flushed());
    assert_eq!(writer.inputs(), inputs.len() as u64);
    let written = writer.written();
    assert_eq!(written, file.len() as u64);
    file
}

/// All inputs, as text since not all of their parts can be compared, and what was lost.
fn read(file: &[u8]) -> anyhow::Result<(Vec<String>, Vec<&'static str>)> {
    let mut reader = Reader::new(Cursor::new(file))?;
    let mut found = vec![];
    while let Some(input) = reader.next()? {
        found.push(format!("{input:?}"));
    }
    Ok((found, reader.left_out().losses.into_keys().collect()))
}

fn text(inputs: &[Input]) -> Vec<String> {
    inputs.iter().map(|input| format!("{input:?}")).collect()
}

#[test]
fn everything_comes_back() {
    for block in [1, 3, 100] {
        let file = write(&everything(), block);
        assert_eq!(read(&file).unwrap(), (text(&everything()), vec!["recording_gaps"]));
        let reader = Reader::new(Cursor::new(&file)).unwrap();
        assert_eq!(*reader.header(), header());
        assert_eq!(reader.clock().unix(1000 * SECOND), 2000 * SECOND);
        assert_eq!(format!("{:?}", reader.header().settings()), format!("{:?}", settings()));
    }
}

#[test]
fn what_was_left_out_is_in_the_header() {
    for (instrumented, unsampled) in [(false, true), (true, false)] {
        let leave_out = LeaveOut { instrumented, unsampled };
        let settings = Settings { leave_out, ..settings() };
        let header = Header::new(&settings, &Clock::new(0, 0), "".into(), Secrets::Kept);
        let mut file = vec![];
        Writer::new(&mut file, &header).unwrap();
        let reader = Reader::new(Cursor::new(&file)).unwrap();
        assert_eq!(reader.header().settings().leave_out, leave_out);
    }
}

#[test]
fn a_cut_file_is_read_as_far_as_it_is_whole() {
    let file = write(&everything(), 1);
    let mut least = 0;
    for length in 0..file.len() {
        match read(&file[..length]) {
            Ok((inputs, losses)) => {
                assert_eq!(inputs, text(&everything()[..inputs.len()]));
                assert!(inputs.len() >= least && inputs.len() < everything().len());
                let gap = inputs.iter().any(|input| input.starts_with("Lost"));
                let gaps = gap.then_some("recording_gaps").into_iter();
                assert_eq!(losses, gaps.chain(["recording_truncated"]).collect::<Vec<_>>());
                least = inputs.len();
            }
            Err(error) => {
                assert_eq!(least, 0);
                let message = format!("{error:#}");
                let known = message.contains("within its header") || message.contains("not a");
                assert!(known, "{message}");
            }
        }
    }
    assert_eq!(least + 1, everything().len());
}

#[test]
fn every_changed_byte_of_a_block_is_noticed() {
    let start = write(&[], 1).len();
    let file = write(&everything(), 100);
    for at in start..file.len() {
        let mut file = file.clone();
        file[at] ^= 0x40;
        let error = format!("{:#}", read(&file).unwrap_err());
        assert!(error.contains(&format!("corrupt in the block at byte {start}")), "{error}");
    }
}

#[test]
fn other_versions_are_refused() {
    let mut file = write(&everything(), 100);
    file[8] = 9;
    let error = format!("{:#}", read(&file).unwrap_err());
    assert_eq!(error, "the recording has format version 9; this tracer reads version 1");
    let mut other = header();
    other.records += 1;
    let mut file = vec![];
    Writer::new(&mut file, &other).unwrap();
    let error = format!("{:#}", read(&file).unwrap_err());
    assert!(error.contains("have layout version") && error.contains("reads version"), "{error}");
}

#[test]
fn a_record_that_is_too_long_is_refused() {
    let of = |length| [Input::Record(vec![0; length]), Input::Stop(SECOND)];
    assert_eq!(read(&write(&of(MAX_RECORD), 1)).unwrap().0.len(), 2);
    let error = format!("{:#}", read(&write(&of(MAX_RECORD + 1), 1)).unwrap_err());
    let long = format!("a record of {} bytes", MAX_RECORD + 1);
    assert!(error.contains("corrupt") && error.contains(&long), "{error}");
}

#[test]
fn a_time_from_the_far_future_is_put_right() {
    let inputs = [record(5), Input::Advance(u64::MAX), record(900 * SECOND), record(6 * SECOND)];
    let file = write(&[&inputs[..], &[Input::Stop(7 * SECOND)]].concat(), 2);
    let (found, losses) = read(&file).unwrap();
    let want = [record(5), Input::Advance(6 * SECOND), record(6 * SECOND), record(6 * SECOND)];
    assert_eq!(found[..4], text(&want));
    assert_eq!(losses, ["recording_times_clamped"]);
}

#[test]
fn times_that_are_a_little_out_of_order_stay() {
    let inputs = [record(9 * SECOND), record(5 * SECOND), record(90_000 * SECOND)];
    let inputs = [&inputs[..], &[Input::Stop(90_001 * SECOND)]].concat();
    assert_eq!(read(&write(&inputs, 2)).unwrap(), (text(&inputs), vec![]));
}

fn any_input() -> impl Strategy<Value = Input> {
    prop_oneof![
        vec(any::<u8>(), 0..200).prop_map(Input::Record),
        any::<u64>().prop_map(Input::Advance),
        any::<(u64, u64)>().prop_map(|(since, until)| Input::Lost { since, until }),
        any::<(u64, u64)>().prop_map(|(since, boot)| Input::Clock { since, boot, unix: since }),
        any::<u32>().prop_map(process),
        any::<u64>().prop_map(Input::Stop),
    ]
}

proptest! {
    #[test]
    fn random_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        let mut file = write(&[], 1);
        file.extend(bytes);
        let _ = read(&file);
    }

    #[test]
    fn random_contents_of_a_block_do_no_harm(bytes in vec(any::<u8>(), 0..400)) {
        let mut file = write(&[], 1);
        file.extend(super::frame::seal(&bytes).unwrap());
        let _ = read(&file);
    }

    #[test]
    fn mutated_recordings_do_no_harm(
        inputs in vec(any_input(), 0..20),
        changes in vec((any::<usize>(), any::<u8>()), 0..4),
        cut in any::<usize>(),
    ) {
        let mut file = write(&inputs, 4);
        for (at, byte) in changes {
            let at = at % file.len();
            file[at] = byte;
        }
        file.truncate(cut % (2 * file.len()));
        let _ = read(&file);
    }

    #[test]
    fn whatever_is_written_is_read(inputs in vec(any_input(), 0..60)) {
        let (found, _) = read(&write(&inputs, 7)).unwrap();
        assert_eq!(found.len(), inputs.len());
    }
}
