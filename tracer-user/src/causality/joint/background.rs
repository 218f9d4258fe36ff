//! Calls that no request causes: polls, health checks, batch jobs. They come at a rate of their own.

use super::links::MAX_KEYS;

/// So many of a key's calls, at least, are thought to be of nobody.
const SHARE: f32 = 0.002;
/// Seconds after which what was learned fades to one half.
const MEMORY: f32 = 600.0;

/// Rates of one process.
#[derive(Debug, Default)]
pub(super) struct Background {
    nobody: [f32; MAX_KEYS],
    calls: [f32; MAX_KEYS],
    requests: f32,
    /// Seconds.
    elapsed: f32,
    last: Option<u64>,
}

impl Background {
    /// Logarithm of the rate, per nanosecond.
    pub(super) fn rate(&self, key: u8) -> f64 {
        let of = |all: &[f32; MAX_KEYS]| all.get(usize::from(key)).copied().unwrap_or(0.0);
        let rate = (of(&self.nobody) + 0.5 + SHARE * of(&self.calls)) / (self.elapsed + 1.0);
        f64::from(rate * 1e-9).ln()
    }

    /// Calls of a key per request, over all routes.
    pub(super) fn usual(&self, key: u8) -> f32 {
        let calls = self.calls.get(usize::from(key)).copied().unwrap_or(0.0);
        calls / self.requests.max(1.0)
    }

    pub(super) fn request(&mut self) {
        self.requests += 1.0;
    }

    pub(super) fn call(&mut self, key: u8) {
        if let Some(calls) = self.calls.get_mut(usize::from(key)) {
            *calls += 1.0;
        }
    }

    /// A call was decided: how likely it is that no request caused it.
    pub(super) fn nobody(&mut self, key: u8, chance: f32) {
        if let Some(nobody) = self.nobody.get_mut(usize::from(key)) {
            *nobody += chance;
        }
    }

    /// Time goes on.
    pub(super) fn advance(&mut self, now: u64) {
        let last = self.last.replace(now).unwrap_or(now);
        self.elapsed += now.saturating_sub(last) as f32 * 1e-9;
        if self.elapsed > MEMORY {
            let all = self.nobody.iter_mut().chain(&mut self.calls);
            all.chain([&mut self.elapsed, &mut self.requests]).for_each(|value| *value /= 2.0);
        }
    }
}
