//! Huffman-coded strings (RFC 7541 section 5.2). The code is canonical: the lengths of its words
//! say all of it.

/// Length of each symbol's code word in bits (RFC 7541 appendix B); the last one is EOS.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];
const EOS: u16 = 256;
/// `*`, with which secrets are masked, has a word of one byte.
pub(super) const STAR: u8 = 0xf9;
const LONGEST: usize = 30;
const SHORTEST: usize = 5;

/// The code by lengths.
struct Code {
    /// The first 32-bit number that no word of this length or a shorter one begins.
    limit: [u64; LONGEST + 1],
    /// What has to be added to a word to get its place among the symbols.
    offset: [i64; LONGEST + 1],
    /// Symbols by their words, in order.
    symbols: [u16; 257],
}

const CODE: Code = code();
const WORDS: [u32; 257] = words();

/// Each symbol's word.
const fn words() -> [u32; 257] {
    let mut words = [0; 257];
    let mut place = 0;
    while place < CODE.symbols.len() {
        let symbol = CODE.symbols[place] as usize;
        words[symbol] = (place as i64 - CODE.offset[LENGTHS[symbol] as usize]) as u32;
        place += 1;
    }
    words
}

const fn code() -> Code {
    let mut code = Code { limit: [0; LONGEST + 1], offset: [0; LONGEST + 1], symbols: [0; 257] };
    let (mut word, mut place, mut length) = (0u64, 0usize, SHORTEST);
    while length <= LONGEST {
        code.offset[length] = place as i64 - word as i64;
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                code.symbols[place] = symbol as u16;
                place += 1;
                word += 1;
            }
            symbol += 1;
        }
        code.limit[length] = word << (32 - length);
        word <<= 1;
        length += 1;
    }
    code
}

/// How many bits the word of a byte has.
pub(in crate::protocol) fn bits(byte: u8) -> u8 {
    LENGTHS.get(usize::from(byte)).copied().unwrap_or(0)
}

/// A string in the making.
#[derive(Debug, Default)]
pub(super) struct Coded {
    bytes: Vec<u8>,
    held: u64,
    bits: u32,
}

impl Coded {
    /// Adds a byte of text.
    pub(super) fn push(&mut self, byte: u8) {
        let length = u32::from(bits(byte));
        let word = WORDS.get(usize::from(byte)).copied().unwrap_or(0);
        self.held = self.held << length | u64::from(word);
        self.bits += length;
        while self.bits >= 8 {
            self.bits -= 8;
            self.bytes.push((self.held >> self.bits) as u8);
        }
    }

    /// The string, padded.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.bits > 0 {
            let padding = 8 - self.bits;
            self.bytes.push((self.held << padding) as u8 | ((1u16 << padding) - 1) as u8);
        }
        self.bytes
    }
}

/// Decodes a string; `None` if it holds EOS, or its padding is none (more than 7 bits, or not all
/// ones).
pub(super) fn decode(coded: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(coded.len() * 8 / SHORTEST);
    let (mut bits, mut held) = (0u64, 0usize);
    let mut rest = coded.iter();
    loop {
        while held <= 32 {
            let Some(byte) = rest.next() else { break };
            bits |= u64::from(*byte) << (56 - held);
            held += 8;
        }
        let ahead = bits >> 32;
        let length = (SHORTEST..=LONGEST)
            .find(|length| CODE.limit.get(*length).is_some_and(|limit| ahead < *limit));
        let Some(length) = length.filter(|length| *length <= held) else { break };
        let place = CODE.offset.get(length)? + (ahead >> (32 - length)) as i64;
        let symbol = *CODE.symbols.get(usize::try_from(place).ok()?)?;
        if symbol == EOS {
            return None;
        }
        text.push(symbol as u8);
        bits <<= length;
        held -= length;
    }
    let padding = if held == 0 { 0 } else { u64::MAX << (64 - held.min(64)) };
    (held < 8 && bits & padding == padding).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{Coded, STAR, decode};

    #[test]
    fn what_is_coded_is_decoded() {
        let text: Vec<u8> = (0..=255).chain(*b"www.example.com").collect();
        for length in [0, 1, 2, 3, 8, 200, text.len()] {
            let mut coded = Coded::default();
            text[..length].iter().for_each(|byte| coded.push(*byte));
            assert_eq!(decode(&coded.finish()).unwrap(), text[..length]);
        }
        assert_eq!(decode(&[STAR; 3]).unwrap(), b"***");
    }

    /// RFC 7541 appendix C.4.1 and C.6.1.
    #[test]
    fn strings_of_the_rfc() {
        let host = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(decode(&host).unwrap(), b"www.example.com");
        assert_eq!(decode(&[0x64, 0x02]).unwrap(), b"302");
        assert_eq!(decode(&[]).unwrap(), b"");
    }

    #[test]
    fn wrong_padding_and_eos_are_refused() {
        assert_eq!(decode(&[0x1f]).unwrap(), b"a");
        assert!(decode(&[0x18]).is_none(), "zeros");
        assert!(decode(&[0x64, 0x02, 0xff]).is_none(), "a byte of padding");
        assert!(decode(&[0xff; 4]).is_none(), "EOS");
        assert!(decode(&[0xff]).is_none());
    }
}
