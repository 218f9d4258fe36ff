//! Evidence from times, weighed for all calls of a process together. What stronger evidence leaves
//! open waits until its candidates are over, and is then given to the process's [`Joint`], with what
//! weaker witnesses say of it as odds. How far these are believed is counted in the process, for
//! each set of kinds that agree: wherever an edge is settled, by stronger evidence or by the times,
//! it shows what each set would have said.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::connection::Moment;
use crate::exchange::{Exchange, ExchangeId};
use crate::protocol::http1::RequestHead;
use crate::protocol::route::template;

use super::Scene;
use super::evidence::{KINDS, Testimony};
use super::hearing::Weighed;
use super::joint::{Call, Hint, Joint, Owner, Posterior, Request};
use super::node::{Node, Role};
use super::resolver::{crosses, fits, weigh};
use super::stage::Causality;
use super::strength::log_odds;
use super::turn::closes;

/// Its name.
pub(super) const METHOD: &str = "timing";
/// What has to be known of a route for its times to go before a witness of the call alone: a few
/// requests.
const KNOWN: f32 = 0.5;
/// Requests and calls that are kept until something is learned from them.
const DIGESTED: usize = 1024;
/// How often a process's calls are decided together, and how long after they could be, so that what
/// they overlap is known, too. Nanoseconds.
const EVERY: u64 = 250_000_000;
/// How long a call waits here, beyond that, for candidates that go on.
const HOLD: u64 = 750_000_000;

impl Causality {
    /// A request has begun or is over: the process's times are told, where they are asked for.
    pub(super) fn time_request(&mut self, id: ExchangeId) {
        let Some(node) = self.nodes.get(&id) else { return };
        if let (Role::Server(_), Some(process)) = (&node.role, self.processes.at_mut(&node.started))
            && let Some(joint) = &mut process.joint
        {
            joint.request(request(node));
        }
    }

    /// A call was decided otherwise: the times learn from it.
    pub(super) fn time_settled(&mut self, id: ExchangeId, owner: Option<ExchangeId>) {
        let Some(node) = self.nodes.get(&id) else { return };
        let Some(process) = self.processes.at(&node.started) else { return };
        if process.joint.is_none() {
            return;
        }
        let opinions = opinions(&self.scene(), node);
        let hint = Hint::Settled(owner.map(|owner| owner.0));
        let call = call(node, hint);
        let Some(process) = self.processes.at_mut(&node.started) else { return };
        for (request, class) in opinions {
            process.agreement.observe(class, f64::from(u8::from(Some(request) == owner)));
        }
        let Some(joint) = &mut process.joint else { return };
        let told = call.ended.unwrap_or(call.started);
        joint.call(call);
        // Where nothing else is to be decided, it learns from time to time.
        if joint.remembered() > DIGESTED {
            self.decide_together(id, told.saturating_add(self.settings.settle));
        }
    }

    /// A call that nothing else settles; returns when to look again, or `None` if the times can't
    /// be asked.
    pub(super) fn defer(&mut self, id: ExchangeId, now: u64) -> Option<u64> {
        if self.settings.without.has(METHOD) {
            return None;
        }
        let node = self.nodes.get(&id)?;
        self.processes.at(&node.started).filter(|process| process.shares_requests(node))?;
        self.listen(node.started);
        let node = self.nodes.get(&id)?;
        let call = call(node, hint(&self.scene(), node)?);
        let started = node.started;
        let joint = self.processes.at_mut(&started)?.joint.as_mut()?;
        if !joint.call(call) {
            self.crowded += 1;
            return None;
        }
        self.nodes.get_mut(&id)?.client_mut()?.deferred = true;
        Some(now + EVERY)
    }

    /// From now on the process's times are told.
    fn listen(&mut self, at: Moment) {
        let Some(process) = self.processes.at_mut(&at) else { return };
        if process.joint.is_some() {
            return;
        }
        let mut joint = Box::new(Joint::default());
        let ours =
            |node: &&Node| node.started.pid == at.pid && node.server().is_some() && !node.sealed;
        let mut requests: Vec<_> = self.nodes.values().filter(ours).map(request).collect();
        requests.sort_by_key(|request| (request.started, request.id));
        requests.into_iter().for_each(|request| joint.request(request));
        process.joint = Some(joint);
    }

    /// Decides the calls of a process that wait for its times. Returns whether this was the time.
    pub(super) fn decide_together(&mut self, id: ExchangeId, now: u64) {
        let Some(started) = self.nodes.get(&id).map(|node| node.started) else { return };
        let Some(process) = self.processes.at_mut(&started) else { return };
        if now < process.timed.saturating_add(EVERY) {
            return;
        }
        process.timed = now;
        let before = now.saturating_sub(self.settings.settle).saturating_sub(EVERY);
        let hold = before.saturating_sub(HOLD.min(self.settings.max_hold));
        let Some(joint) = &mut process.joint else { return };
        for posterior in joint.decide(now, before, hold, &mut self.budget) {
            let given_up = posterior.owners.is_empty() && posterior.nobody == 0.0;
            self.crowded += u64::from(given_up);
            self.timed(&posterior);
        }
    }

