//! Masks one direction's operations, frame by frame.

use std::collections::BTreeMap;

use super::content::Content;
use super::frame::{
    CONTINUATION, DATA, END_STREAM, Frame, GOAWAY, HEADER, HEADERS, PUSH_PROMISE, RST_STREAM,
};
use super::gathered::Gathered;
use super::heads::Fields;
use super::hpack::{Decoder, Field, mask};
use super::prefixes::{BLANK, Prefixes};
use super::reader::{Reader, Step};
use super::streams::MAX_STREAMS;
use super::window::Window;
use crate::connection::{Chunk, Moment};
use crate::protocol::redact::Pseudonym;

/// Bytes of a RST_STREAM's or a GOAWAY's payload that stay.
const CONTROL: u64 = 8;

/// The state of one direction.
#[derive(Clone, Debug)]
pub(super) struct Mask {
    reader: Reader,
    decoder: Decoder,
    ids: Pseudonym,
    frame: Option<Open>,
    block: Option<Gathered>,
    /// Every frame was seen, so that where one begins is known for sure.
    whole: bool,
    /// Those that carry gRPC.
    streams: BTreeMap<u32, Prefixes>,
    /// Bytes of a frame header or a header block that are not whole, which nobody has been told yet.
    pending: Vec<u8>,
    /// So many at most.
    limit: usize,
    /// Streams that header blocks of the operation are of.
    pub(super) begun: Vec<u32>,
    /// Streams that ended, and whether they were reset.
    pub(super) over: Vec<(u32, bool)>,
}

/// The frame under way.
#[derive(Clone, Copy, Debug)]
struct Open {
    frame: Frame,
    content: Content,
    /// Bytes of the payload that have come.
    come: u64,
}

impl Mask {
    /// `ids`: how ids are told; `limit`: bytes that may wait for the rest of their header block.
    pub(super) fn new(reader: Reader, fresh: bool, ids: &Pseudonym, limit: usize) -> Self {
        Self {
            reader,
            decoder: Decoder::new(fresh),
            ids: ids.clone(),
            frame: None,
            block: None,
            whole: fresh,
            streams: BTreeMap::new(),
            pending: vec![],
            limit,
            begun: vec![],
            over: vec![],
        }
    }

    /// Bytes that it has been given and has not told.
    pub(super) fn withheld(&self) -> usize {
        self.pending.len()
    }

    /// As [`super::Engine::body_left`].
    pub(super) fn body_left(&self) -> u64 {
        self.reader.payload_left()
    }

    /// Masks the next operation. What comes out begins with what was withheld before, and lacks what is
    /// withheld now. The bytes from its beginning on, those from its end, and how many come from before.
    pub(super) fn operation(&mut self, chunk: &Chunk<'_>) -> (Vec<u8>, Vec<u8>, usize) {
        let mut bytes = std::mem::take(&mut self.pending);
        if !self.reader.continues(chunk.position, bytes.len() as u64) {
            // They are lost: what comes is not what they wait for.
            bytes.clear();
        }
        let before = bytes.len();
        bytes.extend_from_slice(chunk.head);
        let head = bytes.len();
        bytes.extend_from_slice(chunk.tail);
        let known = bytes.clone();
        let (first, last) = known.split_at(head);
        let window = self.reader.admit(&Chunk {
            at: chunk.at,
            position: chunk.position.saturating_sub(before as u64),
            len: chunk.len.saturating_add(before as u64),
            head: first,
            tail: last,
        });
        let hides = chunk.len > (chunk.head.len() + chunk.tail.len()) as u64;
        self.walk(window, &mut bytes);
        let told = self.told(bytes.len(), if hides { head } else { 0 }).unwrap_or_else(|| {
            self.cut(&mut bytes);
            bytes.len()
        });
        self.pending = known.get(told..).unwrap_or_default().to_vec();
        bytes.truncate(told);
        let tail = bytes.split_off(head.min(told));
        (bytes, tail, before)
    }

