//! f32 matrix product: `y[M, N] = clamp(x[M, K] · w[N, K]ᵀ + bias[N])`, and the product of two activations.
//!
//! **Order.** Every output element is one chain over ascending k, started at +0: `acc = acc + x[k] * w[k]`, each step rounded
//! twice (no fused multiply-add); then `+ bias`, then the clamp. Vectors run across output columns and never split a chain, so
//! every tier gives the same bits. A NaN stays a NaN through the clamp; its payload is not fixed.
//!
//! **Layout.** Weights are packed once into panels of 16 columns, `[panel][k][column]`; the last panel is 8 wide where that is
//! enough, and padded with zero columns whose results are not stored:
//!
//! ```text
//! panel 0: k=0: w[0][0] w[1][0] ... w[15][0] | k=1: w[0][1] ... | ...   panel 1: columns 16..
//! ```
//!
//! **Tile.** 4 rows by 8 columns over rows that are interleaved by fours, 256 positions at a time (`blocked.rs`): eight accumulators, two weights, a
//! broadcast activation and a product are live, which fits the 16 vector registers of x64; a position is 6 loads, 8 multiplications and 8 additions for
//! 32 multiply-adds. Rows that fours leave over go by 1 x 16.
//!
//! **Speed.** 22 instructions for 32 multiply-adds, 0.7 each, where a fused step, whose result engines may choose, would take 14. The limit on the machine of the record (x64,
//! AVX2) is two multiplications and two additions a cycle, 24 G/s at 3 GHz with or without fusing; 1024 x 1024 x 1024 runs at 15 to 16, 0.67 of it, and the tile alone, in the nearest cache
//! and with the core to itself, at 20. V8 13.6 makes 27 of the 22: two pointers and a comparison a position, and of every three positions two moves, a test of the stack and three
//! additions to the address of the memory. Those were three a position, 29 in all, until `scripts/wasm-offsets.mjs` put constants into the loads that repeat a number; it made
//! whole products 5 to 8 % faster (64 to 784 rows, 64 to 1024 columns).
//!
//! Dropped: 128 positions at a time (7 % slower: a tile's sums are loaded and stored twice as often), 2 x 16 (as fast), 3 x 12 (a third slower: spills), 5 x 8 and 6 x 8 (spill). Unrolling: LLVM puts the
//! additions to a sum side by side, whose numbers then do not stay in registers (a third slower), and with a branch between positions every distinct offset of a load that repeats costs V8 an
//! addition (7 to 10 % slower). 2 x 16 over rows that hold every number four times, eight positions to a turn, has no such load and 24 instructions, and is as fast in the nearest cache, but 4 to 10 % slower
//! over whole products. Rows where they lie (a K of 1024 puts all of them into the same lines of the cache).

pub(crate) mod blocked;
mod dense;
mod matmul;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
pub(crate) mod panels;
pub(crate) mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
pub(crate) mod simd128;

pub use dense::GemmF32;
pub(crate) use dense::{block_rows, check_clamp, padded_bias};
pub use matmul::MatmulF32;

/// The inner functions of a tier; `relaxed` uses those of `simd128`, since a relaxed multiply-add has no fixed result.
pub(crate) trait Tile {
    /// Whether rows are interleaved by fours.
    const STRIPS: bool;
    /// `strip[position][row]` of four rows, row r of x from `x[r * stride]` on.
    fn interleave(x: &[f32], stride: usize, strip: &mut [f32]);
    /// Continues `acc[row][column]` of a strip over the positions of a panel `[depth][width]` (width 8 or 16).
    fn strip(strip: &[f32], panel: &[f32], width: usize, acc: &mut [f32]);
    /// Continues `acc[column]` of one row.
    fn row(x: &[f32], panel: &[f32], width: usize, acc: &mut [f32]);
    /// `out = clamp(acc + bias)` over one row; a NaN stays.
    fn finish(acc: &[f32], bias: &[f32], clamp: (f32, f32), out: &mut [f32]);
}

/// Runs `$body` with `$tile` bound to the functions of `$tier`.
macro_rules! with_tile {
    ($tier:expr, $tile:ident => $body:expr) => {
        match $tier.effective() {
            crate::tier::Tier::Scalar => {
                type $tile = crate::gemm_f32::scalar::Scalar;
                $body
            }
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            crate::tier::Tier::Simd128 | crate::tier::Tier::Relaxed => {
                type $tile = crate::gemm_f32::simd128::Simd128;
                $body
            }
            #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
            _ => unreachable!("a tier that this build does not hold"),
        }
    };
}
pub(crate) use with_tile;

/// Writes the columns of one panel: `acc [rows][width]` to `y[row * stride..][..bias.len()]`.
pub(crate) fn finish<T: Tile>(
    acc: &[f32],
    width: usize,
    bias: &[f32],
    clamp: (f32, f32),
    y: &mut [f32],
    stride: usize,
) {
    for (acc, y) in acc.chunks_exact(width).zip(y.chunks_mut(stride)) {
        T::finish(&acc[..bias.len()], bias, clamp, &mut y[..bias.len()]);
    }
}
