//! Answers of many whole traces, which are sent while they are read: they take the memory of a few,
//! and a client that is slow holds up nobody else.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use bytes::{Bytes, BytesMut};
use hyper::body::Frame;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::{SEARCHES, Traces};
use crate::store::{Snapshot, Trace, Whole};

/// Such answers at a time; further ones wait.
static ANSWERS: Semaphore = Semaphore::const_new(2);
/// Bytes that are sent at once.
const CHUNK: usize = 64 << 10;
/// After so long without the client's taking anything, what makes the rest quick is given up.
const SLOW: Duration = Duration::from_secs(1);
/// After so long, the answer.
const DEAD: Duration = Duration::from_secs(20);

/// What an answer is made of: a list of traces, and what stands around it.
pub(super) struct Form {
    pub(super) before: &'static str,
    pub(super) after: &'static str,
    pub(super) trace: fn(&Trace) -> Vec<u8>,
}

/// The traces that `look` finds, as JSON of this form.
pub(super) async fn answer(
    traces: Arc<dyn Traces>,
    form: Form,
    look: impl FnOnce(&Snapshot) -> Whole + Send + 'static,
) -> Response {
    // Neither is ever closed.
    let answer = ANSWERS.acquire().await.ok();
    let turn = SEARCHES.acquire().await.ok();
    let (sender, receiver) = channel(1);
    tokio::task::spawn_blocking(move || {
        let _answer = answer;
        let whole = look(&traces.snapshot());
        Sending { sender, turn, chunk: BytesMut::from(form.before), whole }.send(&form)
    });
    ([(CONTENT_TYPE, "application/json")], Body::new(Chunks(receiver))).into_response()
}

struct Sending {
    /// `None` is the end; an answer that does not come to it is broken off.
    sender: Sender<Option<Bytes>>,
    turn: Option<SemaphorePermit<'static>>,
    chunk: BytesMut,
    whole: Whole,
}

impl Sending {
    /// `None` if the client did not take it all.
    fn send(mut self, form: &Form) -> Option<()> {
        let mut first = true;
        while let Some(trace) = self.whole.next() {
            if !std::mem::take(&mut first) {
                self.chunk.extend_from_slice(b",");
            }
            self.chunk.extend_from_slice(&(form.trace)(&trace));
            drop(trace);
            while self.chunk.len() >= CHUNK {
                let chunk = self.chunk.split_to(CHUNK).freeze();
                self.hand_over(Some(chunk))?;
            }
        }
        self.chunk.extend_from_slice(form.after.as_bytes());
        let chunk = self.chunk.split().freeze();
        self.hand_over(Some(chunk))?;
        self.hand_over(None)
    }

    fn hand_over(&mut self, chunk: Option<Bytes>) -> Option<()> {
        let chunk = match self.sender.try_send(chunk) {
            Ok(()) => return Some(()),
            Err(TrySendError::Closed(_)) => return None,
            Err(TrySendError::Full(chunk)) => chunk,
        };
        // It is others' turn while the client takes what it has.
        self.turn = None;
        let place = match wait(SLOW, self.sender.reserve()) {
            Some(place) => place,
            None => {
                self.whole.rest();
                wait(DEAD, self.sender.reserve())?
            }
        };
        place.ok()?.send(chunk);
        self.turn = Handle::current().block_on(SEARCHES.acquire()).ok();
        Some(())
    }
}

fn wait<T>(limit: Duration, what: impl Future<Output = T>) -> Option<T> {
    Handle::current().block_on(async { timeout(limit, what).await.ok() })
}

struct Chunks(Receiver<Option<Bytes>>);

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let broken = || io::Error::other("the answer was broken off");
        self.0.poll_recv(context).map(|chunk| match chunk {
            Some(chunk) => chunk.map(|chunk| Ok(Frame::data(chunk))),
            None => Some(Err(broken())),
        })
    }
}
