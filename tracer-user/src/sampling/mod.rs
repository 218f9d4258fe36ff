//! Tail sampling: which traces are kept where not all can be. A trace is decided as a whole, when
//! it is complete as far as this host knows; what was decided holds for all that comes later of it.
//!
//! ```text
//! Gate::send -> queue -> thread: Sampler: held until quiet -> failed? slow? a share of the rest
//!                 |                                              kept -> weights -> sink
//!                 +-- full: dropped, counted                     not kept: counted
//! ```
//!
//! Rates stay true: [`crate::metrics`] sees all spans before this stage, and every span that is kept
//! for others as well says for how many ([`Share`]).

mod counts;
mod gate;
mod policy;
mod routes;
mod sampler;
mod share;
mod state;
mod turnover;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use counts::{Observer, Tally};
pub use gate::Gate;
pub use policy::Policy;
pub use sampler::{Came, Sampler};
pub use share::Share;
pub use turnover::{Room, When};
