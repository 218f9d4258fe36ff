//! `tracer run`, `tracer record` and `tracer doctor`: the pipeline on the running kernel.

mod capture;
mod directory;
mod doctor;
mod existing;
mod kept;
mod later;
mod outlets;
mod page;
mod record;
mod rights;
mod run;
mod runtimes;
mod sampled;
mod shown;
mod unfollowed;

pub use doctor::doctor;
pub use run::run;
