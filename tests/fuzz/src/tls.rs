//! Hellos of TLS in pieces of any content and size: no panic, bounded, and masked ones say the same.
//!
//! An input is a row of pieces, each with its number of bytes before it.

use tracer_common::tls::MAX_HELLO;
use tracer_user::protocol::tls::{Masking, Said};

use crate::input::Input;

/// Protocols and bytes of names that one says at most.
const MAX_PROTOCOLS: usize = 8;
const MAX_NAME: usize = 255;

/// Reads what one side says.
pub fn tls(data: &[u8]) {
    let mut input = Input(data);
    let (mut said, mut masked, mut masking) = <(Said, Said, Masking)>::default();
    let mut passed = 0;
    while !input.is_empty() {
        let piece = input.bytes();
        passed += piece.len();
        let blank = masking.piece(piece);
        assert_eq!(blank.len(), piece.len());
        let (whole, again) = (said.push(piece), masked.push(&blank));
        assert_eq!(whole, again, "masked");
        let told = whole.is_some();
        let Some(hello) = whole.or_else(|| said.so_far()) else { continue };
        assert!(hello.protocols.len() <= MAX_PROTOCOLS, "{hello:?}");
        let names = hello.protocols.iter().chain(&hello.server_name);
        for name in names {
            let printable = name.bytes().all(|byte| byte.is_ascii_graphic());
            assert!(!name.is_empty() && name.len() <= MAX_NAME && printable, "{hello:?}");
        }
        if told || passed > MAX_HELLO as usize {
            return;
        }
    }
}
