//! Prints how many of TraceWeaver's traces the joint decision gets fully right by timing alone:
//! `traceweaver FILE.jsonl.gz...`. One JSON object a file: `file`, `traces`, `right_traces`,
//! `right_as_published` (traces right in the edges that TraceWeaver's own evaluation judges), `edges`,
//! `right_edges`, `cpu_us_per_trace` (with reading). To be run with optimisation.

use std::fs::File;

mod traces;

fn main() -> anyhow::Result<()> {
    for file in std::env::args().skip(1) {
        let before = cpu()?;
        let score = traces::score(File::open(&file)?);
        let micros = (cpu()? - before) / 1e3 / score.traces.max(1) as f64;
        let traces::Score { traces, right_traces, right_as_published, edges, right_edges } = score;
        let line = serde_json::json!({
            "file": file, "traces": traces, "right_traces": right_traces,
            "right_as_published": right_as_published, "edges": edges, "right_edges": right_edges,
            "cpu_us_per_trace": micros.round(),
        });
        println!("{line}");
    }
    Ok(())
}

/// Nanoseconds that this process has run.
fn cpu() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    let first = text.split(' ').next().unwrap_or_default();
    Ok(first.parse()?)
}
