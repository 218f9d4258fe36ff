//! With a server and a client in this very process, whose runtime is tokio.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracer_common::record::FLOW_TASK;

use super::super::Occasion;
use super::super::memory::Memory;
use super::layout::Layout;
use super::program::{Program, Sleeper};
use super::{Again, Candidate, Detector as _, Tokio, sockets, way};

/// Requests that are open at the same time.
const REQUESTS: usize = 6;
const LIMIT: Duration = Duration::from_secs(60);

/// How a handler waits for its call.
#[derive(Clone, Copy, PartialEq)]
enum Waits {
    Itself,
    ForATask,
    ForASet,
}

/// A service all of whose requests wait for calls that are not answered.
struct Service {
    _runtime: Runtime,
    _requests: Vec<TcpStream>,
    asked: Arc<AtomicUsize>,
}

impl Service {
    fn start(waits: Waits) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let behind = serve(&runtime, move || {
            count.fetch_add(1, Ordering::SeqCst);
            // Nobody ever adds a permit.
            async { drop(Semaphore::new(0).acquire().await) }
        });
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls()).build().unwrap();
        let before = serve(&runtime, move || {
            let sent = client.get(format!("http://{behind}/")).send();
            async move {
                match waits {
                    Waits::Itself => drop(sent.await),
                    Waits::ForATask => drop(tokio::spawn(sent).await),
                    Waits::ForASet => {
                        let mut set = JoinSet::new();
                        set.spawn(sent);
                        drop(set.join_next().await);
                    }
                }
            }
        });
        let requests = (0..REQUESTS).map(|_| ask(before)).collect();
        Self { _runtime: runtime, _requests: requests, asked }
    }
}

/// Plain HTTP needs none, but the client wants to have one.
fn tls() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}

fn serve<F: Future<Output = ()> + Send + 'static>(
    runtime: &Runtime,
    handle: impl Fn() -> F + Clone + Send + Sync + 'static,
) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::Router::new().fallback(handle);
    runtime.spawn(async move { axum::serve(listener, app).await });
    address
}

fn ask(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    stream
}

/// Looks at a service until it is known who waits for each call, and follows these ways to their ends.
fn assert_found(waits: Waits) {
    let service = Service::start(waits);
    let this =
        Candidate { occasion: Occasion::Calls, ..Candidate::open(std::process::id()).unwrap() };
    let directory = tempfile::tempdir().unwrap();
    let mut detector = Tokio::kept_in(Some(directory.path()));
    let end = Instant::now() + LIMIT;
    let (runtime, ends) = loop {
        let insight = detector.look(&this);
        let found = insight.and_then(|insight| Some((insight.runtime?, insight.again)));
        if let Some((runtime, again)) = found
            && service.asked.load(Ordering::SeqCst) == REQUESTS
        {
            assert_eq!((runtime.kind, again), (FLOW_TASK, Again::Unfollowed));
            let ends = followed(&this, &runtime.tokio);
            if ends.len() >= REQUESTS {
                break (runtime, ends);
            }
        }
        assert!(Instant::now() < end, "not found");
    };
    let memory = Memory::of(&this).unwrap();
    let program = Program::of(&memory).unwrap();
    assert!(ends.iter().all(|&end| program.task(end).is_some()));
    // The next run knows it before it has looked at anything.
    let mut next = Tokio::kept_in(Some(directory.path()));
    let known = next.known(&this, &program);
    assert_eq!(known.tokio(&program), Some(runtime.tokio));
    // Not where the program is no longer what it was.
    let mut other = known.known().unwrap();
    other.waker += 8 * 1024;
    assert!(Layout::kept(&other, &program).is_none());
}

/// The tasks at the end of all ways, that wait for sockets.
fn followed(this: &Candidate, tokio: &tracer_common::runtime::Tokio) -> BTreeSet<u64> {
    let memory = Memory::of(this).unwrap();
    let program = Program::of(&memory).unwrap();
    let owner = |socket: u64| {
        let place = socket + u64::from(tokio.reader);
        let pair = [memory.word(place)?, memory.word(place + 8)?];
        program.sleeper(tokio.waker, pair)
    };
    let registered = sockets::registered(this.pid, &memory);
    let owners: Vec<Sleeper> = registered.into_iter().filter_map(owner).collect();
    let known = |table| tokio.waits.iter().find(move |wait| wait.table == table);
    let next = |from: &Sleeper| match (known(from.table()), from) {
        (Some(wait), _) => way::follow(&program, tokio.waker, wait, from.at()),
        (None, Sleeper::Task { at, shape }) => {
            let place = at + shape.trailer + u64::from(tokio.join);
            let pair = [memory.word(place)?, memory.word(place + 8)?];
            program.sleeper(tokio.waker, pair)
        }
        _ => None,
    };
    let writers = owners.iter().filter(|owner| known(owner.table()).is_some());
    let ends = writers.filter_map(|&writer| {
        let last = std::iter::successors(Some(writer), next).take(8).last()?;
        Some(last.at())
            .filter(|&at| owners.iter().any(|owner| owner.at() == at) && at != writer.at())
    });
    ends.collect()
}

/// One after the other: they are in one process.
#[test]
fn who_waits_for_a_call_is_found_also_through_tasks_and_sets() {
    [Waits::Itself, Waits::ForATask, Waits::ForASet].into_iter().for_each(assert_found);
}

#[test]
fn other_programs_are_not_taken_for_it() {
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let process = Candidate::open(child.id()).unwrap();
    assert_eq!(Tokio::default().look(&process), None);
    child.kill().unwrap();
    child.wait().unwrap();
}
