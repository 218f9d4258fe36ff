//! The command.

use std::io::{ErrorKind, Write as _};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::config::{ExplainArgs, Settings};
use crate::replay::{chosen, drive_through, open, pipeline};

use super::story::Story;
use super::summary::Summary;
use super::{json, text};

/// Replays a file and explains one of its traces, or all edges in sum and the first traces.
///
/// # Errors
/// Why the file can't be replayed, or not to its end; that there is no such trace.
pub fn explain(args: &ExplainArgs, settings: &Settings) -> Result<()> {
    let mut opened = open(&args.file, &settings.limits)?;
    let source = &mut *opened.source;
    let min_confidence = chosen(source, settings).min_confidence;
    let mut pipeline = pipeline(source, settings);
    pipeline.explain();
    let mut story = Story::default();
    let replayed = drive_through(source, &mut pipeline, |pipeline| {
        story.add(pipeline.take_spans(), pipeline.take_hearings());
        true
    });
    let file = args.file.display();
    let traces = story.traces(args.trace.as_deref().unwrap_or_default());
    if let (Some(trace), true) = (&args.trace, traces.is_empty()) {
        bail!("no trace of {file} begins with {trace}; tracer explain {file} names the first ones");
    }
    let shown = traces.iter().take(if args.trace.is_some() { usize::MAX } else { args.limit });
    let summary = Summary::of(&story);
    let out = if args.json {
        let traces: Vec<_> = shown.map(|trace| json::trace(&story, trace)).collect();
        let all = json!({
            "min_confidence": min_confidence,
            "summary": summary.json(),
            "losses": replayed.losses,
            "traces": traces,
        });
        format!("{all:#}\n")
    } else {
        let head = if args.trace.is_none() { summary.text(min_confidence) } else { String::new() };
        let trees = shown.map(|trace| text::trace(&story, trace, min_confidence));
        let mut out = [head].into_iter().chain(trees).collect::<String>();
        if args.trace.is_none() && traces.len() > args.limit {
            let more = traces.len() - args.limit;
            out += &format!(
                "\n{more} more traces: --limit N shows N, tracer explain {file} TRACE one of them\n"
            );
        }
        out
    };
    print(&out)?;
    for (name, count) in &replayed.losses {
        eprintln!("lost: {count} {name}");
    }
    replayed.broken.map_or(Ok(()), Err)
}

/// To standard output, whose reader may have seen enough.
fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}
