//! One direction of a connection as messages.

use super::{Calls, Dialect, Found, Message, Split};
use crate::connection::{Chunk, Moment};
use crate::protocol::http1::Direction;
use crate::protocol::http2::window::{Run, Window};

/// Most bytes that it takes to tell how long a message is.
const MAX_BEGINNING: usize = 64 * 1024;
/// Bytes of a message for which room is kept.
const KEPT: usize = 4096;
/// Bytes at an operation's end that are looked at where it is not known where messages begin.
const TAIL: usize = 128;

/// Where the reader is in its stream.
///
/// ```text
///            split              last byte
/// Between ----------> Within ---------------> Between
///    |                  |
///    +---- unseen ------+----> Lost ---- begins, ends ----> Between
/// ```
#[derive(Debug)]
enum Place {
    /// A message begins, or has begun with the bytes that were kept.
    Between,
    /// In a message of which so many bytes are still to come.
    Within { length: u64, want: usize, left: u64 },
    /// Nobody knows where the next message begins.
    Lost,
}

/// One direction.
#[derive(Debug)]
pub(super) struct Reader {
    of: Direction,
    place: Place,
    /// Of the message under way.
    kept: Vec<u8>,
    position: u64,
    first: Moment,
    /// Position behind the last byte that was read; `None` before the first.
    next: Option<u64>,
}

impl Reader {
    /// `fresh`: the stream is seen from its first byte on.
    pub(super) fn new(of: Direction, fresh: bool) -> Self {
        Self {
            of,
            place: if fresh { Place::Between } else { Place::Lost },
            kept: vec![],
            position: 0,
            first: Moment::default(),
            next: fresh.then_some(0),
        }
    }

    /// How many bytes of the message under way are known to come.
    pub(super) fn left(&self) -> u64 {
        if let Place::Within { left, .. } = self.place { left } else { 0 }
    }

    /// Takes one operation.
    pub(super) fn operation(
        &mut self,
        chunk: &Chunk<'_>,
        dialect: &mut dyn Dialect,
        found: &mut Vec<Found>,
    ) {
        let mut window = Window::new(chunk, self.next);
        while let Some(run) = window.run() {
            match run {
                Run::Unseen(bytes) => self.unseen(bytes, &mut window, chunk, dialect, found),
                Run::Known(bytes) => self.known(bytes, &mut window, chunk, dialect, found),
            }
        }
        self.next = Some(window.end());
        if let Place::Lost = self.place
            && dialect.ends(self.of, tail(chunk), chunk.at, &mut Calls::new(found))
        {
            self.between();
        }
    }

    fn between(&mut self) {
        self.place = Place::Between;
        self.forget();
    }

    fn forget(&mut self) {
        self.kept.clear();
        self.kept.shrink_to(KEPT);
    }

    fn lose(&mut self, at: Moment, dialect: &mut dyn Dialect, found: &mut Vec<Found>) {
        self.place = Place::Lost;
        self.forget();
        dialect.lost(self.of, at, &mut Calls::new(found));
    }

    fn unseen(
        &mut self,
        bytes: u64,
        window: &mut Window<'_>,
        chunk: &Chunk<'_>,
        dialect: &mut dyn Dialect,
        found: &mut Vec<Found>,
    ) {
        match &mut self.place {
            Place::Within { left, want, .. } => {
                let taken = bytes.min(*left);
                // What comes behind does not follow what was kept.
                *want = self.kept.len();
                *left -= taken;
                window.skip(taken);
                self.finish(chunk.at, dialect, found);
            }
            Place::Between => {
                self.lose(chunk.at, dialect, found);
                window.seek();
            }
            Place::Lost => window.seek(),
        }
    }

    fn known(
        &mut self,
        bytes: &[u8],
        window: &mut Window<'_>,
        chunk: &Chunk<'_>,
        dialect: &mut dyn Dialect,
        found: &mut Vec<Found>,
    ) {
        match &mut self.place {
            Place::Within { want, left, .. } => {
                let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                let room = want.saturating_sub(self.kept.len());
                self.kept.extend(bytes.iter().take(taken.min(room)));
                *left -= taken as u64;
                window.skip(taken as u64);
                self.finish(chunk.at, dialect, found);
            }
            Place::Between => {
                if self.kept.is_empty() {
                    (self.position, self.first) = (window.position(), chunk.at);
                }
                self.begin(bytes, window, chunk.at, dialect, found);
            }
            Place::Lost if window.at_start() && dialect.begins(self.of, bytes) => self.between(),
            Place::Lost => window.finish(),
        }
    }

    /// Takes bytes of a message of which it is not known how long it is.
    fn begin(
        &mut self,
        bytes: &[u8],
        window: &mut Window<'_>,
        at: Moment,
        dialect: &mut dyn Dialect,
        found: &mut Vec<Found>,
    ) {
        let before = self.kept.len();
        let split = if before == 0 {
            dialect.split(self.of, bytes)
        } else {
            let room = MAX_BEGINNING.saturating_sub(before);
            self.kept.extend(bytes.iter().take(room));
            dialect.split(self.of, &self.kept)
        };
        match split {
            Split::More if before + bytes.len() < MAX_BEGINNING => {
                if before == 0 {
                    self.kept.extend(bytes);
                }
                window.skip(bytes.len() as u64);
            }
            Split::Message { length, want } if length > before as u64 => {
                let here = (length - before as u64).min(bytes.len() as u64);
                let left = length - before as u64 - here;
                if left == 0 && before == 0 {
                    // Nearly all of them: nothing is copied.
                    let shown = bytes.get(..want.min(here as usize)).unwrap_or(bytes);
                    let (position, first) = (self.position, self.first);
                    let message = Message { bytes: shown, length, position, first, last: at };
                    window.skip(here);
                    dialect.message(self.of, &message, &mut Calls::new(found));
                    return;
                }
                if before == 0 {
                    self.kept.extend(bytes.iter().take((here as usize).min(want)));
                } else {
                    self.kept.truncate((before + here as usize).min(want));
                }
                self.place = Place::Within { length, want, left };
                window.skip(here);
                self.finish(at, dialect, found);
            }
            _ => {
                found.push(Found::Malformed);
                self.lose(at, dialect, found);
                window.finish();
            }
        }
    }

    /// Hands on the message under way, if its last byte has come.
    fn finish(&mut self, at: Moment, dialect: &mut dyn Dialect, found: &mut Vec<Found>) {
        let Place::Within { length, left: 0, .. } = self.place else { return };
        let (position, first) = (self.position, self.first);
        let message = Message { bytes: &self.kept, length, position, first, last: at };
        dialect.message(self.of, &message, &mut Calls::new(found));
        self.between();
    }
}

/// The last bytes of an operation; none where they were not copied.
fn tail<'a>(chunk: &Chunk<'a>) -> &'a [u8] {
    let bytes = match chunk.tail {
        [] if chunk.head.len() as u64 == chunk.len => chunk.head,
        tail => tail,
    };
    bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default()
}
