//! `docs/accuracy.md`: everything that was measured, as Markdown.

use std::fmt::Write as _;

use e2e::accuracy::{Band, Counts, Tally};

use super::cell::{Headers, value};
use super::floors::{self, percent};
use super::results::{Measured, Results};
use super::runtimes::RUNTIMES;
use super::summary;

const HEAD: &str = "\
# Accuracy

Which outgoing call belongs to which incoming request, in services that nobody instrumented: measured
with services that know the truth, because the path of each request says who caused it. An edge is
*right* if the request's nearest SERVER ancestor is the request that caused it, an *orphan* if it has
none, *wrong* if it has another one: of the same user request (\"same\") or of another user's (\"other\"),
and *missing* if there is no SERVER span. All in percent of the edges that there should be.

Each load was traced once, with `--min-confidence 0`: every best guess is made. The columns \"by
default\" are the same load again, replayed from the recording of that run with the default, 0.9, where
an edge that is less sure is not made. *Timers*: handlers sleep 0 to 2 ms before they call others and before they answer.
*seq* and *par*: calls one after the other, or all at once. *At once*: user requests in flight at the load
generator. *Floor*: what `cargo xtask accuracy` holds the share of right edges to.
";

/// The whole document.
pub(super) fn document(results: &Results) -> String {
    let mut text = HEAD.to_owned();
    let _ = write!(text, "\n```sh\n{}\n```\n\n", results.commands.join("\n"));
    results.machine.iter().for_each(|line| text += &format!("- {line}\n"));
    let mut section = None;
    for measured in &results.cells {
        let this = (&measured.cell.topology, measured.cell.headers);
        if section.replace(this) != Some(this) {
            text += &heading(measured);
        }
        text += &row(measured);
    }
    text += "\n## Services\n\n| runtime | server and client |\n|---|---|\n";
    for runtime in RUNTIMES {
        if results.cells.iter().any(|it| it.cell.runtime == runtime.name) {
            let _ = writeln!(text, "| {} | {} |", runtime.name, runtime.what);
        }
    }
    text += &summary::methods(results);
    text += &summary::without(results);
    text += &summary::calibration(&floors::pools(results));
    text += &summary::timing(results);
    text += "\n## What does not hold\n\n";
    let failures = floors::failures(results);
    failures.iter().for_each(|failure| text += &format!("- {failure}\n"));
    if failures.is_empty() {
        text += "Every floor, limit and band above holds.\n";
    }
    text
}

fn heading(measured: &Measured) -> String {
    let headers = match measured.cell.headers {
        Headers::None => "no headers".to_owned(),
        headers => format!("{} headers passed on", value(&headers)),
    };
    format!(
        "\n## Topology {}, {headers}\n\n\
         | runtime | timers | calls | at once | edges | right | floor | orphan | wrong: same | other \
         | missing | by default: right | orphan | wrong: same | other | method: share @ right |\n\
         |---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n",
        measured.cell.topology
    )
}

fn row(measured: &Measured) -> String {
    let cell = &measured.cell;
    let (all, sure) = (measured.every.counts(), measured.default.counts());
    let share = |part| number(percent(part, all.edges));
    let floor = floors::floor(measured).map(number).unwrap_or_default();
    let shares = |of: &Counts| [of.orphan, of.wrong_same, of.wrong_trace].map(share).join(" | ");
    format!(
        "| {} | {} | {} | {} | {} | {} | {floor} | {} | {} | {} | {} | {} |\n",
        cell.runtime,
        value(&cell.work),
        value(&cell.mode),
        cell.concurrency,
        all.edges,
        share(all.right),
        shares(&all),
        share(all.missing),
        share(sure.right),
        shares(&sure),
        by_method(&measured.every, all.edges),
    )
}

/// Edges, and those that are right.
pub(super) fn sum(bands: &[Band]) -> (u64, u64) {
    bands.iter().fold((0, 0), |(edges, right), band| (edges + band.edges(), right + band.right))
}

fn by_method(tally: &Tally, edges: u64) -> String {
    let mut methods: Vec<_> =
        tally.methods.iter().map(|(method, bands)| (method, sum(bands))).collect();
    methods.sort_by_key(|(method, (edges, _))| (u64::MAX - edges, *method));
    let text = methods.iter().map(|(method, (made, right))| {
        format!("{method} {} @ {}", number(percent(*made, edges)), number(percent(*right, *made)))
    });
    text.collect::<Vec<_>>().join(", ")
}

/// Two digits after the point, if they say anything; never 100 for what is less.
pub(super) fn number(of: f64) -> String {
    let rounded = if of < 100.0 { of.min(99.99) } else { of };
    let text = format!("{rounded:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::results::testing::measured;
    use super::super::without::{Share, Without};
    use super::*;

    #[test]
    fn numbers_are_short_and_honest() {
        let numbers = [100.0, 99.996, 99.9, 0.0, 0.004, 12.346].map(number);
        assert_eq!(numbers, ["100", "99.99", "99.9", "0", "0", "12.35"]);
    }

    #[test]
    fn the_document_has_every_part() {
        let mut results = Results {
            commands: vec!["cargo xtask accuracy".to_owned()],
            machine: vec!["Linux 6.18".to_owned()],
            ..Results::default()
        };
        results.put(measured("nodehttp", 900, 100, 0.25));
        results.put(measured("go", 100, 0, 1.0));
        let text = document(&results);
        for part in [
            "\n```sh\ncargo xtask accuracy\n```\n\n- Linux 6.18\n",
            "\n## Topology tree, no headers\n",
            "| go | timers | seq | 8 | 100 | 100 | 99.9 | 0 | 0 | 0 | 0 | 100 | 0 | 0 | 0 | turn 100 @ 100 |\n| nodehttp ",
            "| nodehttp | timers | seq | 8 | 1000 | 90 | 80 | 0 | 0 | 10 | 0 | 90 | 10 | 0 | 0 | turn 100 @ 90 |",
            "| turn | 1100 | 90.91 | 1000 | 100 |",
            "| all | 0.2 to 0.3 | 100 | 25 | 0 |",
            "| nodehttp | 0.9 to 1.0 | 900 | 100 | 100 |",
            "Every floor, limit and band above holds.",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let without = |kind: Option<&str>, right, wrong| Without {
            runtime: "go".to_owned(),
            kind: kind.map(str::to_owned),
            every: Share { edges: 100, right, wrong },
            default: Share { edges: 100, right, wrong },
        };
        results.without = vec![
            without(None, 99, 0),
            without(Some("context"), 40, 2),
            without(Some("turn"), 99, 0),
        ];
        let row = "| go | 100 | 99, 99 | 40, 40, wrong +2 |  |";
        assert!(document(&results).contains(row), "{}", document(&results));
        results.put(measured("go", 99, 1, 1.0));
        assert!(document(&results).contains("- tree-go-timers-seq-c8: 99.00 % right"));
    }
}
