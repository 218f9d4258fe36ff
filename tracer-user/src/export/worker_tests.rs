//! The loop against a backend that follows a script, in paused time.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::super::testing::spans;
use super::*;
use crate::export::Summary;
use crate::export::queue::weigh;
use crate::export::sink::Payload;

/// Answers in turn as told, then accepts; notes when it was asked and with how many spans.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Verdict>>>,
    /// The answer when the others are used up, instead of accepting.
    last: Option<Verdict>,
    /// More spans in one piece are too many.
    most: Option<usize>,
    asked: Arc<Mutex<Vec<(Instant, usize)>>>,
    hangs: bool,
}

impl Sink for Script {
    type Body = usize;

    fn encode(&self, spans: &[Arc<Span>]) -> Payload<usize> {
        // As in Zipkin, a span whose id is zero has no valid form.
        let invalid = spans.iter().filter(|span| span.span_id.0 == [0; 8]).count();
        Payload { body: spans.len() - invalid, invalid: invalid as u64 }
    }

    async fn deliver(&mut self, body: &usize) -> Verdict {
        self.asked.lock().unwrap().push((Instant::now(), *body));
        if self.hangs {
            std::future::pending::<()>().await;
        }
        if self.most.is_some_and(|most| *body > most) {
            return Verdict::Split { why: "too large".into() };
        }
        let next = self.answers.lock().unwrap().pop_front();
        let accepted = Verdict::Accepted { rejected: 0, why: None };
        next.or_else(|| self.last.clone()).unwrap_or(accepted)
    }
}

fn again(answered: bool, after: Option<u64>) -> Verdict {
    Verdict::Again { answered, after: after.map(Duration::from_secs), why: "busy".into() }
}

struct Run {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    stop: watch::Sender<Option<Instant>>,
    worker: tokio::task::JoinHandle<()>,
}

impl Run {
    fn new(script: &Script, settings: Settings) -> Self {
        let queue = Arc::new(Queue::new(settings.clone()));
        let counters = Arc::new(Counters::default());
        let stop = watch::Sender::new(None);
        let worker = Worker {
            name: "script".into(),
            sink: script.clone(),
            queue: Arc::clone(&queue),
            counters: Arc::clone(&counters),
            settings,
            timeout: Duration::from_secs(10),
            stop: stop.subscribe(),
        };
        Run { queue, counters, stop, worker: tokio::spawn(worker.run()) }
    }

    fn send(&self, spans: Vec<Arc<Span>>) {
        let weighed: Vec<Weighed> =
            spans.into_iter().map(|s| (Arc::clone(&s), weigh(&s))).collect();
        self.counters.given(weighed.len() as u64);
        self.counters.dropped(Reason::QueueFull, self.queue.push(&weighed));
    }

