//! What was recorded beside a pipeline makes the same spans when it is replayed.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use tracer_user::config::{RunArgs, Settings as Config};
use tracer_user::pipeline::{Directory, Pipeline, Settings};
use tracer_user::recording::{Header, Reader, Recorder, Secrets, Tap};
use tracer_user::replay::{Input, Replayed, Source as _, drive};
use tracer_user::trace::{Clock, LeaveOut, Resource, Span, TraceId};

use crate::http::{OK, hex, w3c};
use crate::journeys::{Runtime, Service, service, simulate};
use crate::outcome::{Outcome, settings};
use crate::script::{End, MICROSECOND, SECOND, Script, task};

/// Processes that change their names whenever they can.
#[derive(Default)]
struct Moody {
    names: HashMap<u32, String>,
}

impl Moody {
    fn change(&mut self, pid: u32, what: &str) {
        let name = self.names.entry(pid).or_insert_with(|| format!("pid-{pid}"));
        if !name.contains(what) {
            *name = format!("{name} {what}");
        }
    }
}

impl Directory for Moody {
    fn resource(&mut self, pid: u32, _: u64) -> Arc<Resource> {
        let service = self.names.get(&pid).map_or("new", |name| name).into();
        Arc::new(Resource {
            service,
            attributes: vec![("process.pid".into(), i64::from(pid).into())],
        })
    }
    fn meet(&mut self, pid: u32, _: &str, _: u64) {
        self.change(pid, "met");
    }
    fn takes_over(&mut self, _: u32, _: u32) {}

    fn speaks_tls(&mut self, _: u32) {}
    fn serves(&mut self, pid: u32, port: u16) {
        self.change(pid, &format!("serves {port}"));
    }
    fn exec(&mut self, pid: u32, _: &str) {
        self.change(pid, "changed");
    }
    fn exit(&mut self, pid: u32, _: u64) {
        self.change(pid, "ended");
    }
    fn wanted(&mut self, pid: u32, _: u64) -> Option<bool> {
        Some(pid != 66 || self.names.get(&66).is_some_and(|name| name.contains("changed")))
    }
}

const CLOCK: (u64, u64) = (1_700_000_000 * SECOND, 5 * SECOND);

/// Spans of a pipeline alone, of one that was recorded, and of the replay.
fn three_times(script: &Script, secrets: Secrets) -> ([Vec<Arc<Span>>; 3], Vec<u8>) {
    three_times_with(script, &settings(), secrets)
}

fn three_times_with(
    script: &Script,
    settings: &Settings,
    secrets: Secrets,
) -> ([Vec<Arc<Span>>; 3], Vec<u8>) {
    let clock = Clock::new(CLOCK.0, CLOCK.1);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("recording");
    let header = Header::new(settings, &clock, "6.18".into(), secrets);
    let recorder = Recorder::start(File::create(&path).unwrap(), &header, None).unwrap();
    let mut tap = Tap::new(settings.clone(), Moody::default(), clock, Some(recorder));
    let mut alone = Pipeline::new(settings.clone(), Moody::default(), clock);
    let mut live = vec![];
    let connections = vec![(((([10, 1, 0, 1]).into(), 80), (([10, 0, 0, 2]).into(), 1)), 10)];
    tap.existing(connections.clone(), true);
    alone.existing(connections, true);
    for (number, record) in script.records.iter().enumerate() {
        tap.record(&record.bytes);
        alone.record(&record.bytes);
        // Time that passes now and then, as live, a little behind the records.
        if number % 7 == 0 {
            let now = u64::from_le_bytes(record.bytes[16..24].try_into().unwrap());
            tap.advance(now.saturating_sub(50_000 * MICROSECOND));
            alone.advance(now.saturating_sub(50_000 * MICROSECOND));
            live.extend(tap.take_spans());
        }
        if number == script.records.len() / 2 {
            tap.lost_records(script.now, script.now);
            alone.lost_records(script.now, script.now);
        }
    }
    for later in [7 * SECOND / 10, SECOND, 2 * SECOND, 300 * SECOND] {
        tap.advance(script.now + later);
        alone.advance(script.now + later);
    }
    tap.stop(script.now + 300 * SECOND);
    alone.stop(script.now + 300 * SECOND);
    live.extend(tap.take_spans());
    let totals = tap.finish().unwrap().unwrap();
    assert_eq!(totals.lost, 0);

    let file = std::fs::read(&path).unwrap();
    assert_eq!(totals.bytes, file.len() as u64);
    let mut reader = Reader::new(&*file).unwrap();
    let mut replayed = vec![];
    let config = Config::resolve(&RunArgs::default(), None, &|_| None).unwrap();
    let Replayed { losses, broken, .. } = drive(&mut reader, &config, |spans| {
        replayed.extend(spans);
        true
    });
    assert!(broken.is_none(), "{broken:?}");
    let mut lost = alone.losses();
    lost.retain(|_, count| *count > 0);
    // The one that is made in the middle.
    lost.insert("recording_gaps", 1);
    assert_eq!(losses, lost);
    ([alone.take_spans(), live, replayed], file)
}

