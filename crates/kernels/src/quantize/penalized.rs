//! The steps of entropy-constrained scalar quantization: levels that cost what their codes are long, and sums under a diagonal Hessian.

use super::OP;
use crate::error::{Result, What, check_range, check_shape};

/// Curvature counts as at least this, so that a weight that costs nothing goes to a level near it; callers bring the largest into 1..2.
const LEAST: f32 = 1.0 / (1_u64 << 40) as f32;

/// Weights that are looked at together.
const BLOCK: usize = 64;

/// `code[i] = argmin_c h_i (x_i - level_c)² + penalty_c` in f32 (the square first, then times h), the lowest of equal ones; h is 1 where `curvature` is empty, and 2^-40
/// where it is less.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where there are not 1..=256 levels.
pub fn penalized_codes(
    x: &[f32],
    curvature: &[f32],
    levels: &[f32],
    penalties: &[f32],
    codes: &mut [u8],
) -> Result<()> {
    check_range(OP, What::Codebook, 1, 256, levels.len() as i64)?;
    check_shape(OP, What::Codebook, levels.len(), penalties.len())?;
    check_shape(OP, What::Codes, x.len(), codes.len())?;
    check_curvature(x, curvature)?;
    let ones = [1.0; BLOCK];
    for (block, (x, codes)) in x.chunks(BLOCK).zip(codes.chunks_mut(BLOCK)).enumerate() {
        let h = curvature.get(block * BLOCK..).filter(|h| !h.is_empty()).unwrap_or(&ones);
        let h = &h[..x.len()];
        let (mut least, mut best) = ([f32::INFINITY; BLOCK], [0_u32; BLOCK]);
        for (index, (&level, &penalty)) in (0..).zip(levels.iter().zip(penalties)) {
            let lanes = least.iter_mut().zip(&mut best);
            for ((least, best), (&x, &h)) in lanes.zip(x.iter().zip(h)) {
                let h = if h < LEAST { LEAST } else { h };
                let cost = (x - level) * (x - level) * h + penalty;
                *best = if cost < *least { index } else { *best };
                *least = if cost < *least { cost } else { *least };
            }
        }
        for (code, best) in codes.iter_mut().zip(best) {
            *code = best as u8;
        }
    }
    Ok(())
}

/// Per level, `sums [levels, 4]` over ascending index in f64: the number of its weights, and the sums of h (2^-40 where it is less), h x and h x².
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where a code names no level.
pub fn level_sums(x: &[f32], curvature: &[f32], codes: &[u8], sums: &mut [f64]) -> Result<()> {
    check_shape(OP, What::Codes, x.len(), codes.len())?;
    check_shape(OP, What::Length, 0, sums.len() % 4)?;
    check_curvature(x, curvature)?;
    let sums = sums.as_chunks_mut::<4>().0;
    sums.fill([0.0; 4]);
    let last = sums.len() as i64 - 1;
    for (index, (&x, &code)) in x.iter().zip(codes).enumerate() {
        let h = f64::from(curvature.get(index).unwrap_or(&1.0).max(LEAST));
        let x = f64::from(x);
        check_range(OP, What::Code, 0, last, i64::from(code))?;
        for (sum, part) in sums[usize::from(code)].iter_mut().zip([1.0, h, h * x, h * x * x]) {
            *sum += part;
        }
    }
    Ok(())
}

fn check_curvature(x: &[f32], curvature: &[f32]) -> Result<()> {
    if curvature.is_empty() { Ok(()) } else { check_shape(OP, What::Length, x.len(), curvature.len()) }
}
