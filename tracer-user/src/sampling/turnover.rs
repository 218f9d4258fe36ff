//! Whether a store is large enough for all that comes.

use std::time::Duration;

/// Bytes that a span takes on the disk where nothing is known yet (docs/store.md: 66 measured).
const USUAL: f64 = 100.0;
/// Spans from which on a store says itself what they take.
const ENOUGH: u64 = 100_000;
/// What comes has to fall below this share of what there is room for, to be kept whole again.
const CALM: f64 = 0.7;

/// When traces are chosen among.
pub enum When {
    /// From the start.
    Always,
    /// While the size of a store would turn over within its age, as this tells its state.
    TurnsOver(Box<dyn FnMut() -> Room + Send>),
}

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes that the store may take.
    pub limit: u64,
    /// How long it shall keep spans.
    pub age: Duration,
    /// Spans that it holds.
    pub spans: u64,
    /// Bytes that they take.
    pub bytes: u64,
}

/// Watches what comes.
#[derive(Debug, Default)]
pub(super) struct Turnover {
    /// Spans a second; a mean that an age's 24th shapes.
    rate: f64,
    over: bool,
}

impl Turnover {
    /// So many spans came in the time that passed: would as many, all the time, take more than there
    /// is? A peak alone does not: what counts is the mean of about an hour where the age is a day.
    pub(super) fn is_over(&mut self, spans: u64, passed: Duration, room: &Room) -> bool {
        let (passed, shape) = (passed.as_secs_f64(), (room.age / 24).as_secs_f64());
        if passed <= 0.0 || shape <= 0.0 {
            return self.over;
        }
        let weight = 1.0 - (-passed / shape).exp();
        self.rate += (spans as f64 / passed - self.rate) * weight;
        let each = match room.spans {
            ENOUGH.. => room.bytes as f64 / room.spans as f64,
            _ => USUAL,
        };
        let needed = self.rate * each * room.age.as_secs_f64();
        let limit = room.limit as f64;
        self.over = needed > if self.over { limit * CALM } else { limit };
        self.over
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Room, Turnover};

    const HOUR: u64 = 3600;

    fn room(limit: u64) -> Room {
        Room { limit, age: Duration::from_secs(24 * HOUR), spans: 0, bytes: 0 }
    }

    /// Seconds of so many spans until it says so, or not within three hours.
    fn seconds_until(turnover: &mut Turnover, over: bool, spans: u64, room: &Room) -> Option<u64> {
        let second = Duration::from_secs(1);
        (1..3 * HOUR).find(|_| turnover.is_over(spans, second, room) == over)
    }

    #[test]
    fn what_fits_is_not_chosen_among() {
        // 1 GiB for a day of 100 bytes a span: 124 a second.
        let mut turnover = Turnover::default();
        assert_eq!(seconds_until(&mut turnover, true, 120, &room(1 << 30)), None);
        let after = seconds_until(&mut turnover, true, 1000, &room(1 << 30)).unwrap();
        assert!(after < HOUR / 10, "{after}");
        let calm = seconds_until(&mut turnover, false, 80, &room(1 << 30)).unwrap();
        assert!(calm > 60, "not at once: {calm}");
        assert_eq!(seconds_until(&mut turnover, true, 120, &room(1 << 30)), None);
    }

    #[test]
    fn a_store_knows_what_spans_take() {
        let small = Room { spans: 1_000_000, bytes: 20_000_000, ..room(1 << 30) };
        assert_eq!(seconds_until(&mut Turnover::default(), true, 600, &small), None);
    }
}
