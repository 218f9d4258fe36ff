//! Which end of a connection is HTTP's client, and whether it is HTTP at all.

use tracer_common::backing::{ANSWERS, Beginning};
use tracer_common::head::{Start, look_at};

use crate::protocol::http1::begins_request;
use crate::protocol::http2::{Sight, sight};

use super::counts::{Count, Counts};
use super::half::Piece;
use super::segment::End;

/// How many pieces of a connection that was found in the middle are looked at, as on the kernel
/// side: a body is one long run of them.
const MAX_LOOKS: u32 = 256;

/// What is known.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Not yet.
    Open,
    /// HTTP, of which the client is this end (0 or 1).
    Http { client: usize },
    /// A protocol of a backing service, with the same.
    Backing { client: usize },
    /// It is something else.
    Other,
}

/// A connection's first bytes. A single H, which begins HEAD as well as HTTP, is kept back.
#[derive(Debug, Default)]
pub(super) struct Opening {
    kept: Option<(usize, Piece)>,
    looks: u32,
}

impl Opening {
    /// Looks at what an end has sent. `opener`: the end that sent the SYN; `first`: nothing was
    /// sent by this end before.
    pub(super) fn look(
        &mut self,
        end: usize,
        ends: [End; 2],
        piece: &Piece,
        opener: Option<usize>,
        first: bool,
        counts: &mut Counts,
    ) -> Verdict {
        let mut bytes = piece.bytes.get(..8).unwrap_or(&piece.bytes).to_vec();
        if let Some((before, kept)) = &self.kept
            && *before == end
            && kept.position + kept.len == piece.position
        {
            bytes = [&kept.bytes, &bytes[..]].concat();
        }
        let (this, other) = (Verdict::Http { client: end }, Verdict::Http { client: 1 - end });
        let start = look_at(&bytes);
        let is_http1 = !matches!(start, Start::Other | Start::Partial | Start::Preface);
        match sight(&piece.bytes).filter(|_| !is_http1) {
            Some(Sight::Preface | Sight::Request) => return this,
            Some(Sight::Response) => return other,
            Some(Sight::Settings) if first => return other,
            // Many bytes could be a frame.
            Some(Sight::Frames) if let Some(client) = backing(end, ends, piece) => {
                return Verdict::Backing { client };
            }
            Some(Sight::Settings | Sight::Frames) => {
                return opener.map_or(Verdict::Open, |client| Verdict::Http { client });
            }
            None => {}
        }
        match (start, &bytes[..]) {
            (Start::Request | Start::ConnectRequest | Start::ProxyPrefix, _) => this,
            (Start::Preface, _) => this,
            (Start::Response, _) => other,
            (Start::Other, _) if begins_request(&piece.bytes) => this,
            // Of these nothing was captured.
            (Start::Partial, []) => Verdict::Open,
            (Start::Other, _) => {
                if let Some(client) = backing(end, ends, piece) {
                    return Verdict::Backing { client };
                }
                self.looks += 1;
                if self.looks > MAX_LOOKS || (first && opener.is_some()) {
                    counts.add(Count::NotHttp);
                    return Verdict::Other;
                }
                Verdict::Open
            }
            (Start::Partial, [b'H']) => match opener {
                Some(client) => Verdict::Http { client },
                None => Verdict::Open,
            },
            (Start::Partial, [b'H', b'T', ..]) => other,
            (Start::Partial, _) => this,
        }
    }

    /// Keeps a piece that did not decide, if it may be the beginning of what does.
    pub(super) fn keep(&mut self, end: usize, piece: Piece, counts: &mut Counts) {
        if piece.bytes == b"H" {
            self.kept = Some((end, piece));
        } else {
            counts.add(Count::Undecided);
        }
    }

    /// What was kept.
    pub(super) fn take(&mut self) -> Option<(usize, Piece)> {
        self.kept.take()
    }
}

/// The end that is a backing service's client, if that is what the connection carries.
fn backing(end: usize, ends: [End; 2], piece: &Piece) -> Option<usize> {
    let [first, second] = ends.map(|(_, port)| port);
    let (sender, receiver) = if end == 0 { (first, second) } else { (second, first) };
    let found = Beginning::of(&piece.bytes, piece.len, sender, receiver).recognise();
    let client = if found & ANSWERS == 0 { end } else { 1 - end };
    (found != 0).then_some(client)
}
