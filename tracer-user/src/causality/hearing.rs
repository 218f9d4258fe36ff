//! What led to a decision, for people: every witness, what it said, and what became of that. Made
//! only where it is asked for.

use crate::exchange::ExchangeId;

use super::Scene;
use super::evidence::{KINDS, Testimony};
use super::joint::Owner;
use super::node::Node;
use super::resolver::judge;
use super::timing;

/// Of one call; requests are named by `I`.
#[derive(Clone, Debug, PartialEq)]
pub struct Hearing<I> {
    /// The thread that wrote the call.
    pub thread: u32,
    /// The context of execution that asked for it, and of what kind it is (`FLOW_*` of
    /// [`tracer_common::record`]); 0 for none known.
    pub context: u64,
    /// The same.
    pub flow: u32,
    /// The trace that its headers name, and whether its own process made that.
    pub carries: Option<([u8; 16], bool)>,
    /// Requests that its process had been sent and not answered when the call was made, by age.
    pub open: Vec<I>,
    /// Of all witnesses, from strong to weak.
    pub statements: Vec<Statement<I>>,
    /// What the times said, if it was decided together with others.
    pub weighed: Option<Weighed<I>>,
    /// The request that it was decided for, by which method, and how sure that is.
    pub decided: Option<(I, &'static str, f64)>,
}

/// What the times and all else said of a call that was decided together with others.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed<I> {
    /// Who may have caused it, the likeliest first.
    pub owners: Vec<Owner<I>>,
    /// The probability that no request caused it.
    pub nobody: f32,
}

/// What one witness said.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement<I> {
    /// The kind of evidence.
    pub method: &'static str,
    /// What it said.
    pub said: Said<I>,
}

/// The same.
#[derive(Clone, Debug, PartialEq)]
pub enum Said<I> {
    /// Nothing, and why.
    Nothing(&'static str),
    /// One request, how sure it was, and what became of that.
    Names(I, f64, Verdict),
    /// Several requests, one of which it was.
    Among(Vec<I>),
    /// A request that had been answered when the call was made.
    Outlives,
}

/// What became of a testimony.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It decides.
    Decides,
    /// Another one decided.
    Outweighed,
    /// It was not sure enough.
    TooWeak,
    /// A stronger witness had named several others.
    Excluded,
    /// The request began after the call, or is its other end.
    Impossible,
    /// The call and the request carry different traces.
    OtherTrace,
}

/// The request, the method, and how sure that is.
type Decided = Option<(ExchangeId, &'static str, f64)>;

/// Hears all witnesses of a call that is decided, those too that were not asked for that.
pub(super) fn hear(scene: &Scene<'_>, call: &Node, decided: Decided) -> Hearing<ExchangeId> {
    let mut among = None;
    let statements = KINDS.iter().map(|kind| {
        let said = match kind.testify(scene, call) {
            Testimony::Silent => Said::Nothing(kind.silence(scene, call)),
            Testimony::Outlives => {
                among.get_or_insert_default();
                Said::Outlives
            }
            Testimony::Among(requests) => {
                among.get_or_insert_with(|| requests.clone());
                Said::Among(requests)
            }
            Testimony::Names(request, confidence) => {
                let verdict = match judge(scene, call, kind.method, request, among.as_deref()) {
                    Verdict::Decides => verdict(kind.method, decided),
                    verdict => verdict,
                };
                Said::Names(request, confidence, verdict)
            }
        };
        Statement { method: kind.method, said }
    });
    let client = call.client();
    let weighed = client.and_then(|client| client.weighed.as_deref().cloned());
    let times = Statement { method: timing::METHOD, said: times(weighed.as_ref(), decided) };
    let made = client.is_some_and(|client| client.originated);
    Hearing {
        thread: call.started.tid,
        context: client.and_then(|client| client.lineage.first()).map_or(0, |first| first.id),
        flow: call.started.flow.kind,
        carries: call.context.as_ref().map(|context| (context.trace_id, made)),
        open: client.iter().flat_map(|client| client.open.iter().copied()).collect(),
        statements: statements.chain([times]).collect(),
        weighed,
        decided,
    }
}

fn times(weighed: Option<&Weighed<ExchangeId>>, decided: Decided) -> Said<ExchangeId> {
    let Some(weighed) = weighed else { return Said::Nothing("they were not asked") };
    match weighed.owners.first() {
        Some(best) if best.chance > weighed.nobody => {
            Said::Names(best.request, best.chance.into(), verdict(timing::METHOD, decided))
        }
        _ => Said::Nothing("they fit no request"),
    }
}

/// What became of a word that may stand.
fn verdict(method: &str, decided: Decided) -> Verdict {
    match decided {
        Some((_, by, _)) if by == method => Verdict::Decides,
        Some(_) => Verdict::Outweighed,
        None => Verdict::TooWeak,
    }
}

impl<I: Copy> Hearing<I> {
    /// The same with other names for requests; those that have none are left out.
    pub fn rename<J>(&self, name: impl Fn(I) -> Option<J>) -> Hearing<J> {
        let all = |requests: &[I]| requests.iter().filter_map(|&id| name(id)).collect();
        let said = |said: &Said<I>| match said {
            Said::Nothing(why) => Said::Nothing(why),
            Said::Outlives => Said::Outlives,
            Said::Among(requests) => Said::Among(all(requests)),
            Said::Names(request, confidence, verdict) => match name(*request) {
                Some(request) => Said::Names(request, *confidence, *verdict),
                None => Said::Among(vec![]),
            },
        };
        let statement = |it: &Statement<I>| Statement { method: it.method, said: said(&it.said) };
        Hearing {
            thread: self.thread,
            context: self.context,
            flow: self.flow,
            carries: self.carries,
            open: all(&self.open),
            statements: self.statements.iter().map(statement).collect(),
            weighed: self.weighed.as_ref().map(|weighed| Weighed {
                owners: weighed
                    .owners
                    .iter()
                    .filter_map(|owner| owner.rename(|&id| name(id)))
                    .collect(),
                nobody: weighed.nobody,
            }),
            decided: self.decided.and_then(|(id, how, sure)| Some((name(id)?, how, sure))),
        }
    }
}
