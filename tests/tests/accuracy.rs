//! Replays the recordings of `tests/recordings/accuracy`, scores their edges by the ids in the paths,
//! and holds the shares to those written beside them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;

use anyhow::{Context, Result, ensure};
use tests::accuracy::{
    Counts, Edge, RECORDED, ROOTS, Recorded, Share, Span, Tally, hop, judge, requests, shares,
    shares_file, tree,
};
use tests::span::Side;
use tracer_user::config::{RunArgs, Settings};
use tracer_user::recording::Reader;
use tracer_user::replay::drive;
use tracer_user::trace::{self, Kind, Value};

/// `--min-confidence` that makes every edge for which there is a guess, and the default.
const EVERY: f64 = 0.0;
const DEFAULT: f64 = 0.9;

#[test]
fn no_recording_falls_below_its_shares() {
    let shares = shares().unwrap();
    let mut below = vec![];
    for recorded in RECORDED {
        let name = recorded.name();
        let floor = shares.get(&name).unwrap_or_else(|| panic!("{name} has no shares"));
        let found = measure(&recorded).unwrap();
        println!("{name}: {found:?}");
        if found.right < floor.right
            || found.right_by_default < floor.right_by_default
            || found.wrong_by_default > floor.wrong_by_default
        {
            below.push(format!("{name}: {found:?}, written: {floor:?}"));
        }
    }
    assert!(below.is_empty(), "{below:#?}");
}

#[test]
fn every_share_has_its_recording() {
    let mut expected: Vec<_> = RECORDED.iter().map(Recorded::name).collect();
    expected.sort();
    assert_eq!(shares().unwrap().into_keys().collect::<Vec<_>>(), expected);
}

/// Writes the shares anew, after a change that is meant to change them:
/// `cargo test -p tests --test accuracy -- --ignored`.
#[test]
#[ignore = "writes into the checkout"]
fn write_shares() {
    let mut written = BTreeMap::new();
    for recorded in RECORDED {
        let found = measure(&recorded).unwrap();
        let share = Share {
            right: least(found.right),
            right_by_default: least(found.right_by_default),
            wrong_by_default: found.wrong_by_default.ceil(),
        };
        written.insert(recorded.name(), share);
    }
    let text = serde_json::to_string_pretty(&written).unwrap();
    fs::write(shares_file(), text + "\n").unwrap();
}

/// What was certain stays so; what is weighed may lose two points by a change of a constant.
fn least(found: f64) -> f64 {
    if found < 100.0 { (found - 2.0).floor().max(0.0) } else { found }
}

fn measure(recorded: &Recorded) -> Result<Share> {
    let every = Tally::of(&edges(recorded, EVERY)?).counts();
    let sure = Tally::of(&edges(recorded, DEFAULT)?).counts();
    let share = |part: u64, of: &Counts| 100.0 * part as f64 / of.edges as f64;
    Ok(Share {
        right: share(every.right, &every),
        right_by_default: share(sure.right, &sure),
        wrong_by_default: share(sure.wrong_same + sure.wrong_trace, &sure),
    })
}

/// Replays one with this least confidence and judges each request.
fn edges(recorded: &Recorded, min_confidence: f64) -> Result<Vec<Edge>> {
    let file = recorded.file();
    let opened = File::open(&file).with_context(|| file.display().to_string())?;
    let mut reader = Reader::new(BufReader::new(opened)).with_context(|| recorded.name())?;
    let mut flags = RunArgs::default();
    flags.stitch.min_confidence = Some(min_confidence);
    let settings = Settings::resolve(&flags, None, &|_| None)?;
    let mut spans = vec![];
    let replayed = drive(&mut reader, &settings, |some| {
        spans.extend(some.iter().map(|span| place(span)));
        true
    });
    if let Some(broken) = replayed.broken {
        return Err(broken.context(recorded.name()));
    }
    ensure!(replayed.losses.is_empty(), "{}: {:?}", recorded.name(), replayed.losses);
    let calls = tree();
    let all = (0..ROOTS).flat_map(|root| requests(&calls, &format!("t{root}")));
    Ok(judge(&spans, &all.map(|(id, _)| id).collect::<Vec<_>>()))
}

/// What counts of a span.
fn place(span: &trace::Span) -> Span {
    let value = |key: &str| Some(&span.attributes.iter().find(|(name, _)| name == key)?.1);
    let text = |key| match value(key)? {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    let confidence = match value("tracer.parent.confidence") {
        Some(Value::Double(sure)) => Some(*sure),
        _ => None,
    };
    let side = if span.kind == Kind::Server { Side::Server } else { Side::Client };
    let path = text("url.path").or_else(|| text("url.full")).unwrap_or_default();
    Span {
        trace: span.trace_id.to_string(),
        id: span.span_id.to_string(),
        parent: span.parent.map(|parent| parent.to_string()),
        side,
        hop: hop(&path).map(str::to_owned),
        start: span.start,
        decided: text("tracer.parent.method").map(|it| it.to_string()).zip(confidence),
    }
}
