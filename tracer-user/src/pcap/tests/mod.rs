//! Captures made packet by packet.

mod files;
mod fragments;
mod hostile;
mod links;
mod reassembly;
mod wire;
