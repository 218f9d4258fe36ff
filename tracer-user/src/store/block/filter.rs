//! Which hashes may be in a block: a Bloom filter, so a few are said to be that are not.

use fastbloom::BloomFilter;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::pack::{checked, sum};
use crate::store::error::Damage;
use crate::trace::TraceId;

/// Bits that each hash sets; about the best number for 14 bits a hash.
const HASHES: u32 = 9;

/// A set of hashes.
pub(in crate::store) struct Filter(BloomFilter);

impl Filter {
    /// `bits` for each hash: 14 err one time in 800, 24 one in 35,000.
    pub(super) fn new(hashes: impl ExactSizeIterator<Item = u64>, bits: usize) -> Self {
        let mut filter =
            BloomFilter::with_num_bits((hashes.len() * bits).max(64)).seed(&0).hashes(HASHES);
        hashes.for_each(|hash| {
            filter.insert_hash(hash);
        });
        Self(filter)
    }

    /// As it is stored: the bits in little-endian words.
    pub(in crate::store) fn seal(&self) -> Vec<u8> {
        sum(self.0.as_slice().iter().flat_map(|word| word.to_le_bytes()).collect())
    }

    /// What [`seal`](Self::seal) made.
    pub(in crate::store) fn unseal(bytes: &[u8]) -> Result<Self, Damage> {
        let words = checked(bytes)?.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word));
        let words: Vec<u64> = words.collect();
        if words.is_empty() {
            return Err(Damage::new("a filter has no bits"));
        }
        Ok(Self(BloomFilter::from_vec(words).seed(&0).hashes(HASHES)))
    }

    /// Whether it may be there; `false` is sure.
    pub(in crate::store) fn may_have(&self, hash: u64) -> bool {
        self.0.contains_hash(hash)
    }
}

/// The hash of a trace's id.
pub(in crate::store) fn of_trace(id: TraceId) -> u64 {
    xxh3_64(&id.0)
}

/// The hash of an attribute's key, and of the key with a value.
pub(in crate::store) fn of_attribute(key: &str, value: Option<&str>) -> u64 {
    let mut hash = Xxh3Default::new();
    hash.update(key.as_bytes());
    if let Some(value) = value {
        hash.update(&[0xff]);
        hash.update(value.as_bytes());
    }
    hash.digest()
}

/// The hash of a word as [`words`] gives it.
pub(in crate::store) fn of_word(word: &str) -> u64 {
    const WORDS: u64 = 1;
    match word.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        true => xxhash_rust::xxh3::xxh3_64_with_seed(word.to_lowercase().as_bytes(), WORDS),
        false => xxhash_rust::xxh3::xxh3_64_with_seed(word.as_bytes(), WORDS),
    }
}

/// The runs of letters and digits in a text.
pub(in crate::store) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Filter, of_word, words};

    #[test]
    fn none_is_missed_and_few_are_wrong() {
        let filter = Filter::new((0..1000).map(|n| of_word(&n.to_string())), 14);
        let filter = Filter::unseal(&filter.seal()).unwrap();
        assert!(Filter::unseal(&[]).is_err());
        let has = |n: &u64| filter.may_have(of_word(&n.to_string()));
        assert!((0..1000).all(|n| has(&n)));
        let wrong = (1000..101_000).filter(has).count();
        assert!(wrong < 200, "{wrong} of 100000");
        assert!(!Filter::new([].into_iter(), 14).may_have(7));
    }

    #[test]
    fn words_are_letters_and_digits() {
        let all: Vec<_> = words("GET /cart/{id}?q=Über-1_x").collect();
        assert_eq!(all, ["GET", "cart", "id", "q", "Über", "1", "x"]);
        assert_eq!(of_word("Über"), of_word("über"));
        assert_ne!(of_word("get"), of_word("got"));
    }
}
