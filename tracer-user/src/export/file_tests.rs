use std::sync::mpsc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use super::super::testing::{settings, spans, until};
use super::*;
use crate::export::{Exporters, Settings, weighed};

fn target(text: &str) -> Target {
    text.parse().unwrap()
}

#[tokio::test]
async fn one_json_line_a_batch_after_what_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spans.json");
    std::fs::write(&path, "{}\n").unwrap();
    let settings = Settings { batch_spans: 2, ..settings() };
    let file = target(&format!("file={}", path.display()));
    let exporters = Exporters::start(&[file], &settings).unwrap();
    exporters.send(&weighed(spans(3)));
    let summary = exporters.shutdown(Duration::from_secs(30)).await.remove(0);
    assert_eq!((summary.exported, summary.dropped()), (3, 0));
    let text = std::fs::read_to_string(&path).unwrap();
    let counts: Vec<usize> = text
        .lines()
        .skip(1)
        .map(|line| {
            let read: ExportTraceServiceRequest = serde_json::from_str(line).unwrap();
            read.resource_spans[0].scope_spans[0].spans.len()
        })
        .collect();
    assert_eq!(counts, [2, 1]);
}

#[tokio::test]
async fn a_full_disk_is_counted() {
    let exporters = Exporters::start(&[target("file=/dev/full")], &settings()).unwrap();
    exporters.send(&weighed(spans(3)));
    let summary = exporters.shutdown(Duration::from_secs(30)).await.remove(0);
    assert_eq!(summary.dropped_by_reason, [("write failed", 3)]);
    assert!(summary.last_error.unwrap().contains("No space left"));
}

/// Fails once after a few bytes, then writes.
struct Torn(mpsc::Sender<Vec<u8>>, u32);

impl std::io::Write for Torn {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1 += 1;
        match self.1 {
            2 => Err(std::io::Error::other("disk full")),
            first => {
                let taken = if first == 1 { 3 } else { bytes.len() };
                self.0.send(bytes[..taken].to_vec()).unwrap();
                Ok(taken)
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_torn_line_is_ended_before_the_next() {
    let (sent, written) = mpsc::channel();
    let writer = Writer::new(Torn(sent, 0)).unwrap();
    assert!(writer.write("{\"a\":1}\n".into()).await.is_err());
    writer.write("{\"b\":2}\n".into()).await.unwrap();
    drop(writer);
    let all: Vec<u8> = written.iter().flatten().collect();
    assert_eq!(String::from_utf8(all).unwrap(), "{\"a\n{\"b\":2}\n");
}

#[tokio::test]
async fn a_pipe_that_nobody_reads_does_not_hold_up_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: `name` is a C string that outlives the call.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    // Held open for reading, so that opening and the first writes succeed, but never read.
    let reader = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let file = target(&format!("file={}", path.display()));
    let settings = Settings { batch_spans: 10, ..settings() };
    let exporters = Exporters::start(&[file], &settings).unwrap();
    exporters.send(&weighed(spans(1000)));
    until("the pipe is full", || exporters.summaries()[0].exported >= 10).await;
    let start = std::time::Instant::now();
    let summary = exporters.shutdown(Duration::from_millis(50)).await.remove(0);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(summary.dropped() > 0, "{summary:?}");
    assert_eq!(summary.exported + summary.dropped(), 1000);
    drop(reader);
}
