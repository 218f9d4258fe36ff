//! Joint decision by timing: which call of a process belongs to which of its requests, when nothing
//! names it.
//!
//! What a handler does has a shape: which calls, how many, in which order, and after which gaps. The
//! shape is learned per route while the process runs ([`route`]), and says how likely it is that a
//! request made just these calls at just these times ([`story`]). All calls of a window are then
//! assigned together: assignments are drawn, each as often as it is likely ([`sampler`]), which
//! gives every call a probability for each candidate. What is learned and what is assigned depend on
//! each other and are settled in turns (expectation maximisation): requests teach what they are
//! thought to have done, and take it back when that changes, until they leave the window.
//!
//! TraceWeaver (SIGCOMM 2024) had the idea to reconstruct traces from learned gaps jointly.

mod background;
mod budget;
mod counts;
mod density;
mod effort;
mod input;
mod kernel;
mod lesson;
mod links;
mod made;
mod memo;
mod names;
mod open;
mod report;
mod route;
mod sampler;
mod story;
#[cfg(test)]
mod tests;
mod window;

pub use budget::Budget;
pub use input::{Call, Hint, Owner, Posterior, Request};

use fastrand::Rng;

use background::Background;
use links::MAX_KEYS;
use names::Names;
use open::Open;
use route::Route;
use sampler::{Sampler, Scratch};
use window::Window;

/// Routes told apart in one process; the last stands for all others.
const MAX_ROUTES: usize = 32;
/// So many requests make a route known.
const KNOWN: f32 = 200.0;
/// So many requests weigh as much as not knowing.
const DOUBT: f32 = 3.0;
/// The same for what an edge is to rest on: few requests may teach what is wrong as a whole.
const CAUTION: f32 = 20.0;

/// What is known of a route, as shares of what there is to know.
#[derive(Clone, Copy, Debug, Default)]
struct Trust {
    /// As far as probabilities are concerned.
    likely: f32,
    /// As far as an edge is to rest on them.
    borne: f32,
}

impl Trust {
    fn of(route: &Route) -> Self {
        let share = |doubt: f32| route.seen() / (route.seen() + doubt);
        Self { likely: share(DOUBT), borne: share(CAUTION) }
    }
}

/// Of one process.
#[derive(Debug)]
pub struct Joint {
    keys: Names<MAX_KEYS>,
    names: Names<MAX_ROUTES>,
    routes: Vec<Route>,
    background: Background,
    window: Window,
    rng: Rng,
    scratch: Scratch,
}

impl Default for Joint {
    fn default() -> Self {
        Self {
            keys: Names::default(),
            names: Names::default(),
            routes: vec![],
            background: Background::default(),
            window: Window::default(),
            // The same input gives the same answer.
            rng: Rng::with_seed(0x7261_6365),
            scratch: Scratch::default(),
        }
    }
}

impl Joint {
    /// A request that begins, or one that is over.
    pub fn request(&mut self, request: Request) {
        let route = self.names.number(request.route);
        if self.routes.len() <= route {
            self.routes.resize_with(route + 1, Route::default);
        }
        self.window.request(request, route);
    }

    /// A call of which no more will be known. Returns whether there is room: what has none is not
    /// decided.
    pub fn call(&mut self, call: Call) -> bool {
        let key = self.keys.number(call.key) as u8;
        self.window.call(call, key)
    }

    /// Decides, by what had happened by `now`, the calls all of whose candidates were over by
    /// `before`, and those that were over themselves by `hold`. All that began by `before`, and what
    /// it overlaps, has to be told before. Each call is decided once; where the budget does not allow
    /// that, nothing is said of it, not even that it is nobody's.
    pub fn decide(
        &mut self,
        now: u64,
        before: u64,
        hold: u64,
        budget: &mut Budget,
    ) -> Vec<Posterior> {
        budget.advance(now);
        self.background.advance(before);
        let new = self.window.arrange(before, now, &mut self.background);
        self.refresh();
        let known = self.routes.iter().map(Route::seen).fold(0.0, f32::max) >= KNOWN;
        self.sampler().place(&new);
        let open = self.window.open();
        let efforts: Vec<_> = effort::efforts(known, self.window.crowd()).collect();
        let effort = budget.take(efforts.iter().map(|effort| effort.visits(open)));
        let Some(effort) = effort.and_then(|place| efforts.get(place)) else {
            return self.give_up(before, hold);
        };
        for round in effort.rounds(open) {
            if round.relearn {
                self.learn(|open| open.answered().is_some());
            }
            let mut sampler = self.sampler();
            sampler.rescore();
            (0..round.sweeps).for_each(|_| sampler.sweep());
            sampler.count();
            (0..round.counted).for_each(|_| sampler.sweep());
        }
        let trust: Vec<_> = self.routes.iter().map(Trust::of).collect();
        let posteriors = self.window.report(before, hold, &trust, Some(&mut self.background));
        let first = self.window.first(before);
        self.learn(|open| open.answered().is_some() && open.over(first).is_some());
        self.window.retire(first);
        posteriors
    }

    /// Says nothing of the calls that would be decided, and learns nothing from them.
    fn give_up(&mut self, before: u64, hold: u64) -> Vec<Posterior> {
        let mut posteriors = self.window.report(before, hold, &[], None);
        for posterior in &mut posteriors {
            (posterior.owners, posterior.nobody, posterior.known) = (vec![], 0.0, 0.0);
        }
        let first = self.window.first(before);
        self.window.retire(first);
        posteriors
    }

    /// How many things are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.window.remembered()
    }

    fn refresh(&mut self) {
        let background = &self.background;
        self.routes.iter_mut().for_each(|route| route.refresh(background));
    }

    fn sampler(&mut self) -> Sampler<'_> {
        Sampler {
            routes: &self.routes,
            background: &self.background,
            requests: &mut self.window.requests,
            calls: &mut self.window.calls,
            rng: &mut self.rng,
            scratch: &mut self.scratch,
            counting: false,
        }
    }

    /// What some requests of the window show now, in place of what they showed before.
    fn learn(&mut self, which: impl Fn(&Open) -> bool) {
        for open in &mut self.window.requests {
            let Some(route) = self.routes.get_mut(open.route).filter(|_| which(open)) else {
                continue;
            };
            let lesson = self.scratch.story.lesson(route, open, &open.calls, &self.window.calls);
            if let Some(before) = open.lesson.take() {
                route.learn(&before, -1.0);
            }
            route.learn(&lesson, 1.0);
            open.lesson = Some(lesson);
        }
        self.refresh();
    }
}
