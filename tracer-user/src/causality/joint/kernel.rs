//! Bell curves by which counts are spread over neighbouring bins.

use std::sync::LazyLock;

/// Curves reach this many bandwidths to each side.
const REACH: f32 = 2.5;
/// Bandwidths, in bins: below the first nothing is gained, beyond the last nothing is left.
const BANDWIDTHS: [f32; 10] = [0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0];

static KERNELS: LazyLock<[Kernel; BANDWIDTHS.len()]> =
    LazyLock::new(|| BANDWIDTHS.map(Kernel::new));

/// One curve.
#[derive(Debug)]
pub(super) struct Kernel {
    /// Whole bins within a bandwidth to each side.
    near: usize,
    /// By distance; both sides together sum up to 1.
    weights: Vec<f32>,
}

/// The narrowest curve for which `enough` holds of the bins within its bandwidth to each side, or
/// the widest.
pub(super) fn narrowest(enough: impl Fn(usize) -> bool) -> &'static Kernel {
    let [.., widest] = &*KERNELS;
    KERNELS.iter().find(|kernel| enough(kernel.near)).unwrap_or(widest)
}

impl Kernel {
    fn new(bandwidth: f32) -> Self {
        let weight = |distance: usize| (-0.5 * (distance as f32 / bandwidth).powi(2)).exp();
        let mut weights: Vec<_> = (0..=(REACH * bandwidth) as usize).map(weight).collect();
        let all = 2.0 * weights.iter().sum::<f32>() - 1.0;
        weights.iter_mut().for_each(|weight| *weight /= all);
        Self { near: bandwidth as usize, weights }
    }

    /// Adds what was counted at a bin to it and to its neighbours.
    pub(super) fn spread(&self, at: usize, count: f32, over: &mut [f32]) {
        let reach = self.weights.len() - 1;
        let from = at.saturating_sub(reach);
        for (i, sum) in over.iter_mut().enumerate().take(at + reach + 1).skip(from) {
            *sum += count * self.weights.get(i.abs_diff(at)).copied().unwrap_or(0.0);
        }
    }
}
