//! One connection whose operations are masked.

use tracer_common::head::look_at;

use crate::connection::{Chunk, Info, Moment, Stream};
use crate::exchange::{Held, Reorder, Side, side};
use crate::protocol::http1::{Direction, Masking};

/// What blanked bytes become; no message begins with it.
const BLANK: u8 = b'x';

/// The bytes of an operation, masked: its first ones and its last ones.
pub(super) type Bytes = (Vec<u8>, Vec<u8>);

/// What is kept of a connection.
#[derive(Debug, Default)]
pub(super) struct Masked {
    http: Option<(Side, Box<Masking>)>,
    /// Receives that wait for the send that they answer, as in the exchange stage.
    pub(super) reorder: Reorder,
    /// The connection as it will be when those have had their turn, on a guess.
    guess: Option<Guess>,
}

#[derive(Debug)]
struct Guess {
    http: Option<(Side, Box<Masking>)>,
    received: Stream,
}

impl Masked {
    /// Takes an operation whose turn it is. `new`: what each connection begins with.
    pub(super) fn operation(
        &mut self,
        info: Option<&Info>,
        sent: bool,
        chunk: &Chunk<'_>,
        new: &Masking,
    ) -> Bytes {
        operation(&mut self.http, info, sent, chunk, new, false)
    }

    /// Masks a receive that has to wait. In what it answers there may be a HEAD, after which other
    /// bytes mean other things; then more is blanked than need be.
    pub(super) fn guess(
        &mut self,
        info: Option<&Info>,
        received: Stream,
        fresh: bool,
        held: &Held,
        new: &Masking,
    ) -> Bytes {
        let http = &self.http;
        let guess = self.guess.get_or_insert_with(|| Guess { http: http.clone(), received });
        let Held { record, head, tail, at } = held;
        let end = record.copied_seq.wrapping_sub(record.receive_base);
        let left = body_left(guess.http.as_ref());
        let position = guess.received.start_received(end, record.len, fresh, left);
        let chunk = Chunk { at: *at, position, len: record.len.into(), head, tail };
        operation(&mut guess.http, info, false, &chunk, new, true)
    }

    /// Some of what waited has had its turn.
    pub(super) fn settle(&mut self) {
        if self.reorder.is_empty() {
            self.guess = None;
        }
    }

    /// How many bytes the body under way in the received direction is known to go on.
    pub(super) fn body_left(&self) -> u64 {
        body_left(self.http.as_ref())
    }

    /// What was received up to `until` was not seen; up to where it has been taken.
    pub(super) fn pass(&mut self, until: u64, at: Moment) -> Option<u64> {
        let (side, masking) = self.http.as_mut()?;
        masking.pass(direction(*side, false), until, at)
    }

    /// No exchange is under way, and no receive waits.
    pub(super) fn is_idle(&self) -> bool {
        self.reorder.is_empty() && self.is_over()
    }

    /// No exchange is under way.
    pub(super) fn is_over(&self) -> bool {
        self.http.as_ref().is_none_or(|(_, masking)| masking.is_idle())
    }

    /// Forgets how far the connection was, as the exchange stage does.
    pub(super) fn abandon(&mut self) {
        self.http = None;
    }

    /// No more bytes will come in one direction. `sent`: this side's own.
    pub(super) fn close(&mut self, sent: bool, at: Moment) {
        if let Some((side, masking)) = &mut self.http {
            masking.close(direction(*side, sent), at);
        }
    }
}

fn body_left(http: Option<&(Side, Box<Masking>)>) -> u64 {
    http.map_or(0, |(side, masking)| masking.body_left(direction(*side, false)))
}

fn direction(of: Side, sent: bool) -> Direction {
    if sent == (of == Side::Client) { Direction::Request } else { Direction::Response }
}

fn operation(
    http: &mut Option<(Side, Box<Masking>)>,
    info: Option<&Info>,
    sent: bool,
    chunk: &Chunk<'_>,
    new: &Masking,
    early: bool,
) -> Bytes {
    let opener = info.and_then(|info| info.opener);
    let first = http.is_none();
    if first && let Some(side) = side(sent, chunk.head, opener) {
        *http = Some((side, Box::new(new.clone())));
    }
    let Some((side, masking)) = http else {
        return (vec![BLANK; chunk.head.len()], vec![BLANK; chunk.tail.len()]);
    };
    let direction = direction(*side, sent);
    if early && direction == Direction::Response {
        masking.expect_response();
    }
    // As in the exchange stage: the opener's SYN is no byte.
    let syn = u64::from(sent && opener == Some(true));
    let chunk = Chunk { position: chunk.position.saturating_sub(syn), ..*chunk };
    let (mut head, tail) = masking.operation(direction, &chunk);
    if first {
        show_start(chunk.head, &mut head);
    }
    (head, tail)
}

/// Puts back the first bytes that told which side this is.
fn show_start(bytes: &[u8], masked: &mut [u8]) {
    let shown = (0..=bytes.len().min(8)).find(|shown| {
        let start = bytes.iter().take(*shown).chain(masked.iter().skip(*shown)).take(8);
        look_at(&start.copied().collect::<Vec<_>>()) == look_at(bytes)
    });
    masked.iter_mut().zip(bytes).take(shown.unwrap_or(0)).for_each(|(to, from)| *to = *from);
}
