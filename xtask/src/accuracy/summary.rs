//! The tables of `docs/accuracy.md` that sum up.

use std::fmt::Write as _;

use e2e::accuracy::{BANDS, Tally};

use super::floors::{self, percent};
use super::results::Results;
use super::table::{number, sum};
use super::without::{Share, Without};

/// Every method: how many edges, and the share that is right.
pub(super) fn methods(results: &Results) -> String {
    let (mut every, mut default) = (Tally::default(), Tally::default());
    for measured in &results.cells {
        every.add(&measured.every);
        default.add(&measured.default);
    }
    let mut text =
        "\n## By method, all cells\n\n| method | edges | right | edges by default | right |\n\
                    |---|--:|--:|--:|--:|\n"
            .to_owned();
    let share =
        |(edges, right)| if edges == 0 { String::new() } else { number(percent(right, edges)) };
    for (method, bands) in &every.methods {
        let all = sum(bands);
        let sure = default.methods.get(method).map_or((0, 0), |bands| sum(bands));
        let (right, sure_right) = (share(all), share(sure));
        let _ = writeln!(text, "| {method} | {} | {right} | {} | {sure_right} |", all.0, sure.0);
    }
    text
}

/// What each kind of evidence contributes, runtime by runtime.
pub(super) fn without(results: &Results) -> String {
    let of = |runtime: &str, kind: Option<&str>| {
        let mut all = results.without.iter();
        all.find(|it| it.runtime == runtime && it.kind.as_deref() == kind)
    };
    let base = || results.without.iter().filter(|it| it.kind.is_none());
    let mut kinds: Vec<&str> = vec![];
    for kind in results.without.iter().filter_map(|it| it.kind.as_deref()) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    if kinds.is_empty() {
        return String::new();
    }
    let mut text = "\n## Each kind of evidence left out\n\nThe recordings of these runtimes' loads, replayed \
                    with `--without-evidence`. Percent of the edges that are right: with every best guess, \
                    and by default; blank where that is what it is with all kinds. Where more than that is \
                    wrong by default, it says so.\n\n"
        .to_owned();
    let _ = writeln!(text, "| runtime | edges | with all | without {} |", kinds.join(" | "));
    let _ = writeln!(text, "|---|--:|--:|{}", "--:|".repeat(kinds.len()));
    for all in base() {
        let shares = |it: &Without| {
            let share = |of: Share| number(percent(of.right, of.edges));
            let more = it.default.wrong.saturating_sub(all.default.wrong);
            let wrong = number(percent(more, it.default.edges));
            let wrong = if more > 0 { format!(", wrong +{wrong}") } else { String::new() };
            format!("{}, {}{wrong}", share(it.every), share(it.default))
        };
        let without = kinds.iter().map(|kind| {
            let it = of(&all.runtime, Some(kind));
            let it = it.filter(|it| (it.every, it.default) != (all.every, all.default));
            it.map(shares).unwrap_or_default()
        });
        let without: Vec<String> = without.collect();
        let (runtime, edges) = (&all.runtime, all.every.edges);
        let _ =
            writeln!(text, "| {runtime} | {edges} | {} | {} |", shares(all), without.join(" | "));
    }
    text
}

/// Confidence and truth, band by band.
pub(super) fn calibration(pools: &[(&str, Tally)]) -> String {
    let mut text = format!(
        "\n## Calibration\n\nOf the edges with a confidence in this band: how many, their mean \
         confidence, and the share that is right. Where there are 200 edges or more, the two may \
         differ by {} points.\n\n\
         | cells | confidence | edges | mean confidence | right |\n|---|---|--:|--:|--:|\n",
        number(100.0 * floors::BAND_MARGIN)
    );
    for (name, tally) in pools {
        for at in 0..BANDS {
            let band = tally.band(at);
            if band.edges() > 0 {
                let mean = 100.0 * band.confidence / band.edges() as f64;
                let (right, edges) = (percent(band.right, band.edges()), band.edges());
                let (from, to) = (at as f64 / 10.0, (at + 1) as f64 / 10.0);
                let (mean, right) = (number(mean), number(right));
                let _ = writeln!(
                    text,
                    "| {name} | {from:.1} to {to:.1} | {edges} | {mean} | {right} |"
                );
            }
        }
    }
    text
}

/// TraceWeaver's traces.
pub(super) fn timing(results: &Results) -> String {
    if results.timing.is_empty() {
        return String::new();
    }
    let mut text = "\n## Timing alone\n\nTraces that TraceWeaver (SIGCOMM'24) has published, without \
                    their ids: names and times of the spans are all that is known. *As published*: \
                    traces with every edge right that TraceWeaver's own evaluation judges, which leaves out \
                    services that several others call and spans inside a service. TraceWeaver's own figures \
                    at load 75, 99.4 for hotel and 93 for media, are of that kind, so the floors (99 and 90) are \
                    held by that column; *every edge right* asks for more than it ever did.\n\n\
                    | data | traces | every edge right | as published | edges | right | CPU a trace, µs |\n\
                    |---|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for it in &results.timing {
        let share = |part, of| number(percent(part, of));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            it.file,
            it.traces,
            share(it.right_traces, it.traces),
            share(it.right_as_published, it.traces),
            it.edges,
            share(it.right_edges, it.edges),
            number(it.cpu_us_per_trace)
        );
    }
    text
}
