//! Processes that are left out, change, end, and hand their connections on.

use tracer_user::pipeline::Verdict;
use tracer_user::trace::Kind;

use crate::outcome::{Outcome, feed, path, pipeline, settings, text};
use crate::script::{SECOND, Script, task};

#[test]
fn a_process_that_is_left_out_is_judged_anew_when_it_changes() {
    let mut script = Script::new();
    let wire = script.connect(task(10), 80);
    script.call(task(10), task(66), wire, "/before", "");
    script.exec(66);
    let wire = script.connect(task(10), 80);
    script.call(task(10), task(66), wire, "/after", "");
    script.exit(66);
    let mut pipeline = pipeline(settings());
    feed(&mut pipeline, &script, 0);
    let verdicts: Vec<_> =
        pipeline.take_verdicts().into_iter().filter(|(pid, _)| *pid == 66).collect();
    let known = |wanted| (66, Verdict::Known { wanted });
    assert_eq!(verdicts, [known(false), known(true), (66, Verdict::Ended)]);
    let outcome = Outcome::end(pipeline, &script);
    let servers = outcome.spans.iter().filter(|span| span.kind == Kind::Server);
    assert_eq!(servers.map(|span| path(span)).collect::<Vec<_>>(), ["/after"]);
}

/// The parent accepts; for each connection, a child reads, answers and ends.
#[test]
fn a_server_that_forks_for_each_connection_has_every_span_once() {
    let mut script = Script::new();
    for child in 0..20 {
        let (caller, wire) = (task(10), script.connect(task(10), 80));
        script.ask(caller, wire, &format!("/{child}"));
        script.hear(task(500 + child), wire);
        script.answer(task(500 + child), wire);
        script.exit(500 + child);
        script.learn(caller, wire);
        script.close(wire);
    }
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.spans.len(), 40);
    for child in 0..20 {
        let path = format!("/{child}");
        outcome.assert_edge(outcome.server(&path), outcome.client(&path), "pair");
        assert_eq!(text(outcome.server(&path), "tracer.incomplete"), None);
    }
}

#[test]
fn a_request_that_changes_hands_between_processes_is_one_span() {
    let mut script = Script::new();
    let (one, two) = (script.connect(task(10), 80), script.connect(task(21), 81));
    for i in 0..10 {
        // Read by the parent, worked on and answered by its child.
        script.ask(task(10), one, &format!("/in/{i}"));
        script.hear(task(20), one);
        script.call(task(21), task(30), two, &format!("/out/{i}"), "");
        script.answer(task(21), one);
        script.learn(task(10), one);
    }
    script.close(one);
    script.close(two);
    [10, 20, 21, 30].into_iter().for_each(|pid| script.exit(pid));
    let mut pipeline = pipeline(settings());
    feed(&mut pipeline, &script, 0);
    pipeline.advance(script.now + 200 * SECOND);
    assert_eq!(pipeline.remembered(), 0);
    let outcome = Outcome::end(pipeline, &script);
    assert_eq!(outcome.spans.len(), 40);
    for i in 0..10 {
        assert_eq!(outcome.client(&format!("/out/{i}")).parent, None);
    }
}

#[test]
fn exchanges_beyond_the_limit_are_counted_and_nothing_else_suffers() {
    let mut script = Script::new();
    let wires: Vec<_> = (0..5).map(|_| script.outsider(80)).collect();
    for (i, &wire) in wires.iter().enumerate() {
        script.ask(task(10), wire, &format!("/{i}"));
        script.hear(task(20), wire);
    }
    for &wire in &wires {
        script.answer(task(20), wire);
    }
    script.call(task(10), task(20), wires[0], "/again", "");
    let few = tracer_user::pipeline::Settings { open_exchanges: 3, ..settings() };
    let outcome = Outcome::with(&script, few);
    let mut paths: Vec<_> = outcome.spans.iter().map(|span| path(span)).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/0", "/1", "/2", "/again"]);
    assert_eq!(outcome.losses.get("open_exchanges_full"), Some(&2));
    let few = tracer_user::pipeline::Settings { connections: 3, ..settings() };
    let outcome = Outcome::with(&script, few);
    assert_eq!(outcome.spans.len(), 4);
    assert!(outcome.losses.get("connections_full").is_some_and(|&refused| refused >= 2));
}
