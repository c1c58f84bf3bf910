//! `i64.popcnt` on quads: the specification, and in every tier the fastest form for a single row.
//!
//! Per 64 multiply-adds: one load, one xor, one popcount, one addition (masked: one `and` more). Four columns at a time keep
//! four sums independent. With the load of x and the loop it is 19 instructions for 256 multiply-adds in V8 13.6; the same source native, for AVX2, is 13, of 256
//! bits (LLVM counts the bits of bytes by shuffles): what holds WASM at 0.7 of native. The build switches off LLVM's superword vectoriser, which
//! turns the four popcounts into lane shuffles at about half the speed.

use super::Planes;

/// `acc[r][n] -= 2 * popcount((signs[r] ^ w[n]) & masks[r])` for every row; rows of `acc` are `stride` apart.
pub(super) fn subtract_differing(
    quads: &[u64],
    plane: usize,
    planes: &Planes<'_>,
    acc: &mut [i32],
    stride: usize,
) {
    for (r, acc) in acc.chunks_exact_mut(stride).enumerate() {
        subtract_row(quads, plane, planes, r, acc);
    }
}

/// Row `r` of [`subtract_differing`].
pub(super) fn subtract_row(quads: &[u64], plane: usize, planes: &Planes<'_>, r: usize, acc: &mut [i32]) {
    let signs = &planes.signs[r * plane..][..plane];
    match planes.masks {
        [] => columns::<false>(quads, signs, signs, acc),
        masks => columns::<true>(quads, signs, &masks[r * plane..][..plane], acc),
    }
}

/// Words of 64 to a turn of the loop, which is then 19 instructions a word and not 22 (V8 13.6): a twentieth of the time at 4096 x 4096.
const STEPS: usize = 2;

#[inline(always)]
fn columns<const MASKED: bool>(quads: &[u64], signs: &[u32], masks: &[u32], acc: &mut [i32]) {
    let depth = signs.len().div_ceil(2);
    let (signs, last_sign) = signs.as_chunks::<2>();
    let (masks, last_mask) = masks.as_chunks::<2>();
    for (quad, acc) in quads.chunks_exact(4 * depth).zip(acc.chunks_exact_mut(4)) {
        let mut sums = [0_u64; 4];
        let mut add = |sign: u64, mask: u64, weights: &[u64; 4]| {
            for (sum, w) in sums.iter_mut().zip(weights) {
                let differing = if MASKED { (sign ^ w) & mask } else { sign ^ w };
                *sum += u64::from(differing.count_ones());
            }
        };
        let (weights, _) = quad.as_chunks::<4>();
        let (sign_steps, rest) = signs.as_chunks::<STEPS>();
        for ((signs, masks), weights) in
            sign_steps.iter().zip(masks.as_chunks::<STEPS>().0).zip(weights.as_chunks::<STEPS>().0)
        {
            for ((sign, mask), weights) in signs.iter().zip(masks).zip(weights) {
                add(join(sign), join(mask), weights);
            }
        }
        let done = signs.len() - rest.len();
        for ((sign, mask), weights) in rest.iter().zip(&masks[done..]).zip(&weights[done..]) {
            add(join(sign), join(mask), weights);
        }
        if let ([sign], [mask]) = (last_sign, last_mask) {
            add(u64::from(*sign), u64::from(*mask), &weights[depth - 1]);
        }
        for (acc, sum) in acc.iter_mut().zip(sums) {
            *acc -= 2 * sum as i32;
        }
    }
}

/// Two words as one; a single unaligned load where the target has one.
#[inline(always)]
fn join(words: &[u32; 2]) -> u64 {
    u64::from(words[0]) | u64::from(words[1]) << 32
}
