//! TLS between real programs.

mod gnutls;
mod pair;
mod plaintext;
#[path = "../recorded/mod.rs"]
mod recorded;
mod sealed;
mod tunnel;
