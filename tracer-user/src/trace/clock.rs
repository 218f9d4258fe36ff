//! From the kernel's boot clock to time of day.

/// One anchor, so that no two spans are put into different orders by a change of the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Nanoseconds since the Unix epoch at boot time 0.
    boot: u64,
}

impl Clock {
    /// Both clocks read at the same instant, in nanoseconds.
    #[must_use]
    pub fn new(unix: u64, boot: u64) -> Self {
        Self { boot: unix.saturating_sub(boot) }
    }

    /// Nanoseconds since the Unix epoch.
    #[must_use]
    pub fn unix(&self, boot: u64) -> u64 {
        self.boot.saturating_add(boot)
    }
}
