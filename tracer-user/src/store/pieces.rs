//! Values cut so that redb has little to round up: it gives a value a power of two of pages.

const PAGE: usize = 4096;
/// What redb and the key take of the pages of a value that is alone in them.
const BESIDES: usize = 96;
/// The largest piece's pages.
const MOST: usize = 16 * PAGE;

/// The pieces of a value, numbered; an empty value has one.
pub(super) fn pieces(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let (mut rest, mut first) = (bytes, true);
    let pieces = std::iter::from_fn(move || {
        if rest.is_empty() && !first {
            return None;
        }
        first = false;
        let (piece, after) = rest.split_at(length(rest.len()));
        rest = after;
        Some(piece)
    });
    (0..).zip(pieces)
}

/// Of the next piece of so many bytes: as many pages as it fills.
fn length(bytes: usize) -> usize {
    let mut pages = MOST;
    while pages > PAGE && bytes < pages - BESIDES {
        pages /= 2;
    }
    bytes.min(pages - BESIDES)
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn pieces_make_up_the_value_and_fill_their_pages() {
        for length in [0, 1, 4000, 4001, 100_000, 1_000_000] {
            let bytes: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let cut: Vec<_> = pieces(&bytes).collect();
            assert!(cut.iter().enumerate().all(|(n, (number, _))| n == usize::from(*number)));
            assert_eq!(cut.iter().flat_map(|(_, piece)| piece.to_vec()).collect::<Vec<_>>(), bytes);
            let rounded = |(_, piece): &(u16, &[u8])| (piece.len() + 96).next_power_of_two();
            let taken: usize = cut.iter().map(rounded).map(|pages| pages.max(4096)).sum();
            assert!(taken <= length + 4096 + cut.len() * 96, "{length} takes {taken}");
        }
    }
}