/// What comes out of a script, which also comes out when it is recorded, masked and replayed.
#[track_caller]
pub(crate) fn recorded(script: &Script) -> Outcome {
    recorded_with(script, settings())
}

#[track_caller]
pub(crate) fn recorded_with(script: &Script, settings: Settings) -> Outcome {
    check_with(script, &settings);
    Outcome::with(script, settings)
}

#[track_caller]
fn check(script: &Script) {
    check_with(script, &settings());
}

#[track_caller]
fn check_with(script: &Script, settings: &Settings) {
    let ([alone, live, replayed], _) = three_times_with(script, settings, Secrets::Masked);
    assert!(!alone.is_empty());
    assert_eq!(live, alone, "the recorder changes nothing");
    assert_eq!(replayed, alone);
}

#[test]
fn journeys_through_all_runtimes() {
    for runtime in [Runtime::Threads, Runtime::Loop, Runtime::Timers, Runtime::Goroutines] {
        let services: [Service; 3] =
            [service(runtime, &[1, 2]), service(runtime, &[2]), service(runtime, &[])];
        check(&simulate(&services, 8, 60, 7));
    }
}

#[test]
fn processes_that_change_and_end() {
    let mut script = Script::new();
    for round in 0..4 {
        let wire = script.connect(task(10), 80 + round);
        script.call(task(10), task(66), wire, "/before", "");
        script.call(task(10), task(11), wire, "/x?token=hunter2", "Cookie: hunter2\r\n");
        script.wait(SECOND / 2);
        script.exec(66);
        script.exec(11);
        let wire = script.connect(task(10), 80);
        script.call(task(10), task(66), wire, "/after", "");
        script.wait(2 * SECOND);
        script.exit(66);
        script.exit(11);
    }
    check(&script);
}

/// A client whose writer's system call returns after its reader's.
#[test]
fn responses_that_overtake_their_requests() {
    let mut script = Script::new();
    let wire = script.connect(task(10), 80);
    for round in 0..5 {
        let request = format!("GET /{round} HTTP/1.1\r\nHost: there\r\nCookie: hunter2\r\n\r\n");
        let pending = script.send_slowly(task(10), wire, End::Opener, request.as_bytes());
        script.hear(task(11), wire);
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nhunter2\r\n";
        script.send(task(11), wire, End::Acceptor, chunked);
        script.learn(task(10), wire);
        script.send(task(11), wire, End::Acceptor, b"0\r\n\r\n");
        if round % 2 == 0 {
            script.learn(task(10), wire);
            script.complete(pending);
        } else {
            script.complete(pending);
            script.learn(task(10), wire);
        }
    }
    script.close(wire);
    check(&script);
    let (_, file) = three_times(&script, Secrets::Masked);
    assert!(!contents(&file).contains("hunter2"));
    let (_, file) = three_times(&script, Secrets::Kept);
    assert!(contents(&file).contains("hunter2"));
}

