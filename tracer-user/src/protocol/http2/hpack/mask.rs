//! Header blocks without secrets, at the same length: the table that they make has the same entries, and
//! all frames stay where they are.

use std::ops::Range;

use super::decoder::{Decoder, Field, Literal};
use super::huffman::{Coded, STAR, bits, decode};
use crate::protocol::redact::{Pseudonym, mask_field};

/// What is left of what is no header block, or of none that is known: an index that no table has.
const BLANK: u8 = 0x80;

/// Masks a block, as far as it is one; the rest is blanked. With the fields that it has comes whether it
/// is whole. `ids`: how ids are told.
pub(in crate::protocol::http2) fn mask(
    decoder: &mut Decoder,
    block: &mut [u8],
    ids: &Pseudonym,
) -> (Vec<Field>, bool) {
    let (mut fields, mut values) = (vec![], vec![]);
    let (whole, read) = decoder.values(block, |field, literal| {
        values.extend(literal.map(|literal| (fields.len(), literal)));
        fields.push(field);
    });
    for (field, Literal { coded, start, end }) in values {
        let Some(field) = fields.get(field) else { continue };
        let Some(bytes) = block.get_mut(start..end) else { continue };
        // Of a name that is not known, nobody knows whether its value is secret.
        let name = field.name.as_deref().unwrap_or_default();
        if coded {
            masked(name, bytes, ids);
        } else {
            mask_field(name, bytes, ids);
        }
    }
    if let Some(rest) = block.get_mut(read..) {
        rest.fill(BLANK);
    }
    (fields, whole)
}

/// Masks a Huffman-coded value. What was masked may be shorter afterwards, as a text: a masked byte takes
/// eight bits, and the code as a whole has to end where it ended.
fn masked(name: &[u8], coded: &mut [u8], ids: &Pseudonym) {
    let Some(text) = decode(coded) else { return coded.fill(STAR) };
    let mut shown = text.clone();
    mask_field(name, &mut shown, ids);
    if shown == text {
        return;
    }
    let hidden = hidden(&text, &shown);
    let kept: usize = text.iter().map(|byte| usize::from(bits(*byte))).sum();
    let padding = (coded.len() * 8).saturating_sub(kept);
    let mut out = Coded::default();
    let (mut at, mut left) = (0, 0);
    for (number, run) in hidden.iter().enumerate() {
        shown.get(at..run.start).unwrap_or_default().iter().for_each(|byte| out.push(*byte));
        at = run.end;
        let size = |range: Range<usize>| -> usize {
            let bytes = text.get(range).unwrap_or_default();
            bytes.iter().map(|byte| usize::from(bits(*byte))).sum()
        };
        // What is left over of a run goes to the next one, and the padding to the last.
        let last = number + 1 == hidden.len();
        let room = size(run.clone()) + left + if last { padding } else { 0 };
        (0..room / 8).for_each(|_| out.push(b'*'));
        left = room % 8;
    }
    shown.get(at..).unwrap_or_default().iter().for_each(|byte| out.push(*byte));
    let out = out.finish();
    if out.len() == coded.len() {
        coded.copy_from_slice(&out);
    } else {
        coded.fill(STAR);
    }
}

/// Where bytes were masked: those whose word has another length now, or that are stars and were none.
fn hidden(text: &[u8], shown: &[u8]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = vec![];
    for (at, (was, is)) in text.iter().zip(shown).enumerate() {
        if was == is || (bits(*was) == bits(*is) && *is != b'*') {
            continue;
        }
        match runs.last_mut().filter(|run| run.end == at) {
            Some(run) => run.end = at + 1,
            None => runs.push(at..at + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::super::fixed::FIXED;
    use super::super::stories::stories;
    use super::{Decoder, Pseudonym, mask, mask_field};

    /// Without runs of stars, whose lengths may differ.
    fn short(value: &[u8]) -> Vec<u8> {
        let mut value = value.to_vec();
        value.dedup_by(|next, byte| *next == b'*' && *byte == b'*');
        value
    }

    /// Header blocks by several encoders: what is masked has the same fields, and no secret.
    #[test]
    fn masked_blocks_are_read_by_whoever_reads_them() {
        let (mut secrets, mut kept) = (0, 0);
        for story in stories() {
            let ids = Pseudonym::default();
            let (mut masker, mut reader) = (story.decoder(), story.decoder());
            for (number, (wire, fields)) in story.blocks().enumerate() {
                let mut block = wire.clone();
                assert!(mask(&mut masker, &mut block, &ids).1);
                assert_eq!(block.len(), wire.len());
                let (read, whole) = reader.decode(&block, 1000);
                assert!(whole && read.len() == fields.len(), "{story} {number}");
                for (read, (name, value)) in read.iter().zip(fields) {
                    assert_eq!(read.name.as_deref(), Some(name.as_bytes()), "{story} {number}");
                    let mut want = value.clone().into_bytes();
                    mask_field(name.as_bytes(), &mut want, &ids);
                    let read = read.value.as_deref().unwrap();
                    // What every connection knows is no secret; a byte may be less than a star.
                    let known = FIXED.iter().any(|known| *known == (&**name, &**value));
                    let same = known || short(read) == short(&want) || value.len() < 2;
                    assert!(same, "{story} {number} {name}: {read:?} {want:?}");
                    secrets += usize::from(want != value.as_bytes() && !known);
                    kept += usize::from(want == value.as_bytes());
                }
            }
        }
        assert!(secrets > 100 && kept > 100, "{secrets} {kept}");
    }

    #[test]
    fn what_is_no_block_is_blanked() {
        let ids = Pseudonym::default();
        // A literal that says it is longer than the block; then nothing is left of what follows.
        let mut block = [&[0x82, 0x00, 0x01, b'a', 0x7f][..], b"secret"].concat();
        assert!(!mask(&mut Decoder::new(true), &mut block, &ids).1);
        assert_eq!(block[0], 0x82);
        assert!(!block.windows(6).any(|it| it == b"secret"), "{block:?}");
    }

    /// Where the table is not known, a name may be that of a secret.
    #[test]
    fn values_of_unknown_names_are_masked() {
        let mut block = [&[0x7f, 0x00, 6][..], b"secret"].concat();
        mask(&mut Decoder::new(false), &mut block, &Pseudonym::default());
        assert_eq!(block[3..], *b"******");
    }
}
