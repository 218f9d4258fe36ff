//! `tracer replay` as a user calls it, on a small capture of our own and on those of other
//! projects.

mod command;
mod corpus;
mod tracer;
