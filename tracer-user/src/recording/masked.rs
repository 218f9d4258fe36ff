//! One connection whose operations are masked.

use crate::connection::{Chunk, Info, Moment, Stream};
use crate::exchange::{Held, Reorder};
use crate::protocol::tls;

use super::speech::{Bytes, Fresh, Speech};

/// What is kept of a connection.
#[derive(Debug, Default)]
pub(super) struct Masked {
    speech: Speech,
    /// Receives that wait for the send that they answer, as in the exchange stage.
    pub(super) reorder: Reorder,
    /// The connection as it will be when those have had their turn, on a guess.
    guess: Option<Guess>,
    /// What was received and what was sent of TLS's hellos.
    hellos: [tls::Masking; 2],
}

#[derive(Debug)]
struct Guess {
    speech: Speech,
    received: Stream,
}

impl Masked {
    /// Takes an operation whose turn it is. `syn`: bytes that the sent stream counts although nobody
    /// sent them; `new`: what each connection begins with.
    pub(super) fn operation(
        &mut self,
        info: Option<&Info>,
        syn: u64,
        sent: bool,
        chunk: &Chunk<'_>,
        new: &Fresh,
    ) -> Bytes {
        let chunk = match sent {
            true => &Chunk { position: chunk.position.saturating_sub(syn), ..*chunk },
            false => chunk,
        };
        self.speech.operation(info, sent, chunk, new, false)
    }

    /// Masks what one side says of TLS before it encrypts.
    pub(super) fn hello(&mut self, sent: bool, piece: &[u8]) -> Vec<u8> {
        self.hellos[usize::from(sent)].piece(piece)
    }

    /// Masks a receive that has to wait. In what it answers there may be a HEAD, after which other
    /// bytes mean other things; then more is blanked than need be.
    pub(super) fn guess(
        &mut self,
        info: Option<&Info>,
        received: Stream,
        fresh: bool,
        held: &Held,
        new: &Fresh,
    ) -> Bytes {
        let speech = &self.speech;
        let guess = self.guess.get_or_insert_with(|| Guess { speech: speech.clone(), received });
        let Held { record, head, tail, at } = held;
        let end = record.copied_seq.wrapping_sub(record.receive_base);
        let left = guess.speech.body_left();
        let position = guess.received.start_received(end, record.len, fresh, left);
        let chunk = Chunk { at: *at, position, len: record.len.into(), head, tail };
        guess.speech.operation(info, false, &chunk, new, true)
    }

    /// Some of what waited has had its turn.
    pub(super) fn settle(&mut self) {
        if self.reorder.is_empty() {
            self.guess = None;
        }
    }

    /// How many bytes the body under way in the received direction is known to go on.
    pub(super) fn body_left(&self) -> u64 {
        self.speech.body_left()
    }

    /// Bytes that have moved in one direction, and that no record has told. `sent`: this side's own.
    pub(super) fn withheld(&self, sent: bool) -> usize {
        let guess = self.guess.as_ref().filter(|_| !sent);
        guess.map_or(&self.speech, |guess| &guess.speech).withheld(sent)
    }

    /// What was received up to `until` was not seen; up to where it has been taken.
    pub(super) fn pass(&mut self, until: u64, at: Moment) -> Option<u64> {
        self.speech.pass(until, at)
    }

    /// No exchange is under way, and no receive waits.
    pub(super) fn is_idle(&self) -> bool {
        self.reorder.is_empty() && self.is_over()
    }

    /// No exchange is under way.
    pub(super) fn is_over(&self) -> bool {
        self.speech.is_idle()
    }

    /// From now on nothing is shown.
    pub(super) fn blank_all(&mut self) {
        self.speech = Speech::Backing;
    }

    /// Forgets how far the connection was, as the exchange stage does.
    pub(super) fn abandon(&mut self) {
        self.speech = Speech::Unknown;
    }

    /// No more bytes will come in one direction. `sent`: this side's own.
    pub(super) fn close(&mut self, sent: bool, at: Moment) {
        self.speech.close(sent, at);
    }
}
