//! How far a witness can be believed in one process: counted, not assumed.

/// A share that is learned while the process runs, from a first guess on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    yes: f64,
    all: f64,
}

/// Older observations fade so that this many weigh as much as all before them.
const MEMORY: f64 = 1000.0;

impl Share {
    /// Starts at `guess`, which weighs as much as `weight` observations.
    #[must_use]
    pub(super) fn guess(guess: f64, weight: f64) -> Self {
        Self { yes: guess * weight, all: weight }
    }

    /// Counts one observation.
    pub(super) fn observe(&mut self, yes: bool) {
        if self.all >= MEMORY {
            self.yes /= 2.0;
            self.all /= 2.0;
        }
        self.yes += f64::from(u8::from(yes));
        self.all += 1.0;
    }

    /// Between 0 and 1.
    #[must_use]
    pub(super) fn get(&self) -> f64 {
        self.yes / self.all
    }
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn observations_overrule_the_guess() {
        let mut share = Share::guess(0.9, 2.0);
        for _ in 0..100 {
            share.observe(false);
        }
        assert!(share.get() < 0.02);
    }

    #[test]
    fn a_change_is_noticed_after_a_long_time() {
        let mut share = Share::guess(0.9, 1.0);
        for _ in 0..1_000_000 {
            share.observe(true);
        }
        for _ in 0..2_000 {
            share.observe(false);
        }
        assert!(share.get() < 0.5, "{}", share.get());
    }
}
