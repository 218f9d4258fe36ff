//! Files and standard output: OTLP as JSON lines, as the OpenTelemetry collector's file exporter
//! writes it, or the readable lines.
//! <https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>

use std::fs::OpenOptions;
use std::sync::Arc;

use bytes::Bytes;

use super::counters::Reason;
use super::exporters::StartError;
use super::sink::{Payload, Sink, Verdict};
use super::target::{Kind, Target};
use super::writer::Writer;
use super::{otlp, text};
use crate::trace::Span;

pub(super) struct File {
    writer: Writer,
    readable: bool,
}

impl File {
    /// Opens the file, to append to it.
    pub(super) fn new(target: &Target) -> Result<Self, StartError> {
        let failed = |source| StartError::File { path: target.endpoint.clone(), source };
        let writer = match (target.kind, target.endpoint.as_str()) {
            (Kind::File, path) if path != "-" => {
                let file = OpenOptions::new().append(true).create(true).open(path);
                Writer::new(file.map_err(failed)?)
            }
            _ => Writer::new(std::io::stdout()),
        };
        Ok(File { writer: writer.map_err(failed)?, readable: target.kind == Kind::Stdout })
    }
}

impl Sink for File {
    type Body = Bytes;

    fn encode(&self, spans: &[Arc<Span>]) -> Payload<Bytes> {
        let body = if self.readable {
            let mut lines = String::new();
            spans.iter().for_each(|span| text::line(span, &mut lines));
            lines.into_bytes()
        } else {
            json_line(spans)
        };
        Payload { body: body.into(), invalid: 0 }
    }

    async fn deliver(&mut self, body: &Bytes) -> Verdict {
        match self.writer.write(body.clone()).await {
            Ok(()) => Verdict::Accepted { rejected: 0, why: None },
            // Writing again might repeat what was written in part.
            Err(error) => Verdict::Dropped { reason: Reason::WriteFailed, why: error.to_string() },
        }
    }
}

fn json_line(spans: &[Arc<Span>]) -> Vec<u8> {
    match serde_json::to_vec(&otlp::request(spans)) {
        Ok(mut line) => {
            line.push(b'\n');
            line
        }
        Err(never) => unreachable!("strings, numbers and lists: {never}"),
    }
}
