//! What each kind of runtime gets: right edges where its witness is good, orphans where it is not.

use crate::journeys::{Edges, Runtime, Service, edges, service, simulate};
use crate::outcome::{Outcome, settings};

const SEEDS: std::ops::Range<u64> = 0..12;

fn play(services: &[Service], at_once: usize, count: usize, seed: u64) -> Edges {
    let outcome = Outcome::of(&simulate(services, at_once, count, seed));
    let calls: usize = services.iter().map(|service| service.calls.len()).sum();
    assert_eq!(outcome.spans.len(), 2 * count * (calls + 1), "every span, and none twice");
    edges(&outcome, services)
}

fn fan(runtime: Runtime) -> [Service; 4] {
    [
        service(runtime, &[1, 2]),
        service(runtime, &[3]),
        service(runtime, &[]),
        service(runtime, &[]),
    ]
}

#[test]
fn a_thread_per_request_is_always_right() {
    for at_once in [1, 2, 8, 32] {
        for seed in SEEDS {
            let edges = play(&fan(Runtime::Threads), at_once, 60, seed);
            assert_eq!((edges.right, edges.wrong, edges.orphans), (180, 0, 0), "{at_once} {seed}");
        }
    }
}

#[test]
fn an_event_loop_whose_turns_close_is_always_right() {
    for fresh in [false, true] {
        for seed in SEEDS {
            let mut services = fan(Runtime::Loop);
            services[0].fresh = fresh;
            services[1].fresh = fresh;
            let edges = play(&services, 16, 100, seed);
            assert_eq!((edges.right, edges.wrong, edges.orphans), (300, 0, 0), "{fresh} {seed}");
        }
    }
}

/// Right and wrong edges at several degrees of concurrency.
fn sum(runtime: Runtime, at_once: usize) -> (usize, usize) {
    let all = (0..4).map(|seed| play(&fan(runtime), at_once, 150, seed));
    all.fold((0, 0), |(right, wrong), edges| (right + edges.right, wrong + edges.wrong))
}

#[test]
fn an_event_loop_with_timers_gets_orphans_rather_than_lies() {
    for at_once in [2, 3, 8, 32] {
        let (right, wrong) = sum(Runtime::Timers, at_once);
        assert!(wrong * 100 <= right + wrong, "{at_once}: {wrong} wrong, {right} right");
    }
}

#[test]
fn goroutines_get_orphans_rather_than_lies() {
    for at_once in [2, 3, 8, 32] {
        let (right, wrong) = sum(Runtime::Goroutines, at_once);
        assert!(wrong * 100 <= right + wrong, "{at_once}: {wrong} wrong, {right} right");
    }
}

#[test]
fn anyone_alone_is_right() {
    for runtime in [Runtime::Timers, Runtime::Goroutines] {
        let edges = play(&fan(runtime), 1, 100, 1);
        assert_eq!((edges.right, edges.wrong, edges.orphans), (300, 0, 0));
    }
}

#[test]
fn nothing_below_the_asked_confidence_is_linked() {
    let services = fan(Runtime::Threads);
    let script = simulate(&services, 4, 50, 3);
    let count = |min_confidence| {
        let outcome = Outcome::with(
            &script,
            tracer_user::pipeline::Settings { min_confidence, ..settings() },
        );
        edges(&outcome, &services)
    };
    assert_eq!(count(0.9).right, 150);
    // The share that was counted never quite reaches it.
    let strict = count(1.0);
    assert_eq!((strict.right, strict.wrong, strict.orphans), (0, 0, 150));
}
