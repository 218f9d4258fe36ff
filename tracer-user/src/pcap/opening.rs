//! Which end of a connection is HTTP's client, and whether it is HTTP at all.

use tracer_common::head::{Start, look_at};

use crate::protocol::http1::begins_request;
use crate::protocol::http2::{Sight, sight};

use super::counts::{Count, Counts};
use super::half::Piece;

/// How many pieces of a connection that was found in the middle are looked at, as on the kernel
/// side: a body is one long run of them.
const MAX_LOOKS: u32 = 256;

/// What is known.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Not yet.
    Open,
    /// The client is this end (0 or 1).
    Http { client: usize },
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
