//! What led to decisions, told only where that is asked for.

use std::collections::HashMap;

use tracer_user::causality::{Hearing, Kinds, Said, Verdict};
use tracer_user::pipeline::Settings;
use tracer_user::trace::SpanId;

use crate::headers::crowd;
use crate::http::{b3, w3c};
use crate::outcome::{Outcome, feed, pipeline, settings};
use crate::script::{SECOND, Script, Task, task};

type Hearings = HashMap<SpanId, Hearing<SpanId>>;

fn explained(script: &Script, settings: Settings) -> (Outcome, Hearings) {
    let mut pipeline = pipeline(settings);
    pipeline.explain();
    feed(&mut pipeline, script, 0);
    pipeline.advance(script.now + 300 * SECOND);
    let hearings = pipeline.take_hearings().into_iter().collect();
    (Outcome::end(pipeline, script), hearings)
}

fn said<'a>(hearing: &'a Hearing<SpanId>, method: &str) -> &'a Said<SpanId> {
    let found = hearing.statements.iter().find(|statement| statement.method == method);
    &found.unwrap_or_else(|| panic!("no {method} in {hearing:?}")).said
}

#[test]
fn explaining_changes_nothing_and_costs_nothing_unasked() {
    let script = crowd(|n| b3(n + 1, n + 1), |n| b3(n + 1, n + 1));
    let mut quiet = pipeline(settings());
    feed(&mut quiet, &script, 0);
    quiet.advance(script.now + 300 * SECOND);
    assert!(quiet.take_hearings().is_empty());
    let (outcome, hearings) = explained(&script, settings());
    assert_eq!(Outcome::end(quiet, &script).spans, outcome.spans);
    assert_eq!(hearings.len(), 10, "one for each call");
}

#[test]
fn who_decides_is_told_with_those_who_were_silent() {
    let script = crowd(|n| b3(n + 1, n + 1), |n| b3(n + 1, n + 1));
    let (outcome, hearings) = explained(&script, settings());
    let hearing = &hearings[&outcome.client("/out/3").span_id];
    let request = outcome.server("/in/3").span_id;
    assert_eq!(*said(hearing, "header"), Said::Names(request, 1.0, Verdict::Decides));
    assert_eq!(hearing.open.len(), 5);
    assert_eq!(hearing.carries, Some(([4; 16], false)));
    let Said::Nothing(why) = said(hearing, "correlation") else { panic!("{hearing:?}") };
    assert_eq!(*why, "the call carries no request id");
    // The client's own call: nothing was open, and nobody spoke.
    let top = &hearings[&outcome.client("/in/3").span_id];
    assert!(top.open.is_empty());
    assert!(top.statements.iter().all(|it| matches!(it.said, Said::Nothing(_))));
}

#[test]
fn several_that_a_header_leaves_are_told() {
    let script = crowd(|_| b3(1, 1), |_| b3(1, 1));
    let (outcome, hearings) = explained(&script, settings());
    let hearing = &hearings[&outcome.client("/out/3").span_id];
    let Said::Among(named) = said(hearing, "header") else { panic!("{hearing:?}") };
    assert_eq!(named.len(), 5);
}

/// A service with a thread a request.
fn threads(incoming: &str, outgoing: &str) -> Script {
    let (front, back) = (Task { pid: 20, tid: 21 }, task(30));
    let mut script = Script::new();
    let (one, two) = (script.connect(task(10), 80), script.connect(front, 81));
    script.ask_with(task(10), one, "/in", incoming);
    script.hear(front, one);
    script.call(front, back, two, "/out", outgoing);
    script.answer(front, one);
    script.learn(task(10), one);
    script
}

#[test]
fn weak_witnesses_and_strong_ones_are_told_apart() {
    let (outcome, hearings) = explained(&threads("", ""), settings());
    let hearing = &hearings[&outcome.client("/out").span_id];
    let request = outcome.server("/in").span_id;
    assert!(
        matches!(said(hearing, "thread"), Said::Names(id, _, Verdict::Decides) if *id == request)
    );
    assert!(
        matches!(said(hearing, "alone"), Said::Names(id, _, Verdict::Outweighed) if *id == request)
    );
    let sure = Settings { min_confidence: 1.0, ..settings() };
    let (outcome, hearings) = explained(&threads("", ""), sure);
    let call = outcome.client("/out");
    assert_eq!(call.parent, None);
    assert!(matches!(
        said(&hearings[&call.span_id], "thread"),
        Said::Names(_, _, Verdict::TooWeak)
    ));
}

#[test]
fn evidence_that_is_not_wanted_is_not_asked() {
    let without = Kinds::default().and("thread").unwrap();
    let (outcome, hearings) = explained(&threads("", ""), Settings { without, ..settings() });
    let call = outcome.client("/out");
    outcome.assert_edge(call, outcome.server("/in"), "alone");
    assert!(matches!(said(&hearings[&call.span_id], "thread"), Said::Nothing("it was not asked")));
}

#[test]
fn what_headers_forbid_is_told() {
    let mut script = Script::new();
    // The other trace came to the process before, so that it is not its own.
    let wire = script.connect(task(11), 80);
    script.call(task(11), Task { pid: 20, tid: 21 }, wire, "/before", &w3c(9, 9));
    let (front, back) = (Task { pid: 20, tid: 21 }, task(30));
    let (one, two) = (script.connect(task(10), 80), script.connect(front, 81));
    script.ask_with(task(10), one, "/in", &w3c(1, 1));
    script.hear(front, one);
    script.wait(20 * SECOND);
    script.call(front, back, two, "/out", &w3c(9, 9));
    script.answer(front, one);
    script.learn(task(10), one);
    let (outcome, hearings) = explained(&script, settings());
    let hearing = &hearings[&outcome.client("/out").span_id];
    assert!(
        matches!(said(hearing, "thread"), Said::Names(_, _, Verdict::OtherTrace)),
        "{hearing:?}"
    );
    let Said::Nothing(why) = said(hearing, "header") else { panic!("{hearing:?}") };
    assert_eq!(*why, "no request brought the trace that the call carries");
}

#[test]
fn what_was_weighed_together_is_told() {
    let (outcome, hearings) = explained(&crowd(|_| String::new(), |_| String::new()), settings());
    for n in 0..5 {
        let hearing = &hearings[&outcome.client(&format!("/out/{n}")).span_id];
        let weighed = hearing.weighed.as_ref().expect("five requests were open");
        let chances: Vec<_> = weighed.owners.iter().map(|owner| owner.chance).collect();
        assert!(chances.is_sorted_by(|a, b| a >= b), "{chances:?}");
        let all = chances.iter().sum::<f32>() + weighed.nobody;
        assert!((0.0..=1.001).contains(&all), "{weighed:?}");
        assert_eq!(hearing.statements.last().map(|it| it.method), Some("timing"));
    }
}
