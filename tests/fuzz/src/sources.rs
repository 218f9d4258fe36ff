//! Files that are replayed: packet captures and recordings of any content, through the pipeline.

use std::io::Cursor;
use std::num::NonZeroUsize;

use tracer_user::pcap::Capture;
use tracer_user::pipeline::Pipeline;
use tracer_user::recording::{Header, Reader, Secrets, Writer};
use tracer_user::replay::{Input as Told, Source};
use tracer_user::trace::Clock;

use crate::input::Input;
use crate::records::{Nobody, settings};

/// Connections that a capture is followed on at once.
const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(8).unwrap();
/// Inputs that a file gives at most for each of its bytes, and without any.
const PER_BYTE: usize = 8;
const FEW: usize = 64;

/// Reads the input as a capture.
pub fn pcap(data: &[u8]) {
    if let Ok(mut capture) = Capture::new(Cursor::new(data.to_vec()), CONNECTIONS) {
        play(&mut capture, data.len());
    }
}

/// Reads the input as a recording, if its first byte is odd; else as the contents of a recording's
/// blocks, each with its length before it: checksums keep all else from getting that far.
pub fn recording(data: &[u8]) {
    let mut input = Input(data);
    let raw = input.byte() & 1 == 1;
    let mut file = vec![];
    if raw {
        file.extend_from_slice(input.0);
    } else {
        let clock = Clock::new(1 << 60, 0);
        let header = Header::new(&settings(), &clock, "6.18.0".to_owned(), Secrets::Masked);
        if Writer::new(&mut file, &header).is_err() {
            return;
        }
        while !input.is_empty() {
            file.extend(frame(input.bytes()));
        }
    }
    if let Ok(mut reader) = Reader::new(file.as_slice()) {
        play(&mut reader, data.len());
    }
}

/// As the module `recording` describes it.
fn frame(contents: &[u8]) -> Vec<u8> {
    let stored = zstd::bulk::compress(contents, 1).unwrap_or_default();
    let mut frame = (stored.len() as u32).to_le_bytes().to_vec();
    frame.extend_from_slice(&(contents.len() as u32).to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(&stored).to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_le_bytes());
    frame.extend_from_slice(&stored);
    frame
}

fn play(source: &mut dyn Source, len: usize) {
    let mut pipeline = Pipeline::new(settings(), Nobody, source.clock());
    let (mut inputs, mut records) = (0, 0);
    while let Ok(Some(input)) = source.next() {
        inputs += 1;
        assert!(inputs <= FEW + PER_BYTE * len, "{inputs} inputs of {len} bytes");
        match input {
            Told::Record(bytes) => {
                records += bytes.len();
                pipeline.record(&bytes);
            }
            Told::Advance(now) => {
                pipeline.advance(now);
            }
            Told::Lost { since, until } => pipeline.lost_records(since, until),
            Told::Clock { since, boot, unix } => {
                pipeline.clock(since, boot, unix);
            }
            Told::Existing { connections, first } => pipeline.existing(connections, first),
            Told::Process { .. } | Told::Stop(_) => {}
        }
    }
    pipeline.stop(0);
    let spans = pipeline.take_spans();
    // A request of two bytes is none.
    assert!(spans.len() <= records, "{} spans of {records} bytes", spans.len());
    assert!(spans.iter().all(|span| span.start <= span.end));
}
