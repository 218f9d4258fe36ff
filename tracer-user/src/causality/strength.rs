//! How far a witness can be believed in one process: counted, not assumed.

use super::Scene;
use super::evidence::{Says, Testimony};
use super::node::Node;
use super::resolver::fits;
use crate::exchange::ExchangeId;

/// A share that is learned while the process runs, from a first guess on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    yes: f64,
    all: f64,
}

/// What a witness is believed that judges another; no first guess is as much.
const SURE: f64 = 0.98;
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
        self.weigh(f64::from(u8::from(yes)));
    }

    /// Counts one observation that is right with this probability.
    pub(super) fn weigh(&mut self, yes: f64) {
        if self.all >= MEMORY {
            self.yes /= 2.0;
            self.all /= 2.0;
        }
        self.yes += yes;
        self.all += 1.0;
    }

    /// Between 0 and 1.
    #[must_use]
    pub(super) fn get(&self) -> f64 {
        self.yes / self.all
    }
}

/// Whether a witness names the request that the first of its judges who is sure names; `None` if it, or
/// each of them, is silent.
pub(super) fn confirmed(
    scene: &Scene<'_>,
    call: &Node,
    witness: Says<Testimony>,
    judges: &[Says<Testimony>],
) -> Option<bool> {
    let Testimony::Names(request, _) = witness(scene, call) else { return None };
    named(scene, call, judges).map(|judged| judged == request)
}

/// The request that the first of these judges names who is sure.
pub(super) fn named(
    scene: &Scene<'_>,
    call: &Node,
    judges: &[Says<Testimony>],
) -> Option<ExchangeId> {
    judges.iter().find_map(|judge| match judge(scene, call) {
        Testimony::Names(request, sure) if sure >= SURE && fits(scene, call, request) => {
            Some(request)
        }
        _ => None,
    })
}

/// How often a set of weak kinds that name the same request is right.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    /// By set, for requests whose turns close and others.
    right: Vec<Share>,
}

/// So many observations weigh as much as taking the set for chance.
const CHANCE: f64 = 20.0;

impl Agreement {
    /// How likely it is that the set was right, by what others say.
    pub(super) fn observe(&mut self, set: usize, right: f64) {
        if self.right.len() <= set {
            self.right.resize(set + 1, Share::guess(0.0, 0.0));
        }
        if let Some(share) = self.right.get_mut(set) {
            share.weigh(right);
        }
    }

    /// Natural logarithm of the odds by which it speaks for the one of `rivals` requests that it
    /// names, against any other. Nothing, before it was seen to be right: what was read last is near
    /// in time, so times and turns would soon believe each other.
    pub(super) fn odds(&self, set: usize, rivals: usize) -> f32 {
        let Some(share) = self.right.get(set) else { return 0.0 };
        log_odds((share.yes + CHANCE / rivals as f64) / (share.all + CHANCE), rivals)
    }
}

/// Natural logarithm of the odds by which a witness that is right so often speaks for the one of
/// `rivals` that it names, against any other.
pub(super) fn log_odds(right: f64, rivals: usize) -> f32 {
    let right = right.clamp(0.001, 0.999);
    (right / (1.0 - right) * (rivals as f64 - 1.0)).ln() as f32
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
