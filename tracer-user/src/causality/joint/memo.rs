//! Scores that were computed before: a sampler comes back to the same few combinations.

/// Entries; two of the same place drive each other out.
const SIZE: usize = 1 << 12;

/// By name.
#[derive(Debug)]
pub(super) struct Memo {
    entries: Box<[(u64, f64)]>,
}

impl Default for Memo {
    fn default() -> Self {
        Self { entries: vec![(0, 0.0); SIZE].into_boxed_slice() }
    }
}

/// What a number contributes to a name: names of sets are sums.
pub(super) fn mark(number: u32) -> u64 {
    // The finaliser of SplitMix64.
    let mix = (u64::from(number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mix = (mix ^ (mix >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mix = (mix ^ (mix >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mix ^ (mix >> 31)
}

impl Memo {
    pub(super) fn clear(&mut self) {
        self.entries.fill((0, 0.0));
    }

    pub(super) fn get(&self, name: u64) -> Option<f64> {
        let &(held, score) = self.entries.get(name as usize % SIZE)?;
        (held == name).then_some(score)
    }

    pub(super) fn put(&mut self, name: u64, score: f64) {
        if let Some(entry) = self.entries.get_mut(name as usize % SIZE) {
            *entry = (name, score);
        }
    }
}
