//! How long things took, in little memory: counts of buckets that are 1/8 of a power of two wide, so
//! that a quantile is off by no more than 6 %.

use std::collections::BTreeMap;

/// Counts by bucket.
#[derive(Clone, Debug, Default)]
pub struct Durations(BTreeMap<u16, u32>);

impl Durations {
    /// One more of so many nanoseconds.
    pub fn add(&mut self, nanoseconds: u64) {
        let count = self.0.entry(bucket(nanoseconds)).or_default();
        *count = count.saturating_add(1);
    }

    /// Those of another one as well.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, more) in &other.0 {
            let count = self.0.entry(*bucket).or_default();
            *count = count.saturating_add(*more);
        }
    }

    /// The nanoseconds that this share of them (from 0 to 1) does not exceed; `None` if there are
    /// none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let rank = ((self.count() as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        self.0.iter().find_map(|(&bucket, &count)| {
            seen += u64::from(count);
            (seen >= rank).then(|| middle(bucket))
        })
    }

    /// Whether at least this share of them are of lesser buckets than so many nanoseconds, so that
    /// they are shorter for sure; not where there are none.
    #[must_use]
    pub fn are_mostly_below(&self, share: f64, nanoseconds: u64) -> bool {
        let below: u64 = self.0.range(..bucket(nanoseconds)).map(|(_, n)| u64::from(*n)).sum();
        below > 0 && below as f64 >= self.count() as f64 * share
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().map(|&count| u64::from(count)).sum()
    }

    /// Forgets half of them, evenly.
    pub fn halve(&mut self) {
        self.0.values_mut().for_each(|count| *count /= 2);
        self.0.retain(|_, count| *count > 0);
    }
}

fn bucket(nanoseconds: u64) -> u16 {
    let value = nanoseconds.max(8);
    let power = value.ilog2();
    (power * 8 + (value >> (power - 3) & 7) as u32) as u16
}

fn middle(bucket: u16) -> u64 {
    let (power, part) = (u32::from(bucket / 8), u64::from(bucket % 8));
    let low = u128::from(8 + part) << (power - 3);
    let high = u128::from(9 + part) << (power - 3);
    u64::try_from((low + high) / 2).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::Durations;

    #[test]
    fn quantiles_are_near() {
        let mut durations = Durations::default();
        assert_eq!(durations.quantile(0.5), None);
        (1..=10_000).for_each(|n| durations.add(n * 1_000));
        for (share, exact) in [(0.0, 1e3), (0.5, 5e6), (0.99, 9.9e6), (1.0, 1e7)] {
            let found = durations.quantile(share).unwrap() as f64;
            assert!((found / exact - 1.0).abs() <= 0.07, "{share}: {found} for {exact}");
        }
    }

    #[test]
    fn what_is_longer_than_most_is_known() {
        let mut durations = Durations::default();
        assert!(!durations.are_mostly_below(0.9, 1_000));
        (1..=100).for_each(|n| durations.add(n * 1_000));
        assert!(durations.are_mostly_below(0.99, 200_000));
        assert!(!durations.are_mostly_below(0.99, 90_000));
        assert!(!durations.are_mostly_below(0.99, 100_000), "its bucket has others");
        durations.halve();
        assert!(durations.count() <= 50 && durations.are_mostly_below(0.9, 200_000));
    }

    #[test]
    fn extremes_have_a_place() {
        let (mut durations, mut more) = (Durations::default(), Durations::default());
        durations.add(0);
        more.add(u64::MAX);
        durations.merge(&more);
        assert!(durations.quantile(0.5).unwrap() < 10);
        assert!(durations.quantile(1.0).unwrap() > u64::MAX / 16 * 15);
    }
}
