//! HPACK (RFC 7541) as a bystander reads it: [`Decoder`] turns the header blocks of one direction
//! into fields, and what it cannot know is unknown, never guessed.

mod decoder;
mod fixed;
mod huffman;
mod mask;
mod string;
mod table;

pub use decoder::{Decoder, Field};
pub(in crate::protocol) use huffman::bits;
pub(super) use mask::mask;

#[cfg(test)]
mod stories;
