//! Two levels per column, with what is lost added to the next gradient.

use super::OP;
use crate::error::{Result, What, check_range, check_shape};

/// With v = x + residual: codes 1 where v < 0, and per run of `group` numbers (the last one shorter) the levels `[of code 0, of code 1]`, which are the means
/// of the v with either code (0 where none is), or with `symmetric` plus and minus the mean of |v|. The residual becomes v minus the level, rounded to f32.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` for a group of none.
pub fn one_bit(
    x: &[f32],
    residual: &mut [f32],
    group: usize,
    symmetric: bool,
    codes: &mut [u8],
    levels: &mut [f32],
) -> Result<()> {
    check(codes.len(), group, levels.len(), x.len())?;
    check_shape(OP, What::Length, x.len(), residual.len())?;
    let parts = x.chunks(group).zip(residual.chunks_mut(group)).zip(codes.chunks_mut(group));
    for (((x, residual), codes), levels) in parts.zip(levels.chunks_exact_mut(2)) {
        let (mut sums, mut counts) = ([0.0_f64; 2], [0_u32; 2]);
        for ((x, residual), code) in x.iter().zip(&mut *residual).zip(&mut *codes) {
            *residual += x;
            *code = u8::from(*residual < 0.0);
            let (side, value) = if symmetric { (0, residual.abs()) } else { (usize::from(*code), *residual) };
            sums[side] += f64::from(value);
            counts[side] += 1;
        }
        let mean = |sum: f64, count: u32| if count == 0 { 0.0 } else { (sum / f64::from(count)) as f32 };
        if symmetric {
            let scale = mean(sums[0], counts[0]);
            levels.copy_from_slice(&[scale, -scale]);
        } else {
            levels.copy_from_slice(&[mean(sums[0], counts[0]), mean(sums[1], counts[1])]);
        }
        for (residual, &code) in residual.iter_mut().zip(&*codes) {
            *residual -= levels[usize::from(code)];
        }
    }
    Ok(())
}

/// The level of each code.
///
/// # Errors
/// As [`one_bit`]; `Range` where a code is above 1.
pub fn two_levels(codes: &[u8], group: usize, levels: &[f32], y: &mut [f32]) -> Result<()> {
    check(codes.len(), group, levels.len(), y.len())?;
    for ((codes, levels), y) in codes.chunks(group).zip(levels.chunks_exact(2)).zip(y.chunks_mut(group)) {
        for (&code, y) in codes.iter().zip(y) {
            check_range(OP, What::Code, 0, 1, i64::from(code))?;
            *y = levels[usize::from(code)];
        }
    }
    Ok(())
}

fn check(codes: usize, group: usize, levels: usize, floats: usize) -> Result<()> {
    check_range(OP, What::GroupSize, 1, i64::MAX, group as i64)?;
    check_shape(OP, What::Codes, floats, codes)?;
    check_shape(OP, What::Groups, 2 * floats.div_ceil(group), levels)
}
