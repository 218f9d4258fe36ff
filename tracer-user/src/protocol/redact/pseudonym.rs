//! Ids under another name: equal ones stay equal, different ones different, and what they were
//! cannot be told.

use std::hash::{BuildHasher as _, DefaultHasher, Hasher as _, RandomState};

use crate::protocol::http2::hpack::bits;

/// Gives ids other names, byte by byte: each letter and each digit becomes another that HPACK's code
/// gives as many bits (so that a header block keeps its length), by what came before it and by a secret
/// that is never written. So two ids have the same pseudonym if, and only
/// if, they are the same; they share their first bytes as far as the ids do. All of one recording
/// are cloned from one.
#[derive(Clone, Debug)]
pub struct Pseudonym {
    before: DefaultHasher,
}

impl Default for Pseudonym {
    /// With a new secret.
    fn default() -> Self {
        Self { before: RandomState::new().build_hasher() }
    }
}

impl Pseudonym {
    /// What the next byte of the id becomes: of the same kind, so that a head parses the same.
    pub(super) fn of(&mut self, byte: u8) -> u8 {
        let turn = self.before.finish();
        self.before.write_u8(byte);
        let (first, last) = match byte {
            b'0'..=b'9' => (b'0', b'9'),
            b'a'..=b'z' => (b'a', b'z'),
            b'A'..=b'Z' => (b'A', b'Z'),
            0x80.. => (0x80, 0xff),
            _ => return byte,
        };
        let alike = || (first..=last).filter(|other| bits(*other) == bits(byte));
        let count = alike().count().max(1);
        let before = alike().take_while(|other| *other < byte).count();
        let turned = (before as u64 + turn % count as u64) % count as u64;
        alike().nth(turned as usize).unwrap_or(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::Pseudonym;

    fn of(secret: &Pseudonym, id: &str) -> Vec<u8> {
        let mut pseudonym = secret.clone();
        id.bytes().map(|byte| pseudonym.of(byte)).collect()
    }

    #[test]
    fn the_same_for_the_same_and_for_nothing_else() {
        let secret = Pseudonym::default();
        let ids: Vec<String> = (0..1000).map(|n| format!("|Req-{n:03}.caf\u{e9}")).collect();
        let mut names: Vec<_> = ids.iter().map(|id| of(&secret, id)).collect();
        assert_eq!(names, ids.iter().map(|id| of(&secret, id)).collect::<Vec<_>>());
        for (name, id) in names.iter().zip(&ids) {
            let kind =
                |byte: &u8| (byte.is_ascii_digit(), byte.is_ascii_lowercase(), *byte >= 0x80);
            assert!(name.iter().map(kind).eq(id.as_bytes().iter().map(kind)));
            assert_eq!((name[0], name[4], name[8]), (b'|', b'-', b'.'));
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 1000);
    }

    #[test]
    fn another_secret_gives_other_names() {
        let id = "7b1fd3c2-9c1b-4a37-aab9-b4ac3af7eedd";
        let name = of(&Pseudonym::default(), id);
        assert!(name != of(&Pseudonym::default(), id) && name != id.as_bytes());
    }
}
