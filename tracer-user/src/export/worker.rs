//! The loop that every exporter runs: wait, take a batch, send it until it is settled.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::counters::{Counters, Reason};
use super::queue::{Queue, Weighed};
use super::settings::Settings;
use super::sink::{Sink, Verdict};
use crate::trace::Span;

/// However long a backend asks to be left alone, it is tried again after this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

pub(super) struct Worker<S> {
    pub(super) name: String,
    pub(super) sink: S,
    pub(super) queue: Arc<Queue>,
    pub(super) counters: Arc<Counters>,
    pub(super) settings: Settings,
    /// For one request.
    pub(super) timeout: Duration,
    /// When the tracer stops: the instant by which this loop has to end.
    pub(super) stop: watch::Receiver<Option<Instant>>,
}

impl<S: Sink> Worker<S> {
    /// Runs until told to stop and, then, until the queue is empty or time is up.
    pub(super) async fn run(mut self) {
        loop {
            if self.deadline().is_none() {
                let queue = Arc::clone(&self.queue);
                tokio::select! {
                    () = queue.due() => {}
                    () = period(S::PERIOD) => {
                        self.sink.pass(false).await;
                        continue;
                    }
                    () = self.stopped() => {}
                }
            }
            let batch = self.queue.take();
            if batch.is_empty() {
                if let Some(deadline) = self.deadline() {
                    let _ = timeout_at(deadline, self.sink.pass(true)).await;
                    return;
                }
                continue;
            }
            if self.settle(batch).await.is_none() {
                return;
            }
        }
    }

    /// When the loop has to end, if it has been told to.
    fn deadline(&self) -> Option<Instant> {
        *self.stop.borrow()
    }

    async fn stopped(&mut self) {
        // An error means that `Exporters` is gone without a shutdown: nobody waits for us.
        if self.stop.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Sends a batch, in pieces if need be. `None` when time is up; what is not counted by then
    /// is unsent.
    async fn settle(&mut self, batch: Vec<Weighed>) -> Option<()> {
        let spans: Vec<Arc<Span>> = batch.into_iter().map(|(span, _)| span).collect();
        let mut pieces: Vec<&[Arc<Span>]> = vec![&spans];
        while let Some(piece) = pieces.pop() {
            let payload = self.sink.encode(piece);
            let count = piece.len() as u64 - payload.invalid;
            let verdict = match count {
                0 => Verdict::Accepted { rejected: 0, why: None },
                _ => self.deliver(&payload.body).await?,
            };
            if let (Verdict::Split { .. }, 2..) = (&verdict, piece.len()) {
                let (first, second) = piece.split_at(piece.len() / 2);
                pieces.push(second);
                pieces.push(first);
                continue;
            }
            self.counters.dropped(Reason::Invalid, payload.invalid);
            match verdict {
                Verdict::Accepted { rejected, why } => {
                    let rejected = rejected.min(count);
                    self.counters.exported(count - rejected);
                    if rejected > 0 {
                        self.lost(Reason::Rejected, rejected, why.unwrap_or_default());
                    } else if let Some(advice) = why {
                        tracing::info!(exporter = self.name, advice, "the backend has a remark");
                    }
                }
                Verdict::Split { why } => self.lost(Reason::TooLarge, count, why),
                Verdict::Dropped { reason, why } => self.lost(reason, count, why),
                Verdict::Again { why, .. } => self.lost(Reason::GaveUp, count, why),
            }
        }
        Some(())
    }

    fn lost(&self, reason: Reason, spans: u64, why: String) {
        tracing::warn!(exporter = self.name, ?reason, spans, why, "spans lost");
        self.counters.dropped(reason, spans);
        self.counters.trouble(why);
    }

    /// Sends one piece until the answer is final, with [`Verdict::Again`] as "gave up".
    async fn deliver(&mut self, body: &S::Body) -> Option<Verdict> {
        let mut pause = self.settings.backoff_first;
        let mut failing_since: Option<Instant> = None;
        loop {
            let (answered, after, why) = match self.attempt(body).await? {
                Verdict::Again { answered, after, why } => (answered, after, why),
                settled => {
                    return Some(settled);
                }
            };
            tracing::debug!(exporter = self.name, why, "export failed, will retry");
            self.counters.trouble(why.clone());
            if answered {
                let since = *failing_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= self.settings.give_up {
                    return Some(Verdict::Again { answered, after, why });
                }
            } else {
                failing_since = None;
            }
            // Half fixed, half random, so that exporters that lost one backend together do not
            // come back together.
            let jittered = pause.mul_f64(0.5 + 0.5 * fastrand::f64());
            pause = (pause * 2).min(self.settings.backoff_longest);
            self.rest(jittered, after.map(|after| after.min(LONGEST_RETRY_AFTER))).await?;
        }
    }

    /// One attempt, bounded by its timeout and by the deadline if there is one.
    async fn attempt(&mut self, body: &S::Body) -> Option<Verdict> {
        let limit = self.timeout;
        let mut stop = self.stop.clone();
        let delivery = timeout(limit, self.sink.deliver(body));
        tokio::pin!(delivery);
        let outcome = tokio::select! {
            outcome = &mut delivery => outcome,
            deadline = told(&mut stop) => timeout_at(deadline, delivery).await.ok()?,
        };
        Some(outcome.unwrap_or_else(|_| Verdict::Again {
            answered: false,
            after: None,
            why: format!("no answer within {limit:?}"),
        }))
    }

    /// Waits before the next attempt. When the tracer stops meanwhile there is one more attempt
    /// at once, unless the backend asked for a pause; with no time left for one, `None`.
    async fn rest(&mut self, pause: Duration, asked: Option<Duration>) -> Option<()> {
        let until = Instant::now() + asked.map_or(pause, |asked| asked.max(pause));
        if self.deadline().is_none() {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return Some(()),
                () = self.stopped() => {}
            }
            if asked.is_none() {
                return Some(());
            }
        }
        if until >= self.deadline()? {
            return None;
        }
        tokio::time::sleep_until(until).await;
        Some(())
    }
}

async fn period(period: Option<Duration>) {
    match period {
        Some(period) => tokio::time::sleep(period).await,
        None => std::future::pending().await,
    }
}

/// The deadline, once there is one.
async fn told(stop: &mut watch::Receiver<Option<Instant>>) -> Instant {
    loop {
        if let Some(deadline) = *stop.borrow_and_update() {
            return deadline;
        }
        if stop.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
