//! What was counted becomes probabilities.

use super::Trust;
use super::background::Background;
use super::input::{Owner, Posterior};
use super::made::Made;
use super::open::Open;
use super::window::Window;

/// What times say is worth this much, as a power of their likelihood. They are taken for independent
/// and are not: what delays one step delays the next, and other requests' steps, too. (A coarsened
/// posterior: Miller and Dunson, Robust Bayesian inference via coarsening, JASA 2019.) TraceWeaver's
/// published traces would ask for less, our own services for a little more.
const WORTH: f32 = 0.5;
/// Share of a candidate for whom nothing was counted.
const LEAST: f32 = 1e-9;

impl Window {
    /// What was counted, of the calls all of whose candidates were over by `before` and of those
    /// that were over by `hold`. `trust`: how much is known of each route. Without `background`, what
    /// it shows of calls of nobody's is not kept.
    pub(super) fn report(
        &mut self,
        before: u64,
        hold: u64,
        trust: &[Trust],
        mut background: Option<&mut Background>,
    ) -> Vec<Posterior> {
        let requests = &self.requests;
        let over = |at: u32| requests.get(at as usize).is_some_and(|it| it.over(before).is_some());
        let ripe = |call: &Made| {
            let waited = call.ended.is_none_or(|ended| ended <= hold);
            !call.settled && (waited || call.candidates.iter().all(|&(request, _)| over(request)))
        };
        let mut posteriors = vec![];
        for call in self.calls.iter_mut().filter(|call| ripe(call)) {
            call.settled = true;
            let posterior = posterior(call, requests, trust);
            if let Some(background) = &mut background {
                background.nobody(call.key, posterior.nobody);
            }
            posteriors.push(posterior);
        }
        posteriors
    }
}

fn posterior(call: &Made, requests: &[Open], trust: &[Trust]) -> Posterior {
    let all: f32 = call.tally.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    // Other evidence says what it says: its odds keep their full worth.
    let worth =
        |tally: f32, odds: f32| (tally / all).max(LEAST).powf(WORTH) * ((1.0 - WORTH) * odds).exp();
    let shares = call.candidates.iter().zip(&call.tally);
    let shares = shares.map(|(&(at, odds), &tally)| (at, odds, worth(tally, odds)));
    let mut shares: Vec<_> = shares.collect();
    shares.sort_by(|a, b| b.2.total_cmp(&a.2));
    let nobody = worth(call.tally.last().copied().unwrap_or(all), 0.0);
    let all = shares.iter().map(|share| share.2).sum::<f32>() + nobody;
    let mut known = nobody / all;
    let mut owners = vec![];
    for (at, odds, share) in shares {
        let Some(open) = requests.get(at as usize) else { continue };
        let trust = trust.get(open.route).copied().unwrap_or_default();
        let chance = share / all;
        known += trust.likely * chance;
        let (likely, borne) = (trust.likely.min(chance), trust.borne.min(chance));
        owners.push(Owner { request: open.id, chance: likely, borne, odds });
    }
    Posterior { call: call.id, owners, nobody: nobody / all, known }
}