    /// Waits, in paused time, until nothing is on its way.
    async fn done(&self) -> Summary {
        loop {
            let summary = self.counters.summary(String::new());
            if summary.waiting == 0 {
                return summary;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn stop(self, limit: Duration) -> Summary {
        self.stop.send_replace(Some(Instant::now() + limit));
        self.worker.await.unwrap();
        self.counters.settle();
        self.counters.summary(String::new())
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_up_to_the_longest() {
    let script = Script { last: Some(again(false, None)), ..Script::default() };
    let run = Run::new(&script, Settings::default());
    run.send(spans(1));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let summary = run.counters.summary(String::new());
    assert_eq!(summary.waiting, 1, "one that can't be reached is waited for: {summary:?}");
    assert_eq!(summary.last_error.as_deref(), Some("busy"));
    let asked = script.asked.lock().unwrap().clone();
    let pauses: Vec<f64> =
        asked.windows(2).map(|pair| (pair[1].0 - pair[0].0).as_secs_f64()).collect();
    let mut expected = 0.25f64;
    for pause in &pauses {
        assert!(*pause >= expected / 2.0 && *pause <= expected + 0.01, "{pause} of {expected}");
        expected = (expected * 2.0).min(10.0);
    }
    assert!(pauses.len() > 3600 / 10, "{}", pauses.len());
    let (least, most) =
        pauses[10..].iter().fold((f64::MAX, 0f64), |(l, m), p| (l.min(*p), m.max(*p)));
    assert!(most - least > 2.0, "no jitter: {least} to {most}");
}

#[tokio::test(start_paused = true)]
async fn a_backend_is_left_alone_as_long_as_it_asks() {
    let answers = [again(true, Some(30)), again(true, Some(1_000_000))];
    let script = Script { answers: Arc::new(Mutex::new(answers.into())), ..Script::default() };
    let run = Run::new(&script, Settings::default());
    run.send(spans(3));
    let summary = run.done().await;
    assert_eq!((summary.exported, summary.dropped()), (3, 0));
    let asked = script.asked.lock().unwrap().clone();
    let pauses: Vec<u64> = asked.windows(2).map(|pair| (pair[1].0 - pair[0].0).as_secs()).collect();
    assert_eq!(pauses, [30, 300], "and not longer than is reasonable");
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_always_fails_does_not_hold_up_the_rest_for_good() {
    let script = Script { last: Some(again(true, None)), ..Script::default() };
    let run = Run::new(&script, Settings::default());
    let start = Instant::now();
    run.send(spans(3));
    let summary = run.done().await;
    assert_eq!(summary.dropped_by_reason, [("backend kept failing", 3)]);
    assert!((600..615).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn batches_are_split_until_they_fit_and_each_span_counts_once() {
    let script = Script { most: Some(2), ..Script::default() };
    let run = Run::new(&script, Settings::default());
    let mut list = spans(10);
    let mut invalid = (*list[0]).clone();
    invalid.span_id.0 = [0; 8];
    list[4] = Arc::new(invalid);
    run.send(list);
    let summary = run.done().await;
    assert_eq!(summary.exported, 9);
    assert_eq!(summary.dropped_by_reason, [("not valid in this format", 1)]);
    let fitting: usize =
        script.asked.lock().unwrap().iter().map(|(_, n)| n).filter(|n| **n <= 2).sum();
    assert_eq!(fitting, 9);

    let never = Script { most: Some(0), ..Script::default() };
    let run = Run::new(&never, Settings::default());
    run.send(spans(4));
    let summary = run.done().await;
    assert_eq!(summary.dropped_by_reason, [("too large for the backend", 4)]);
    assert_eq!(never.asked.lock().unwrap().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_an_answer_after_a_while() {
    let script = Script { hangs: true, ..Script::default() };
    let run = Run::new(&script, Settings::default());
    run.send(spans(1));
    tokio::time::sleep(Duration::from_secs(35)).await;
    let asked = script.asked.lock().unwrap().len();
    assert!((3..=4).contains(&asked), "{asked}");
    let error = run.counters.summary(String::new()).last_error;
    assert_eq!(error.as_deref(), Some("no answer within 10s"));

    let start = Instant::now();
    let summary = run.stop(Duration::from_secs(2)).await;
    assert_eq!(start.elapsed().as_secs(), 2, "shutdown is bounded");
    assert_eq!(summary.dropped_by_reason, [("unsent when the tracer stopped", 1)]);
}

#[tokio::test(start_paused = true)]
async fn at_shutdown_there_is_one_more_attempt_at_once() {
    let script = Script { last: Some(again(false, None)), ..Script::default() };
    let run = Run::new(&script, Settings::default());
    run.send(spans(1));
    // In the middle of a long pause.
    tokio::time::sleep(Duration::from_secs(100)).await;
    let asked = script.asked.lock().unwrap().len();
    let start = Instant::now();
    let summary = run.stop(Duration::from_millis(1)).await;
    assert!(start.elapsed() < Duration::from_millis(5), "{:?}", start.elapsed());
    assert_eq!(script.asked.lock().unwrap().len(), asked + 1);
    assert_eq!(summary.dropped(), 1);
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_company_and_sends_all() {
    let script = Script::default();
    let settings =
        Settings { batch_age: Duration::from_secs(60), batch_spans: 4, ..Settings::default() };
    let run = Run::new(&script, settings);
    run.send(spans(9));
    let start = Instant::now();
    let summary = run.stop(Duration::from_secs(5)).await;
    assert_eq!((summary.exported, summary.dropped(), summary.waiting), (9, 0, 0));
    assert_eq!(start.elapsed(), Duration::ZERO);
    let sizes: Vec<usize> = script.asked.lock().unwrap().iter().map(|(_, n)| *n).collect();
    assert_eq!(sizes, [4, 4, 1]);
}

#[tokio::test(start_paused = true)]
async fn shutdown_ends_early_when_the_backend_asks_for_more_time_than_there_is() {
    let script = Script { last: Some(again(true, Some(60))), ..Script::default() };
    let run = Run::new(&script, Settings::default());
    run.send(spans(2));
    let start = Instant::now();
    let summary = run.stop(Duration::from_secs(5)).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(summary.dropped_by_reason, [("unsent when the tracer stopped", 2)]);
}
