//! The outermost form of what is stored: a checksum behind it, and compression for what is large.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::error::Damage;

/// Most bytes that one packed thing may unpack to; blocks are far smaller.
const MOST: usize = 256 << 20;
/// The fastest of zstd's levels that is not a negative one: spans of a block are much alike.
const LEVEL: i32 = 1;
const CHECKSUM: usize = 4;

/// `value` in postcard's format with a CRC-32 of it.
pub(in crate::store) fn seal(value: &impl Serialize) -> Vec<u8> {
    let Ok(bytes) = postcard::to_allocvec(value) else {
        unreachable!("plain data has a form in memory")
    };
    sum(bytes)
}

/// Bytes with their checksum behind them.
pub(super) fn sum(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// Bytes that [`sum`] made, without it.
pub(super) fn checked(bytes: &[u8]) -> Result<&[u8], Damage> {
    let (content, sum) = bytes
        .split_last_chunk::<CHECKSUM>()
        .ok_or_else(|| Damage::new("a stored value is cut short"))?;
    if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
        return Err(Damage::new("a stored value does not fit its checksum"));
    }
    Ok(content)
}

/// What [`seal`] made.
pub(in crate::store) fn unseal<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Damage> {
    postcard::from_bytes(checked(bytes)?).map_err(Damage::new)
}

/// As [`seal`], compressed.
pub(in crate::store) fn pack(value: &impl Serialize) -> Vec<u8> {
    let Ok(bytes) = postcard::to_allocvec(value) else {
        unreachable!("plain data has a form in memory")
    };
    match zstd::bulk::compress(&bytes, LEVEL) {
        Ok(packed) => sum(packed),
        Err(never) => unreachable!("the buffer is as large as zstd asks for: {never}"),
    }
}

/// What [`pack`] made.
pub(in crate::store) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Damage> {
    let packed = checked(bytes)?;
    let size = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten();
    let size = size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= MOST);
    let size = size.ok_or_else(|| Damage::new("a stored value has no size, or too large a one"))?;
    let bytes = zstd::bulk::decompress(packed, size).map_err(Damage::new)?;
    postcard::from_bytes(&bytes).map_err(Damage::new)
}

#[cfg(test)]
mod tests {
    use super::{pack, seal, unpack, unseal};

    #[test]
    fn what_was_altered_is_no_value() {
        let value = vec!["some text".repeat(50); 9];
        let (sealed, packed) = (seal(&value), pack(&value));
        assert_eq!(unseal::<Vec<String>>(&sealed).as_ref(), Ok(&value));
        assert_eq!(unpack::<Vec<String>>(&packed).as_ref(), Ok(&value));
        assert!(packed.len() < sealed.len() / 10);
        for at in 0..packed.len() {
            let mut bad = packed.clone();
            bad[at] ^= 1;
            assert!(unpack::<Vec<String>>(&bad).is_err(), "{at}");
            assert!(unpack::<Vec<String>>(&packed[..at]).is_err(), "{at}");
        }
        assert!(unseal::<Vec<String>>(&[]).is_err());
    }
}
