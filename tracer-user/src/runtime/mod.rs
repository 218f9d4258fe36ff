//! Language runtimes.

pub mod python;
