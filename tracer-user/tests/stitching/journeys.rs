//! Many requests at once through several services, interleaved by chance. Every request to a
//! service has a path of its own, `/service/journey`, so that each edge can be checked.

use std::collections::{HashMap, VecDeque};

use fastrand::Rng;
use tracer_user::trace::Kind;

use crate::http::{OK, get};
use crate::outcome::{Outcome, path};
use crate::script::{End, MICROSECOND, Script, Task, Wire, task};

/// How a service uses its threads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// One for each request in progress.
    Threads,
    /// One for all; it waits for sockets only.
    Loop,
    /// One for all; handlers also wait for timers, before they call and before they answer.
    Timers,
    /// Few; every operation is done by any of them.
    Goroutines,
}

/// One service; `calls` are made one after the other, by number of the service.
pub(crate) struct Service {
    pub(crate) runtime: Runtime,
    pub(crate) calls: &'static [usize],
    /// A new connection for every call.
    pub(crate) fresh: bool,
}

pub(crate) fn service(runtime: Runtime, calls: &'static [usize]) -> Service {
    Service { runtime, calls, fresh: false }
}

/// How many calls ended where.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    pub(crate) right: usize,
    pub(crate) wrong: usize,
    pub(crate) orphans: usize,
}

/// Who uses the system on the outside, and who asks service 0.
const LOAD: u32 = 50;

enum Act {
    Connect(Task, Key),
    Send(Task, Key, End, Vec<u8>),
    Receive(Task, Key, End),
}

/// Slot, service that is called.
type Key = (usize, usize);

/// What happens without anything between.
type Step = Vec<Act>;

struct Journey<'a> {
    services: &'a [Service],
    number: usize,
    slot: usize,
    steps: VecDeque<Step>,
    now: Step,
    rng: &'a mut Rng,
}

impl Journey<'_> {
    fn task(&mut self, service: usize) -> Task {
        let pid = pid(service);
        match self.services[service].runtime {
            Runtime::Threads => Task { pid, tid: pid * 1000 + self.slot as u32 },
            Runtime::Loop | Runtime::Timers => task(pid),
            Runtime::Goroutines => Task { pid, tid: pid * 1000 + self.rng.u32(0..4) },
        }
    }

    fn wait(&mut self) {
        if !self.now.is_empty() {
            self.steps.push_back(std::mem::take(&mut self.now));
        }
    }

    fn act(&mut self, runtime: Runtime, act: Act) {
        self.now.push(act);
        if matches!(runtime, Runtime::Threads | Runtime::Goroutines) {
            self.wait();
        }
    }

    fn serve(&mut self, service: usize) {
        let Service { runtime, calls, fresh } = self.services[service];
        let key = (self.slot, service);
        let by = self.task(service);
        self.act(runtime, Act::Receive(by, key, End::Acceptor));
        for &to in calls {
            if runtime == Runtime::Timers {
                self.wait();
            }
            let (key, by) = ((self.slot, to), self.task(service));
            if fresh {
                self.act(runtime, Act::Connect(by, key));
                self.wait();
            }
            let bytes = get(&format!("/{to}/{}", self.number), "");
            self.act(runtime, Act::Send(by, key, End::Opener, bytes));
            self.wait();
            self.serve(to);
            self.wait();
            let by = self.task(service);
            self.act(runtime, Act::Receive(by, key, End::Opener));
        }
        if runtime == Runtime::Timers {
            self.wait();
        }
        let by = self.task(service);
        self.act(runtime, Act::Send(by, key, End::Acceptor, OK.to_vec()));
    }

    fn whole(mut self) -> VecDeque<Step> {
        let (by, key) = (Task { pid: LOAD, tid: LOAD * 1000 + self.slot as u32 }, (self.slot, 0));
        let bytes = get(&format!("/0/{}", self.number), "");
        self.act(Runtime::Threads, Act::Send(by, key, End::Opener, bytes));
        self.serve(0);
        self.wait();
        self.act(Runtime::Threads, Act::Receive(by, key, End::Opener));
        self.steps
    }
}

fn pid(service: usize) -> u32 {
    100 + service as u32
}

/// `count` journeys that begin at service 0, `at_once` of them under way at any time.
pub(crate) fn simulate(services: &[Service], at_once: usize, count: usize, seed: u64) -> Script {
    let (mut rng, mut script) = (Rng::with_seed(seed), Script::new());
    let mut wires: HashMap<Key, Wire> = HashMap::new();
    let mut slots: Vec<VecDeque<Step>> = (0..at_once).map(|_| VecDeque::new()).collect();
    let mut begun = 0;
    while begun < count || slots.iter().any(|slot| !slot.is_empty()) {
        let slot = rng.usize(0..at_once);
        if slots[slot].is_empty() && begun < count {
            let (steps, now) = Default::default();
            let journey = Journey { services, number: begun, slot, steps, now, rng: &mut rng };
            slots[slot] = journey.whole();
            begun += 1;
        }
        let Some(step) = slots[slot].pop_front() else { continue };
        script.wait(rng.u64(1..500) * MICROSECOND);
        for act in step {
            let mut wire = |script: &mut Script, by, key: Key| {
                *wires.entry(key).or_insert_with(|| script.connect(by, 8000 + key.1 as u16))
            };
            match act {
                Act::Connect(by, key) => {
                    let new = script.connect(by, 8000 + key.1 as u16);
                    if let Some(old) = wires.insert(key, new) {
                        script.close(old);
                    }
                }
                Act::Send(by, key, end, bytes) => {
                    let wire = wire(&mut script, by, key);
                    script.send(by, wire, end, &bytes);
                }
                Act::Receive(by, key, end) => {
                    let wire = wire(&mut script, by, key);
                    script.receive(by, wire, end);
                }
            }
        }
    }
    script
}

/// Compares the calls' parents with the truth. What belongs to the load has none.
pub(crate) fn edges(outcome: &Outcome, services: &[Service]) -> Edges {
    let servers: HashMap<_, _> = outcome
        .spans
        .iter()
        .filter(|span| span.kind == Kind::Server)
        .map(|span| (span.span_id, span))
        .collect();
    let mut edges = Edges::default();
    for span in outcome.spans.iter().filter(|span| span.kind == Kind::Client) {
        let (to, journey) = split(path(span));
        let Some(caller) = services.iter().position(|service| service.calls.contains(&to)) else {
            assert_eq!(span.parent, None, "the load is called by nobody");
            continue;
        };
        match span.parent.map(|parent| servers.get(&parent).map(|server| split(path(server)))) {
            None => edges.orphans += 1,
            Some(Some(parent)) if parent == (caller, journey) => edges.right += 1,
            Some(_) => edges.wrong += 1,
        }
    }
    edges
}

fn split(path: &str) -> (usize, usize) {
    let (service, journey) = path.trim_start_matches('/').split_once('/').expect("two parts");
    (service.parse().expect("a number"), journey.parse().expect("a number"))
}
