//! A thread that writes. A pipe that nobody reads blocks whoever writes to it, for ever, and a
//! disk may hang: that must be neither the runtime's thread nor one that the exit waits for.

use std::io::Write;
use std::sync::mpsc;

use bytes::Bytes;
use tokio::sync::oneshot;

type Job = (Bytes, oneshot::Sender<std::io::Result<()>>);

pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the thread; it ends when the writer is dropped, unless it hangs in a write.
    pub(super) fn new(mut out: impl Write + Send + 'static) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new().name("tracer-writer".into()).spawn(move || {
            let mut torn = false;
            for (bytes, done) in queue {
                // After a write that broke off, the next one must not continue its line.
                let start = if torn { out.write_all(b"\n") } else { Ok(()) };
                let result = start.and_then(|()| out.write_all(&bytes)).and_then(|()| out.flush());
                torn = result.is_err();
                // Whoever gave up waiting needs no answer.
                let _ = done.send(result);
            }
        })?;
        Ok(Writer { jobs })
    }

    /// Writes and flushes all of it. One who stops waiting does not undo the write.
    pub(super) async fn write(&self, bytes: Bytes) -> std::io::Result<()> {
        let gone = || std::io::Error::other("the writing thread is gone");
        let (done, result) = oneshot::channel();
        self.jobs.send((bytes, done)).map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }
}
