//! The balance at the end of a run, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::export::Summary;

/// One line an exporter, then one for every loss, each with its name and number.
#[must_use]
pub fn summary(exporters: &[Summary], losses: &BTreeMap<&'static str, u64>) -> String {
    let mut text = String::new();
    for exporter in exporters {
        let _ = write!(text, "exported: {} spans to {}", exporter.exported, exporter.name);
        for (reason, count) in &exporter.dropped_by_reason {
            let _ = write!(text, ", {count} lost ({reason})");
        }
        if let (true, Some(error)) = (exporter.dropped() > 0, &exporter.last_error) {
            let _ = write!(text, "; last error: {error}");
        }
        text.push('\n');
    }
    if losses.is_empty() {
        text.push_str("lost: nothing\n");
    }
    for (name, count) in losses {
        let _ = writeln!(text, "lost: {count} {name}");
    }
    text
}

/// A line for every process with operations on sockets whose bytes could not be read, so that HTTP
/// in them went unseen.
#[must_use]
pub fn unread(processes: &[(String, u64)]) -> String {
    processes.iter().fold(String::new(), |mut text, (process, count)| {
        let _ = writeln!(text, "unread: {count} socket operations of {process}");
        text
    })
}