/// Requests of a service that traces itself, each with a call that carries a trace of its own.
fn with_an_sdk() -> Script {
    let mut script = Script::new();
    let (one, two) = (script.connect(task(10), 80), script.connect(task(20), 81));
    for n in 1..6 {
        script.ask(task(10), one, &format!("/in/{n}"));
        script.hear(task(20), one);
        let flags = if n % 2 == 0 { "00" } else { "01" };
        let header = format!("traceparent: 00-{}-{}-{flags}\r\n", hex(&[n; 16]), hex(&[n; 8]));
        script.call(task(20), task(30), two, &format!("/out/{n}"), &header);
        script.answer(task(20), one);
        script.learn(task(10), one);
        script.wait(SECOND);
    }
    script
}

#[test]
fn what_is_left_out_is_left_out_again() {
    let script = with_an_sdk();
    // Of each request the services beside the one with the SDK; the traces that are sampled; both.
    for (instrumented, unsampled, spans) in
        [(false, false, 20), (true, false, 10), (false, true, 12), (true, true, 6)]
    {
        let leave_out = LeaveOut { instrumented, unsampled };
        let settings = Settings { leave_out, ..settings() };
        let ([alone, live, replayed], _) = three_times_with(&script, &settings, Secrets::Masked);
        assert_eq!(alone.len(), spans, "{leave_out:?}");
        assert_eq!((&live, &replayed), (&alone, &alone), "{leave_out:?}");
    }
}

/// Nothing comes of a request that is left out but that its tree has a trace from then on.
#[test]
fn when_something_is_left_out_is_recorded() {
    let mut script = Script::new();
    let (one, two) = (script.outsider(80), script.connect(task(20), 81));
    script.ask(task(10), one, "/in");
    script.hear(task(20), one);
    script.ask_with(task(20), two, "/out", &w3c(0xab, 9));
    script.hear(task(30), two);
    script.answer(task(20), one);
    script.wait(SECOND / 2);
    script.answer(task(30), two);
    script.learn(task(20), two);
    let leave_out = LeaveOut { instrumented: true, unsampled: false };
    // The thread answered before its call was over: its word counts for less.
    let settings = Settings { leave_out, min_confidence: 0.5, ..settings() };
    let ([alone, live, replayed], _) = three_times_with(&script, &settings, Secrets::Masked);
    assert_eq!((&live, &replayed), (&alone, &alone));
    assert_eq!(alone.len(), 1);
    // The request left before its call was decided.
    assert_ne!(alone[0].trace_id, TraceId([0xab; 16]));
}

#[test]
fn what_is_cut_or_not_traced_hides_its_bytes() {
    let mut script = Script::new();
    let wire = script.connect(task(66), 80);
    script.call(task(66), task(11), wire, "/hunter2/path", "");
    let wire = script.opened_before(80, (500, 700));
    script.send(task(10), wire, End::Opener, b"hunter2 in the middle of a body\r\n");
    script.hear(task(11), wire);
    script.send(task(11), wire, End::Acceptor, OK);
    script.learn(task(10), wire);
    let ([alone, live, replayed], file) = three_times(&script, Secrets::Masked);
    assert_eq!((&live, &replayed), (&alone, &alone));
    // The server's side of the process that is left out is traced, and has the path.
    let records = contents(&file);
    assert_eq!(records.matches("hunter2").count(), 1, "{records}");
    let services = services(&file);
    assert!(services.contains(&(66, "unknown".into())), "{services:?}");
    assert!(services.contains(&(11, "pid-11 met serves 80".into())), "{services:?}");
    assert!(!services.iter().any(|(pid, name)| *pid == 66 && name != "unknown"), "{services:?}");
}

/// Every process of a recording with a name that it has there.
fn services(file: &[u8]) -> Vec<(u32, String)> {
    let (mut reader, mut found) = (Reader::new(file).unwrap(), vec![]);
    while let Some(input) = reader.next().unwrap() {
        if let Input::Process { pid, resource, .. } = input {
            found.push((pid, resource.service.to_string()));
        }
    }
    found
}

/// Every record of a recording as text.
fn contents(file: &[u8]) -> String {
    let (mut reader, mut text) = (Reader::new(file).unwrap(), String::new());
    while let Some(input) = reader.next().unwrap() {
        if let Input::Record(bytes) = input {
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    text
}
