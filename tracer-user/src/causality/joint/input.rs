//! What goes in and what comes out. Times are nanoseconds of one clock.

/// A request that the process answers.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its number.
    pub id: u64,
    /// What stands for the handler: requests with the same one are expected to act alike.
    pub route: u64,
    /// When it was read.
    pub started: u64,
    /// When its response began to be written.
    pub replied: Option<u64>,
    /// When its response was written; `None` while it is being answered.
    pub ended: Option<u64>,
}

/// A call that the process makes.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number.
    pub id: u64,
    /// What stands for whom it asks and for what.
    pub key: u64,
    /// When it was written.
    pub started: u64,
    /// When its response was read; `None` while there is none.
    pub ended: Option<u64>,
    /// The request that it is itself, where the process asks itself.
    pub peer: Option<u64>,
    /// What is known of its owner without looking at times.
    pub hint: Hint,
}

/// What other evidence says of a call.
#[derive(Clone, Debug, Default)]
pub enum Hint {
    /// Nothing.
    #[default]
    None,
    /// This request caused it, or no request did: the times only learn from it.
    Settled(Option<u64>),
    /// For each request, by how much (natural logarithm of the odds) other evidence speaks for it;
    /// for those not named, nothing does. `among`: no other request can be the one.
    Leaning {
        /// Request and log-odds.
        odds: Vec<(u64, f32)>,
        /// No others come into question.
        among: bool,
    },
}

/// A request that may have caused a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Owner<I = u64> {
    /// The request.
    pub request: I,
    /// The probability that it did.
    pub chance: f32,
    /// The same, as far as what is known of its route bears it: what was learned from few requests may
    /// be wrong as a whole. Never more than `chance`.
    pub borne: f32,
    /// The log-odds of other evidence that went into it.
    pub odds: f32,
}

impl<I> Owner<I> {
    /// The same with another name for the request, if it has one.
    pub fn rename<J>(&self, name: impl Fn(&I) -> Option<J>) -> Option<Owner<J>> {
        let Self { chance, borne, odds, .. } = *self;
        Some(Owner { request: name(&self.request)?, chance, borne, odds })
    }
}

/// What the times say of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Posterior {
    /// The call.
    pub call: u64,
    /// Who may have caused it, the likeliest first.
    pub owners: Vec<Owner>,
    /// The probability that no request caused it.
    pub nobody: f32,
    /// How much is known of the routes that it may be of, between 0 and 1.
    pub known: f32,
}