    /// How many of the bytes at hand can be told. Where the others begin, at `least` or behind, things are
    /// again as they were there. `None` if they cannot wait.
    fn told(&mut self, all: usize, least: usize) -> Option<usize> {
        let begun = self.block.as_ref().and_then(|block| block.begun.clone());
        let from = match &begun {
            Some((from, ..)) => *from,
            None if self.whole => all,
            // Perhaps it is none, but something secret.
            None => all.saturating_sub(self.reader.header_come()),
        };
        if from < least || all.saturating_sub(from) > self.limit {
            return None;
        }
        match begun {
            Some((_, reader, frame)) => {
                self.frame = Some(Open { frame, content: Content::default(), come: 0 });
                self.block = Some(Gathered::new(frame, 0, Some((0, reader.clone(), frame))));
                self.reader = reader;
            }
            None if self.whole => {}
            None => self.reader.unread_header(),
        }
        Some(from)
    }

    /// The rest of a header block under way cannot be waited for, or is not known: what is whole of it is
    /// masked, and that is all.
    fn cut(&mut self, bytes: &mut [u8]) {
        let Some(mut block) = self.block.take().filter(|block| block.is_at_hand()) else { return };
        if self.frame.is_some() {
            block.cut(bytes.len());
        }
        self.finish(&block.places, bytes);
        self.decoder.lose();
        (block.over, block.begun) = (true, None);
        self.block = Some(block);
    }

    /// Follows the frames of an operation, whose known bytes these are, and masks them.
    fn walk(&mut self, mut window: Window<'_>, bytes: &mut [u8]) {
        let all = bytes.len();
        // What came before.
        let again = all.saturating_sub(window.known());
        bytes.iter_mut().take(again).for_each(|byte| *byte = BLANK);
        loop {
            let from = all.saturating_sub(window.known());
            let step = self.reader.step(&mut window, Moment::default());
            let to = all.saturating_sub(window.known());
            let Some(used) = bytes.get_mut(from..to) else { return };
            match step {
                None => {
                    if self.reader.is_seeking() {
                        used.fill(BLANK);
                    }
                    return;
                }
                Some(Step::Begun { frame, .. }) => {
                    if frame.kind > CONTINUATION
                        && !self.whole
                        && let Some(rest) = used.last_chunk_mut::<{ HEADER - 4 }>()
                    {
                        // Perhaps it is no frame.
                        rest.fill(0);
                    }
                    let reader = self.reader.at(&window);
                    self.begin(frame, to, reader, bytes);
                }
                Some(Step::Bytes(_)) => self.payload(from, to, bytes),
                Some(Step::Unseen(count)) => self.unseen(count, bytes),
                Some(Step::Over) => self.over(to, bytes),
                Some(Step::Lost(_)) => {
                    used.fill(BLANK);
                    self.lose(to, bytes);
                }
            }
        }
    }

    fn begin(&mut self, frame: Frame, at: usize, reader: Reader, bytes: &mut [u8]) {
        match (frame.kind, &mut self.block) {
            (CONTINUATION, Some(block)) if block.stream == frame.stream => block.go_on(frame, at),
            (CONTINUATION, _) => self.decoder.lose(),
            (kind, _) => {
                if let Some(cut) = self.block.take() {
                    cut.blank(bytes, at.saturating_sub(HEADER));
                    self.decoder.lose();
                }
                if matches!(kind, HEADERS | PUSH_PROMISE) {
                    self.block = Some(Gathered::new(frame, at, Some((at, reader, frame))));
                }
            }
        }
        self.frame = Some(Open { frame, content: Content::default(), come: 0 });
    }

