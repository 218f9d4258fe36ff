//! What is left of a process that is killed, or whose disk is full. The process is this test program,
//! told by its environment to be one.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{PATIENCE, Shape, all, open, span, spans, spans_of, trace_id, until};

const DIRECTORY: &str = "TRACER_TEST_STORE";

fn child(test: &str, directory: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = format!("store::tests::killed::{test}");
    command.args(["--exact", &name, "--ignored", "--nocapture"]).env(DIRECTORY, directory);
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Puts spans until it is killed, and says how many it has put.
#[test]
#[ignore = "a part of another test, which starts it"]
fn writes_until_killed() {
    let store = open(Path::new(&std::env::var(DIRECTORY).unwrap()));
    let before = store.stats().spans;
    let mut out = std::io::stdout();
    for n in before + 1.. {
        // In bursts, so that both the tail and blocks are written.
        let burst = if n % 5000 == 0 { 3000 } else { 1 };
        let shape = |i| Shape { trace: n, id: i, start: n * 1000, ..Shape::default() };
        let spans: Vec<_> = (0..burst).map(|i| Arc::new(span(&shape(i + 1)))).collect();
        store.put(&spans);
        writeln!(out, "put {n} {burst}").unwrap();
        if n % 50 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_killed_process_loses_at_most_the_last_second() {
    let directory = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(3);
    let mut highest = 0;
    for round in 0..5 {
        let mut child = child("writes_until_killed", directory.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut put: Vec<(Instant, u64, u64)> = vec![];
        let mut end = None;
        let time = Duration::from_millis(random.u64(300..2000));
        while end.is_none_or(|end| Instant::now() < end) {
            let line = lines.next().unwrap().unwrap();
            let Some(numbers) = line.split("put ").nth(1) else { continue };
            let mut numbers = numbers.split(' ').map(|number| number.parse().unwrap());
            put.push((Instant::now(), numbers.next().unwrap(), numbers.next().unwrap()));
            end.get_or_insert(Instant::now() + time);
        }
        let killed = Instant::now();
        child.kill().unwrap();
        child.wait().unwrap();
        let store = open(directory.path());
        assert_eq!(store.stats().lost, [], "{round}: {:?}", store.stats().last_trouble);
        // For as long as the machine had no time for the child, it had none to write, either.
        let stalled = put.windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap_or_default();
        let safe =
            |(at, ..): &&(Instant, u64, u64)| killed - *at > Duration::from_secs(1) + stalled;
        for (_, number, burst) in put.iter().filter(safe) {
            if number % 97 == 0 || *burst > 1 {
                assert_eq!(
                    spans_of(&store, trace_id(*number)).len() as u64,
                    *burst,
                    "{round} {number}"
                );
            }
            highest = highest.max(*number);
        }
        let newest = store.snapshot().find(&all(1)).traces;
        let start = newest.first().map_or(0, |found| found.start / 1000);
        assert!(start >= highest, "{round}: {start} of {highest}");
    }
    assert!(highest > 1000, "{highest}");
}

/// Goes on when the disk is full, and when it has room again.
#[test]
#[ignore = "a part of another test, which starts it"]
fn writes_to_a_full_disk() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let directory = std::env::var(DIRECTORY).unwrap();
    let store = open(Path::new(&directory));
    store.put(&spans(5000));
    assert!(store.flush(PATIENCE));
    // SAFETY: no handler is installed; a write beyond the limit then fails as one to a full disk.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let hard = getrlimit(Resource::Fsize).maximum;
    let limit =
        |bytes| setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum: hard }).unwrap();
    limit(Some(100_000));
    let more: Vec<_> = (0..40_000)
        .map(|n| Arc::new(span(&Shape { trace: 10_000 + n, id: n + 1, ..Shape::default() })))
        .collect();
    until("spans are lost", || {
        store.put(&more);
        store.flush(PATIENCE);
        store.stats().lost.iter().any(|(name, count)| *name == "store_write_failed" && *count > 0)
    });
    assert!(store.stats().last_trouble.is_some());
    limit(hard);
    let late = Arc::new(span(&Shape { trace: 99_999, ..Shape::default() }));
    until("it goes on", || {
        store.put(std::slice::from_ref(&late));
        store.flush(PATIENCE);
        let stats = store.stats();
        let lost = stats.lost.iter().map(|(_, lost)| lost).sum::<u64>();
        stats.given == stats.stored + lost && !spans_of(&store, trace_id(99_999)).is_empty()
    });
    assert_eq!(spans_of(&store, trace_id(5000)).len(), 1, "{:?}", store.stats());
}

#[test]
fn a_full_disk_costs_what_does_not_fit_and_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let output = child("writes_to_a_full_disk", directory.path()).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let store = open(directory.path());
    assert_eq!(spans_of(&store, trace_id(5000)).len(), 1);
    assert!(!spans_of(&store, trace_id(99_999)).is_empty());
    assert_eq!(store.stats().lost, []);
}
