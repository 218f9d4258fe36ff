//! Which columns of a table there is room for: a number that is cut is another number.

/// A column of fixed width.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column<T> {
    /// What it shows.
    pub(super) what: T,
    pub(super) width: u16,
    /// Those with the least leave first.
    pub(super) weight: u8,
}

/// The columns that fit beside one that takes the rest and has to have `least`.
pub(super) fn fitting<T: Copy>(all: &[Column<T>], least: u16, width: u16) -> Vec<Column<T>> {
    let mut kept = all.to_vec();
    let taken = |kept: &[Column<T>]| kept.iter().map(|it| it.width + 1).sum::<u16>();
    while taken(&kept).saturating_add(least) > width
        && let Some(lightest) = (0..kept.len()).min_by_key(|at| kept.get(*at).map(|it| it.weight))
    {
        kept.remove(lightest);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{Column, fitting};

    #[test]
    fn the_lightest_leave_first_and_the_order_stays() {
        let column = |what, weight| Column { what, width: 9, weight };
        let all = [column('a', 2), column('b', 9), column('c', 1)];
        let kept = |width| fitting(&all, 20, width).iter().map(|it| it.what).collect::<String>();
        assert_eq!([50, 49, 40, 39, 30, 29, 0].map(kept), ["abc", "ab", "ab", "b", "b", "", ""]);
    }
}