    fn timed(&mut self, posterior: &Posterior) {
        let id = ExchangeId(posterior.call);
        let Some(node) = self.nodes.get(&id) else { return };
        if node.client().is_none_or(|client| client.decided) {
            return;
        }
        let opinions = opinions(&self.scene(), node);
        let scene = self.scene();
        let allowed = |owner: &Owner| {
            let request = ExchangeId(owner.request);
            fits(&scene, node, request) && crosses(&scene, node, request, METHOD)
        };
        let min_confidence = self.settings.min_confidence;
        let bears = |best: &&Owner| f64::from(best.borne) >= min_confidence && allowed(best);
        let parent = posterior.owners.first().filter(bears).map(|best| {
            let request = ExchangeId(best.request);
            (request, named_by(&scene, node, request), f64::from(best.chance))
        });
        // As long as the times are hardly known, a witness of this call alone says more.
        let parent = match posterior.known {
            known if known < KNOWN => weigh(&scene, node, min_confidence).or(parent),
            _ => parent,
        };
        let weighed = self.explain.then(|| weighed(posterior));
        let started = node.started;
        if let Some(process) = self.processes.at_mut(&started) {
            for (request, class) in opinions {
                let found = posterior.owners.iter().find(|owner| owner.request == request.0);
                let (chance, odds) = found.map_or((0.0, 0.0), |owner| (owner.chance, owner.odds));
                process.agreement.observe(class, without(chance, odds));
            }
        }
        if let Some(client) = self.nodes.get_mut(&id).and_then(Node::client_mut) {
            client.weighed = weighed;
        }
        self.conclude(id, parent);
    }
}

/// The same, to be told.
fn weighed(posterior: &Posterior) -> Box<Weighed<ExchangeId>> {
    let owners = posterior.owners.iter();
    let owners = owners.filter_map(|owner| owner.rename(|&id| Some(ExchangeId(id))));
    Box::new(Weighed { owners: owners.collect(), nobody: posterior.nobody })
}

/// What a probability would be without the odds that went into it: no witness judges itself.
fn without(chance: f32, odds: f32) -> f64 {
    let mine = f64::from(chance) * (-f64::from(odds)).exp();
    let others = 1.0 - f64::from(chance);
    if mine + others > 0.0 { mine / (mine + others) } else { 0.0 }
}

/// The requests that weak witnesses name, and the set of kinds that name each; the last bit stands
/// for a request whose turns close.
fn opinions(scene: &Scene<'_>, call: &Node) -> Vec<(ExchangeId, usize)> {
    let mut opinions: Vec<(ExchangeId, usize)> = vec![];
    let weak = || KINDS.iter().filter(|kind| kind.weak);
    for (bit, kind) in weak().enumerate() {
        let Testimony::Names(request, _) = kind.testify(scene, call) else { continue };
        if !fits(scene, call, request) {
            continue;
        }
        match opinions.iter_mut().find(|opinion| opinion.0 == request) {
            Some(opinion) => opinion.1 |= 1 << bit,
            None => opinions.push((request, 1 << bit)),
        }
    }
    for (request, class) in &mut opinions {
        let closed = scene.node(*request).is_some_and(|request| closes(scene, request));
        *class |= usize::from(closed) << weak().count();
    }
    opinions
}

/// All that is said of a call, as odds; `None` if it can be of none of the requests.
fn hint(scene: &Scene<'_>, call: &Node) -> Option<Hint> {
    let process = scene.process(&call.started)?;
    let rivals = call.client().map_or(2, |client| client.rivals.max(2));
    let mut among: Option<Vec<ExchangeId>> = None;
    let mut odds: Vec<(u64, f32)> = vec![];
    let mut add =
        |request: ExchangeId, more: f32| match odds.iter_mut().find(|it| it.0 == request.0) {
            Some((_, odds)) => *odds += more,
            None => odds.push((request.0, more)),
        };
    for (request, class) in opinions(scene, call) {
        add(request, process.agreement.odds(class, rivals));
    }
    for kind in KINDS.iter().filter(|kind| !kind.weak) {
        match kind.testify(scene, call) {
            Testimony::Silent => {}
            Testimony::Names(request, share) if fits(scene, call, request) => {
                add(request, log_odds(share, rivals));
            }
            Testimony::Names(..) => {}
            Testimony::Outlives => return None,
            Testimony::Among(requests) => {
                requests.iter().for_each(|&request| add(request, 0.0));
                among.get_or_insert(requests);
            }
        }
    }
    if let Some(among) = &among {
        odds.retain(|(request, _)| among.contains(&ExchangeId(*request)));
    }
    Some(Hint::Leaning { odds, among: among.is_some() })
}

/// The strongest kind of evidence that names a request, else the times themselves.
fn named_by(scene: &Scene<'_>, call: &Node, request: ExchangeId) -> &'static str {
    let names = |testimony| matches!(testimony, Testimony::Names(named, _) if named == request);
    let mut kinds = KINDS.iter().filter(|kind| names(kind.testify(scene, call)));
    kinds.next().map_or(METHOD, |kind| kind.method)
}

fn request(node: &Node) -> Request {
    Request {
        id: node.id.0,
        route: node.name,
        started: node.started.time,
        replied: node.replied.map(|replied| replied.time).or(node.ended),
        ended: node.ended,
    }
}

fn call(node: &Node, hint: Hint) -> Call {
    Call {
        id: node.id.0,
        key: node.name,
        started: node.started.time,
        ended: node.ended,
        peer: node.peer.map(|peer| peer.0),
        hint,
    }
}

/// What stands for the address that is asked.
pub(super) fn callee(exchange: &Exchange) -> u64 {
    let mut hasher = DefaultHasher::new();
    exchange.remote.hash(&mut hasher);
    hasher.finish()
}

/// What stands for the route of a request, or for whom a call asks and for what.
pub(super) fn name(exchange: &Exchange) -> u64 {
    let mut hasher = DefaultHasher::new();
    if let Some(head) = exchange.request.as_deref() {
        let RequestHead { method, .. } = head;
        (method.as_str(), template(head.path())).hash(&mut hasher);
        if exchange.side == crate::exchange::Side::Client {
            head.host.hash(&mut hasher);
        }
    }
    hasher.finish()
}
