//! How N columns are cut into panels.

/// Columns of a panel.
pub(crate) const WIDE: usize = 16;
/// Columns of the last panel where no more are left.
pub(crate) const NARROW: usize = 8;

/// `(first column, panel width, columns that exist)` of every panel, in order.
pub(crate) fn panels(n: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..n).step_by(WIDE).map(move |column| {
        let real = (n - column).min(WIDE);
        (column, if real <= NARROW { NARROW } else { WIDE }, real)
    })
}

/// Columns of all panels together: N rounded up as the last panel is.
pub(crate) fn padded_columns(n: usize) -> usize {
    panels(n).last().map_or(0, |(column, width, _)| column + width)
}

/// Writes `w[n][k]` as `[panel][k][column]` into `out` (`padded_columns(n) * k` elements, zeros before the call).
pub(crate) fn pack(n: usize, k: usize, out: &mut [f32], at: impl Fn(usize, usize) -> f32) {
    for (first, width, real) in panels(n) {
        let panel = &mut out[first * k..][..width * k];
        for (position, columns) in panel.chunks_exact_mut(width).enumerate() {
            for (column, value) in columns[..real].iter_mut().enumerate() {
                *value = at(first + column, position);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_cover_every_column_once() {
        for n in 0..70 {
            let mut next = 0;
            for (first, width, real) in panels(n) {
                assert_eq!(first, next);
                assert!(real <= width && (real > NARROW || width == NARROW));
                next += real;
            }
            assert_eq!(next, n);
            assert!(padded_columns(n) >= n && padded_columns(n) < n + WIDE);
        }
    }
}
