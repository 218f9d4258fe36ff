//! How far a replay is, on a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is over sooner needs no progress, and how often it is told.
const PATIENCE: Duration = Duration::from_secs(1);
const EVERY: Duration = Duration::from_millis(200);

/// A line on standard error that is written over again and again; silent if that is no terminal.
pub(super) struct Progress {
    read: Arc<AtomicU64>,
    len: Option<u64>,
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// Of `len` bytes, `read` have been read.
    pub(super) fn new(read: Arc<AtomicU64>, len: Option<u64>) -> Self {
        let next = std::io::stderr().is_terminal().then(|| Instant::now() + PATIENCE);
        Self { read, len, next, shown: false }
    }

    /// Tells, if it is time to.
    pub(super) fn tell(&mut self, spans: u64) {
        let now = Instant::now();
        if self.next.is_none_or(|next| now < next) {
            return;
        }
        self.next = Some(now + EVERY);
        self.shown = true;
        eprint!("\r{}\x1b[K", line(self.read.load(Ordering::Relaxed), self.len, spans));
        let _ = std::io::stderr().flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

fn line(read: u64, len: Option<u64>, spans: u64) -> String {
    match len {
        Some(len) if len > 0 => {
            let share = 100.0 * (read.min(len) as f64) / (len as f64);
            format!("replaying: {share:.0} %, {spans} spans")
        }
        _ => format!("replaying: {:.1} MiB, {spans} spans", read as f64 / f64::from(1 << 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_share_where_the_length_is_known() {
        assert_eq!(line(50, Some(200), 7), "replaying: 25 %, 7 spans");
        assert_eq!(line(3 << 19, None, 7), "replaying: 1.5 MiB, 7 spans");
    }
}