    fn payload(&mut self, from: usize, to: usize, bytes: &mut [u8]) {
        let Some(used) = bytes.get_mut(from..to) else { return };
        let Some(open) = &mut self.frame else { return used.fill(BLANK) };
        let before = open.come;
        open.come = before.saturating_add(used.len() as u64);
        match open.frame.kind {
            HEADERS | PUSH_PROMISE | CONTINUATION => match &mut self.block {
                Some(block) if !block.over => {}
                _ => used.fill(0),
            },
            DATA => {
                let (first, count) = open.content.take(open.frame, Ok(used));
                let (_, content) = used.split_at_mut(first.min(used.len()));
                let count =
                    usize::try_from(count).map_or(content.len(), |it| it.min(content.len()));
                let (content, padding) = content.split_at_mut(count);
                padding.fill(0);
                match self.streams.get_mut(&open.frame.stream) {
                    Some(prefixes) => prefixes.mask(content),
                    None => content.fill(BLANK),
                }
            }
            RST_STREAM | GOAWAY => {
                let kept = CONTROL.saturating_sub(before) as usize;
                used.iter_mut().skip(kept).for_each(|byte| *byte = 0);
            }
            _ => used.fill(0),
        }
    }

    fn unseen(&mut self, count: u64, bytes: &mut [u8]) {
        let Some(open) = &mut self.frame else { return };
        open.come = open.come.saturating_add(count);
        match open.frame.kind {
            HEADERS | PUSH_PROMISE | CONTINUATION => {
                self.cut(bytes);
            }
            DATA => {
                let (_, count) = open.content.take(open.frame, Err(count));
                if let Some(prefixes) = self.streams.get_mut(&open.frame.stream) {
                    prefixes.unseen(count);
                }
            }
            _ => {}
        }
    }

    /// The frame under way is over, with this byte.
    fn over(&mut self, at: usize, bytes: &mut [u8]) {
        let Some(Open { frame, .. }) = self.frame.take() else { return };
        match frame.kind {
            HEADERS | PUSH_PROMISE | CONTINUATION => {
                let Some(mut block) = self.block.take() else { return };
                if !block.over {
                    block.frame_over(at, bytes);
                }
                if !block.last {
                    self.block = Some(block);
                    return;
                }
                if !block.over {
                    self.stream(&block, bytes);
                }
                if block.ends_stream {
                    self.end(block.stream, false);
                }
            }
            DATA if frame.has(END_STREAM) => self.end(frame.stream, false),
            RST_STREAM => self.end(frame.stream, true),
            _ => {}
        }
    }

    fn end(&mut self, stream: u32, reset: bool) {
        self.streams.remove(&stream);
        self.over.push((stream, reset));
    }

    /// A header block is whole.
    fn stream(&mut self, block: &Gathered, bytes: &mut [u8]) {
        let fields = self.finish(&block.places, bytes);
        let Some(fields) = fields.filter(|_| !block.promised) else { return };
        self.begun.push(block.stream);
        if Fields(&fields).rpc().is_some() {
            if self.streams.len() >= MAX_STREAMS {
                self.streams.pop_first();
            }
            self.streams.insert(block.stream, Prefixes::default());
        }
    }

    /// Masks the bytes of a header block, which are in these places. Its fields, if it is whole.
    fn finish(&mut self, places: &[(usize, usize)], bytes: &mut [u8]) -> Option<Vec<Field>> {
        let mut whole: Vec<u8> = places
            .iter()
            .flat_map(|(from, to)| bytes.get(*from..*to).unwrap_or_default())
            .copied()
            .collect();
        let (fields, complete) = mask(&mut self.decoder, &mut whole, &self.ids);
        let mut masked = whole.iter();
        for (from, to) in places {
            let place = bytes.get_mut(*from..*to).unwrap_or_default();
            place.iter_mut().zip(&mut masked).for_each(|(to, from)| *to = *from);
        }
        complete.then_some(fields)
    }

    fn lose(&mut self, at: usize, bytes: &mut [u8]) {
        if let Some(cut) = self.block.take() {
            cut.blank(bytes, at);
        }
        self.decoder.lose();
        self.whole = false;
        self.frame = None;
        self.streams.values_mut().for_each(|prefixes| prefixes.unseen(u64::MAX));
    }
}
