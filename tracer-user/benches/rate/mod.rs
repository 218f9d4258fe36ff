//! How benchmarks say how fast something went.

use std::time::Duration;

/// Millions a second, of `count` things that took so long each time (sorted): min / median / max.
pub(crate) fn per_second(took: &[Duration], count: usize) -> String {
    let of =
        |it: Option<&Duration>| it.map_or(f64::NAN, |it| count as f64 / it.as_secs_f64() / 1e6);
    let (min, max) = (of(took.last()), of(took.first()));
    format!("{min:.2} / {:.2} / {max:.2}", of(took.get(took.len() / 2)))
}
