//! Decoding by the definition.

use super::Decoding;

/// `w[n, k]` of codes already unpacked (`[n, positions]`), each product rounded once; `scale(n, k)` and `zero(n, k)` by position.
#[must_use]
pub fn decode(
    codes: &[u8],
    depth: usize,
    decoding: &Decoding<'_>,
    scale: impl Fn(usize, usize) -> f32,
    zero: impl Fn(usize, usize) -> i32,
) -> Vec<f32> {
    let dimension = decoding.dimension();
    (0..codes.len() * dimension)
        .map(|i| {
            let (n, k) = (i / depth, i % depth);
            let code = usize::from(codes[i / dimension]);
            let level = match decoding {
                Decoding::Sign => 1.0 - 2.0 * code as f32,
                Decoding::Affine { .. } => (code as i32 - zero(n, k)) as f32,
                Decoding::Table { codebook } => codebook[code],
                Decoding::Product { codebook, .. } => codebook[code * dimension + k % dimension],
                other => unreachable!("{other:?} is not multiplied here"),
            };
            level * scale(n, k)
        })
        .collect()
}
