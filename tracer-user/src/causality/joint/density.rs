//! The distribution of one gap: counted in bins that grow with the gap, and smoothed the more the
//! fewer were seen nearby. Gaps are mixtures (a cache hit or not, a queue or none), so no family of
//! curves is assumed.

use super::kernel::narrowest;

/// Bins to an octave.
const STEPS: u64 = 8;
/// The shortest gap that is told apart from none is 2^10 ns, about a microsecond.
const LOWEST: u32 = 10;
/// From a microsecond to more than a minute.
const BINS: usize = 26 * STEPS as usize;
/// What is counted in a bin is spread so far that this many times the root of all observations are
/// within a bandwidth: sharp peaks stay sharp, and where little was seen, little is told apart.
const NEARBY: f32 = 2.0;
/// So many observations weigh as much as what is assumed before any.
const DOUBT: f32 = 2.0;

/// A bin's number.
pub(super) type Bin = u8;

/// Of one gap.
#[derive(Debug)]
pub(super) struct Density {
    counts: Box<[f32; BINS]>,
    total: f32,
    /// Per nanosecond, as of the last [`Density::refresh`].
    smooth: Box<[f32; BINS]>,
    trust: f32,
    stale: bool,
}

/// The bin of a gap in nanoseconds.
pub(super) fn bin(gap: u64) -> Bin {
    let gap = gap.max(1 << LOWEST);
    let octave = gap.ilog2();
    let step = (gap >> (octave - STEPS.ilog2())) & (STEPS - 1);
    let bin = u64::from(octave - LOWEST) * STEPS + step;
    bin.min(BINS as u64 - 1) as Bin
}

/// How many nanoseconds wide a bin is.
fn width(bin: usize) -> f32 {
    let octave = LOWEST + (bin / STEPS as usize) as u32;
    let width = (1u64 << octave) as f32 / STEPS as f32;
    if bin == 0 { (1u64 << LOWEST) as f32 + width } else { width }
}

impl Default for Density {
    fn default() -> Self {
        Self {
            counts: Box::new([0.0; BINS]),
            total: 0.0,
            smooth: Box::new([0.0; BINS]),
            trust: 0.0,
            stale: false,
        }
    }
}

impl Density {
    /// Counts a gap with a weight; a negative one takes back what was counted before.
    pub(super) fn add(&mut self, bin: Bin, weight: f32) {
        if let Some(count) = self.counts.get_mut(usize::from(bin)) {
            let before = *count;
            *count = (before + weight).max(0.0);
            self.total = (self.total + *count - before).max(0.0);
            self.stale = true;
        }
    }

    /// How much was counted.
    pub(super) fn total(&self) -> f32 {
        self.total
    }

    /// Halves the weight of what was counted so far.
    pub(super) fn fade(&mut self) {
        self.counts.iter_mut().for_each(|count| *count /= 2.0);
        self.total /= 2.0;
        self.stale = true;
    }

    /// Makes what was counted count.
    pub(super) fn refresh(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let mut up_to = [0.0; BINS + 1];
        for (at, count) in self.counts.iter().enumerate() {
            up_to[at + 1] = up_to[at] + count;
        }
        self.total = up_to[BINS];
        self.trust = self.total / (self.total + DOUBT);
        self.smooth.fill(0.0);
        if self.total <= 0.0 {
            return;
        }
        let nearby = NEARBY * self.total.sqrt();
        for (at, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            let within =
                |reach: usize| up_to[(at + reach + 1).min(BINS)] - up_to[at.saturating_sub(reach)];
            narrowest(|reach| within(reach) >= nearby).spread(at, *count, &mut self.smooth[..]);
        }
        for (i, smooth) in self.smooth.iter_mut().enumerate() {
            *smooth /= self.total * width(i);
        }
    }

    /// Per nanosecond, at a gap that lies in this bin and for which `assumed` is what would be
    /// believed if nothing had been seen.
    pub(super) fn at(&self, bin: Bin, assumed: f32) -> f32 {
        let seen = self.smooth.get(usize::from(bin)).copied().unwrap_or(0.0);
        self.trust * seen + (1.0 - self.trust) * assumed
    }
}

#[cfg(test)]
mod tests {
    use super::{BINS, Density, bin, width};

    #[test]
    fn bins_follow_one_another() {
        let mut last = 0;
        for gap in (0..24_000).map(|step| (1.001f64.powi(step) * 1000.0) as u64) {
            let bin = bin(gap);
            assert!(bin == last || bin == last + 1, "{gap}: {bin} after {last}");
            last = bin;
        }
        assert!(usize::from(last) < BINS && bin(u64::MAX) as usize == BINS - 1);
    }

    fn mass(density: &Density) -> f32 {
        (0..BINS).map(|i| density.at(i as u8, 0.0) * width(i)).sum()
    }

    #[test]
    fn it_is_a_density() {
        let mut density = Density::default();
        for gap in [50_000, 60_000, 2_000_000] {
            density.add(bin(gap), 1.0);
        }
        density.refresh();
        let all = mass(&density);
        assert!((all - 0.6).abs() < 0.01, "three of five are seen, two assumed: {all}");
        assert!(density.at(bin(55_000), 0.0) > 10.0 * density.at(bin(500_000), 0.0));
        density.add(bin(50_000), -1.0);
        assert!((density.total() - 2.0).abs() < 1e-6);
    }

    #[test]
    fn a_peak_stays_sharp_and_what_is_rare_is_blurred() {
        let mut density = Density::default();
        density.add(bin(40_000), 998.0);
        density.add(bin(5_000_000), 2.0);
        density.refresh();
        let at = |gap| density.at(bin(gap), 0.0);
        assert!(at(40_000) > 20.0 * at(60_000), "{} {}", at(40_000), at(60_000));
        assert!(at(5_000_000) < 4.0 * at(8_000_000), "{} {}", at(5_000_000), at(8_000_000));
        assert!((mass(&density) - 1.0).abs() < 0.01);
    }
}
