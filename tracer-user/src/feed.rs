//! The way of finished spans from the capture thread, which never waits, to a thread that looks at
//! them one by one.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Bytes that may wait.
const MAX_WAITING: usize = 64 << 20;

/// Things, and their bytes.
type Batch<T> = (Vec<T>, usize);

/// The thread's other end; the thread ends when this is closed or dropped.
pub struct Feed<T> {
    things: Mutex<Option<Sender<Batch<T>>>>,
    /// Bytes.
    waiting: Arc<AtomicUsize>,
    lost: AtomicU64,
    loss: &'static str,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<T: Send + 'static> Feed<T> {
    /// Starts a thread of this name that hands batches to `take`, and an empty one where nothing came
    /// for `period`; at the end, `None`. `loss` is what things that do not fit are counted as.
    ///
    /// # Errors
    /// There can be no more threads.
    pub fn start(
        name: &str,
        loss: &'static str,
        period: Duration,
        take: impl FnMut(Option<Vec<T>>) + Send + 'static,
    ) -> io::Result<Self> {
        let (things, receiver) = channel();
        let waiting = Arc::<AtomicUsize>::default();
        let of_thread = waiting.clone();
        let thread = thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || run(take, period, &receiver, &of_thread))?;
        let (things, thread) = (Mutex::new(Some(things)), Mutex::new(Some(thread)));
        Ok(Self { things, waiting, lost: AtomicU64::new(0), loss, thread })
    }

    /// Hands things on, each with its bytes in memory; never waits. What is too much is counted as
    /// lost.
    pub fn send(&self, things: impl IntoIterator<Item = (T, usize)>) {
        let mut room = MAX_WAITING.saturating_sub(self.waiting.load(Relaxed));
        let mut things = things.into_iter();
        let (mut taken, mut bytes, mut lost) = (Vec::new(), 0, 0);
        for (thing, weight) in things.by_ref() {
            let Some(left) = room.checked_sub(weight) else {
                lost = 1 + things.count() as u64;
                break;
            };
            room = left;
            bytes += weight;
            taken.push(thing);
        }
        let count = taken.len() as u64;
        self.waiting.fetch_add(bytes, Relaxed);
        let open = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = open.as_ref().is_some_and(|open| open.send((taken, bytes)).is_ok());
        drop(open);
        self.lost.fetch_add(if sent { lost } else { lost + count }, Relaxed);
    }

    /// Things that did not fit, by name.
    #[must_use]
    pub fn losses(&self) -> [(&'static str, u64); 1] {
        [(self.loss, self.lost.load(Relaxed))]
    }
}

impl<T> Feed<T> {
    /// Waits until the thread has taken all that was sent, and ended. What is sent later is lost.
    pub fn close(&self) {
        drop(self.things.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(_)) = thread.map(JoinHandle::join) {
            tracing::error!("the thread behind {} failed", self.loss);
        }
    }
}

impl<T> Drop for Feed<T> {
    fn drop(&mut self) {
        self.close();
    }
}

fn run<T>(
    mut take: impl FnMut(Option<Vec<T>>),
    period: Duration,
    things: &Receiver<Batch<T>>,
    waiting: &AtomicUsize,
) {
    loop {
        match things.recv_timeout(period) {
            Ok((batch, bytes)) => {
                take(Some(batch));
                waiting.fetch_sub(bytes, Relaxed);
            }
            Err(RecvTimeoutError::Timeout) => take(Some(vec![])),
            Err(RecvTimeoutError::Disconnected) => return take(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    use super::{Feed, MAX_WAITING};

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn all_that_was_sent_is_taken_before_the_end() {
        let (told, tellings) = std::sync::mpsc::channel();
        let feed = Feed::start("test", "test_full", HOUR, move |it| told.send(it).unwrap());
        let feed = feed.unwrap();
        feed.send([(1, 8), (2, 8)]);
        feed.send([(3, 8)]);
        drop(feed);
        let all: Vec<_> = tellings.iter().collect();
        assert_eq!(all, [Some(vec![1, 2]), Some(vec![3]), None]);
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let (go, wait) = sync_channel::<()>(0);
        let take = move |it: Option<Vec<u8>>| {
            let _ = it.map(|_| wait.recv());
        };
        let feed = Feed::start("test", "test_full", HOUR, take).unwrap();
        let half = MAX_WAITING / 2 - 1;
        feed.send([(1, half), (2, half), (3, half), (4, half)]);
        assert_eq!(feed.losses(), [("test_full", 2)]);
        feed.send([(5, half)]);
        assert_eq!(feed.losses(), [("test_full", 3)], "it is still being taken");
        go.send(()).unwrap();
        drop(go);
    }

    #[test]
    fn time_passes_when_nothing_comes() {
        let (told, tellings) = std::sync::mpsc::channel();
        let take = move |it: Option<Vec<u8>>| drop(told.send(it));
        let _feed = Feed::start("test", "test_full", Duration::from_millis(1), take).unwrap();
        assert_eq!(tellings.recv(), Ok(Some(vec![])));
    }
}
