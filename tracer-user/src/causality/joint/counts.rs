//! How many calls of one key a request of a route makes.

use std::ops::Range;

/// Numbers below are told apart; above, there are four ranges to an octave.
const EXACT: usize = 8;
/// As many as ranges begin below [`MOST`].
const RANGES: usize = EXACT + 4 * 3;
/// More are counted as so many.
const MOST: usize = 64;
/// How often a call goes on when the response is written, before any was seen.
const OUTLIVES: f32 = 0.02;
/// So many calls weigh as much as what is assumed before any.
const DOUBT: f32 = 1.0;

/// Of one key.
#[derive(Debug)]
pub(super) struct Counts {
    /// Requests, by the range in which their number is; those with none are not counted.
    seen: [f32; RANGES],
    calls: f32,
    outlive: f32,
    /// Calls that were made when one had just ended and no others went on, and when some did.
    beside: [f32; 2],
    /// Of a number, as a share of that of none; and that it is so many or more.
    likely: [f32; RANGES],
    so_far: [f32; RANGES],
    outlives: f32,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            seen: [0.0; RANGES],
            calls: 0.0,
            outlive: 0.0,
            beside: [0.0; 2],
            likely: [1.0; RANGES],
            so_far: [1.0; RANGES],
            outlives: OUTLIVES,
        }
    }
}

/// The range of a number.
fn range(number: usize) -> usize {
    let number = number.min(MOST - 1);
    let octave = number.checked_ilog2().unwrap_or(0) as usize;
    if number < EXACT { number } else { EXACT + 4 * (octave - 3) + (number >> (octave - 2)) % 4 }
}

/// The numbers of a range.
fn numbers(range: usize) -> Range<usize> {
    let Some(above) = range.checked_sub(EXACT) else { return range..range + 1 };
    let width = 2 << (above / 4);
    let first = (4 + above % 4) * width;
    first..first + width
}

/// How likely a number of calls is where the mean is known and requests act alike as far as that
/// allows; else it would be as good an explanation that half of the requests make the calls of two.
fn regular(mean: f32, number: usize) -> f32 {
    let off = (number as f32 - mean).abs();
    let more = mean.max(1.0) / (mean.max(1.0) + 1.0);
    0.9 * (1.0 - off).max(0.0) + 0.1 * (1.0 - more) * more.powi(number as i32)
}

impl Counts {
    /// Counts a request with this number of calls, `outlive` of which went on when the response was
    /// written; a negative `sign` takes it back.
    pub(super) fn learn(&mut self, number: u8, outlive: u8, sign: f32) {
        let number = usize::from(number);
        let seen = self.seen.get_mut(range(number));
        let sums = [(&mut self.calls, number as f32), (&mut self.outlive, f32::from(outlive))];
        for (sum, much) in seen.map(|seen| (seen, 1.0)).into_iter().chain(sums) {
            *sum = (*sum + sign * much).max(0.0);
        }
    }

    /// Counts a call that was made when one had just ended while others went on or not; a negative
    /// `sign` takes it back.
    pub(super) fn learn_beside(&mut self, others: bool, sign: f32) {
        let seen = &mut self.beside[usize::from(others)];
        *seen = (*seen + sign).max(0.0);
    }

    /// How likely others go on, or do not, when a call is made and one has just ended. Without that,
    /// a request that makes one call after the other might as well make those of several.
    pub(super) fn beside(&self, others: bool) -> f32 {
        let all: f32 = self.beside.iter().sum();
        (self.beside[usize::from(others)] + DOUBT / 2.0) / (all + DOUBT)
    }

    /// Makes what was counted count, of `requests` requests with about `usual` calls each, of which
    /// `sameness` weigh as much as that all do alike. Returns how likely none is.
    pub(super) fn refresh(&mut self, requests: f32, usual: f32, sameness: f32) -> f32 {
        let mean = (self.calls + DOUBT * usual) / (requests + DOUBT);
        let mut seen = self.seen;
        seen[0] = (requests - seen.iter().sum::<f32>()).max(0.0);
        for (range, seen) in seen.iter_mut().enumerate() {
            *seen += sameness * numbers(range).map(|number| regular(mean, number)).sum::<f32>();
        }
        let all: f32 = seen.iter().sum();
        let mut more = all;
        for (range, seen_so) in seen.iter().enumerate() {
            let each = seen_so / numbers(range).len() as f32;
            self.likely[range] = each / seen[0];
            self.so_far[range] = more / all;
            more -= seen_so;
        }
        let outlives = (self.outlive + DOUBT * OUTLIVES) / (self.calls + DOUBT);
        self.outlives = outlives.clamp(0.001, 0.999);
        seen[0] / all
    }

    /// How likely this number is, as a share of how likely none is.
    pub(super) fn likely(&self, number: u8) -> f32 {
        self.likely.get(range(usize::from(number))).copied().unwrap_or(1.0)
    }

    /// How likely so many or more are.
    pub(super) fn so_far(&self, number: u8) -> f32 {
        self.so_far.get(range(usize::from(number))).copied().unwrap_or(1.0)
    }

    /// How likely so many of some calls go on when the response is written.
    pub(super) fn outlives(&self, number: u8, outlive: u8) -> f32 {
        let rest = number.saturating_sub(outlive);
        self.outlives.powi(i32::from(outlive)) * (1.0 - self.outlives).powi(i32::from(rest))
    }

    /// Halves the weight of what was counted so far.
    pub(super) fn fade(&mut self) {
        let all = self.seen.iter_mut().chain(&mut self.beside);
        let all = all.chain([&mut self.calls, &mut self.outlive]);
        all.for_each(|value| *value /= 2.0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, MOST, RANGES, numbers, range};

    #[test]
    fn every_number_is_in_its_range() {
        for number in 0..MOST {
            assert!(numbers(range(number)).contains(&number), "{number}");
        }
        assert_eq!((range(MOST - 1), range(usize::MAX)), (RANGES - 1, RANGES - 1));
    }

    #[test]
    fn no_request_makes_the_calls_of_all() {
        let mut counts = Counts::default();
        (0..100).for_each(|nth| counts.learn(1 + nth % 11, 0, 1.0));
        counts.refresh(100.0, 6.0, 20.0);
        assert!(counts.likely(9) > 20.0 * counts.likely(40));
        (0..100).for_each(|nth| counts.learn(1 + nth % 11, 0, -1.0));
        counts.refresh(0.0, 6.0, 20.0);
        assert!(counts.likely(6) > counts.likely(9));
    }
}
