//! One TCP connection: both directions, and what they say.
//!
//! ```text
//! Opening -> Decoded -> closed
//!    |
//!    +-----> Other
//! ```

use std::collections::VecDeque;

use tracer_common::record::{VERDICT_BACKING, VERDICT_HTTP};

use crate::replay::Input;

use super::counts::{Count, Counts};
use super::half::{Half, Piece, Step};
use super::opening::{Opening, Verdict};
use super::records::Server;
use super::segment::{End, Segment};
use super::servers::Servers;

/// What later segments need.
pub(super) struct Context<'a> {
    pub(super) servers: &'a mut Servers,
    pub(super) counts: &'a mut Counts,
    pub(super) out: &'a mut VecDeque<Input>,
}

#[derive(Debug)]
enum Speech {
    Opening(Opening),
    Decoded { client: usize, server: Box<Server> },
    Other,
}

/// A connection; its ends are 0 and 1.
#[derive(Debug)]
pub(super) struct Conversation {
    ends: [End; 2],
    halves: [Half; 2],
    /// The end that sent the SYN.
    opener: Option<usize>,
    speech: Speech,
    /// It is over; only a new one can follow.
    closed: bool,
    last: u64,
}

impl Conversation {
    pub(super) fn new(ends: [End; 2]) -> Self {
        Self {
            ends,
            halves: Default::default(),
            opener: None,
            speech: Speech::Opening(Opening::default()),
            closed: false,
            last: 0,
        }
    }

    /// Whether this segment, sent by end `from`, begins another connection on the same addresses: a
    /// SYN with another sequence number than the one before.
    pub(super) fn is_succeeded_by(&self, from: usize, segment: &Segment<'_>) -> bool {
        let [this, other] = if from == 0 { [0, 1] } else { [1, 0] }.map(|end| &self.halves[end]);
        if !segment.syn {
            return false;
        }
        match this.syn() {
            Some(syn) => syn != segment.sequence,
            // A late answer to the SYN may come after what it allows.
            None if segment.acknowledged.is_some() => self.closed || this.is_begun(),
            None => self.closed || this.is_begun() || other.is_begun() && !other.is_fresh(),
        }
    }

    /// Takes a segment, sent by end `from`.
    pub(super) fn segment(
        &mut self,
        from: usize,
        segment: &Segment<'_>,
        time: u64,
        context: &mut Context<'_>,
    ) {
        self.last = time;
        if self.closed {
            return;
        }
        let to = 1 - from;
        if segment.syn {
            self.opening(from, segment);
        }
        if let Some(number) = segment.acknowledged {
            let mut steps = vec![];
            self.halves[to].acknowledge(number, &mut steps, context.counts);
            if segment.len > 0 {
                self.halves[to].answered(time, &mut steps, context.counts);
            }
            self.go(to, steps, context);
        }
        if segment.len > 0 || segment.fin {
            if matches!(self.speech, Speech::Other) {
                return;
            }
            let sequence = segment.sequence.wrapping_add(segment.syn.into());
            let bytes = segment.bytes.to_vec();
            let piece = Piece { time, position: 0, len: segment.len.into(), bytes };
            let mut steps = vec![];
            let half = &mut self.halves[from];
            half.segment(sequence, piece, segment.fin, &mut steps, context.counts);
            self.go(from, steps, context);
        }
        let over = self.halves.iter().all(Half::has_ended);
        if segment.rst || over {
            self.close(time, context);
        }
    }

    /// Hands on what waits for missing bytes.
    pub(super) fn flush(&mut self, context: &mut Context<'_>) {
        for end in [0, 1] {
            let mut steps = vec![];
            self.halves[end].flush(&mut steps, context.counts);
            self.go(end, steps, context);
        }
    }

    /// It is over.
    pub(super) fn close(&mut self, time: u64, context: &mut Context<'_>) {
        if self.closed {
            return;
        }
        self.flush(context);
        self.closed = true;
        if let Speech::Decoded { server, .. } = &self.speech {
            context.out.push_back(server.closed(time));
        }
    }

    /// Whether it is over.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        self.halves.iter().map(Half::waiting).sum()
    }

    /// When its last segment was seen.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    fn opening(&mut self, from: usize, segment: &Segment<'_>) {
        self.halves[from].begin(segment.sequence);
        match segment.acknowledged {
            // The answer tells the other side's SYN as well.
            Some(number) => {
                self.halves[1 - from].begin(number.wrapping_sub(1));
                self.opener.get_or_insert(1 - from);
            }
            None => {
                self.opener.get_or_insert(from);
            }
        }
    }

    /// Passes on what an end's direction handed on.
    fn go(&mut self, end: usize, steps: Vec<Step>, context: &mut Context<'_>) {
        for step in steps {
            match step {
                Step::Piece(piece) => self.piece(end, piece, context),
                Step::End { time } => {
                    if let Speech::Decoded { client, server } = &self.speech {
                        context.out.push_back(match end == *client {
                            true => server.end_of_stream(time),
                            false => server.send_closed(time),
                        });
                    }
                }
            }
        }
    }

    fn piece(&mut self, end: usize, piece: Piece, context: &mut Context<'_>) {
        match &mut self.speech {
            Speech::Opening(opening) => {
                let first = piece.position == 0;
                let verdict =
                    opening.look(end, self.ends, &piece, self.opener, first, context.counts);
                let decoded = match verdict {
                    Verdict::Open => return opening.keep(end, piece, context.counts),
                    Verdict::Other => {
                        self.speech = Speech::Other;
                        return;
                    }
                    Verdict::Http { client } => (client, VERDICT_HTTP),
                    Verdict::Backing { client } => (client, VERDICT_BACKING),
                };
                let kept = opening.take();
                let first = kept.as_ref().map_or(piece.time, |(_, kept)| kept.time);
                self.decide(decoded, first, context);
                if let Some((end, kept)) = kept {
                    self.data(end, &kept, context);
                }
                self.data(end, &piece, context);
            }
            Speech::Decoded { .. } => self.data(end, &piece, context),
            Speech::Other => {}
        }
    }

    fn decide(&mut self, (client, verdict): (usize, u32), time: u64, context: &mut Context<'_>) {
        let (local, remote) = (self.ends[1 - client], self.ends[client]);
        let Some((pid, process)) = context.servers.process(local) else {
            context.counts.add(Count::Servers);
            self.speech = Speech::Other;
            return;
        };
        let [receives, sends] = [client, 1 - client].map(|end| self.halves[end].base());
        let (receive_base, send_base) = context.servers.bases(receives, sends);
        let opened = self.opener == Some(1 - client);
        let server = Server {
            pid,
            verdict,
            datagrams: false,
            cookie: context.servers.cookie(),
            local,
            remote,
            opened,
            midstream: !self.halves.iter().all(Half::is_fresh),
            send_base,
            receive_base,
            sent: 0,
            received: 0,
        };
        context.out.extend(process);
        context.out.push_back(server.connection(time));
        self.speech = Speech::Decoded { client, server: Box::new(server) };
    }

    fn data(&mut self, end: usize, piece: &Piece, context: &mut Context<'_>) {
        if let Speech::Decoded { client, server } = &mut self.speech {
            server.data(end != *client, piece, context.out);
        }
    }
}
