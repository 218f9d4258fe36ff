//! Fields that are known whole, as HTTP/2 has them.

use super::value::ValueMask;
use super::{Pseudonym, mask_target};

/// Masks the value of a field at the same length. `name`: in lower case; empty if it is not known. `ids`:
/// how ids are told.
pub fn mask_field(name: &[u8], value: &mut [u8], ids: &Pseudonym) {
    match name {
        b":method" | b":scheme" | b":status" | b":protocol" => {}
        b":path" => mask_target(value),
        b":authority" => {
            let user = value.iter().rposition(|byte| *byte == b'@').unwrap_or(0);
            value.iter_mut().take(user).for_each(|byte| *byte = b'*');
        }
        name => ValueMask::of(name, ids).feed(value),
    }
}
