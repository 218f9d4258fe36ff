//! TLS as far as it is not encrypted: how both sides say hello.

mod hello;
mod said;
#[cfg(test)]
mod tests;

pub use hello::{Hello, Speaker, Version};
pub use said::{Masking, Said};
