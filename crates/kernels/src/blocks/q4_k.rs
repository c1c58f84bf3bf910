//! `Q4_K`: `w = d·s_j·code - m·t_j` with 6-bit integers `s_j`, `t_j` per sub-block j of 32 weights, and d, m numbers of f16.

use super::encode::half;

/// Weights of a sub-block.
const SUB_BLOCK: usize = 32;
/// The highest code.
const MAX_CODE: i32 = 15;
/// Grids that are tried beside the one of the whole range.
const STEPS: i32 = 20;

/// At most 256 weights: codes, and a scale `d·s_j` and an offset `-m·t_j` per sub-block.
pub(super) fn encode(x: &[f32], codes: &mut [u8], scales: &mut [f32], offsets: &mut [f32]) {
    let (mut real_scales, mut mins) = ([0.0_f32; 8], [0.0_f32; 8]);
    let (mut max_scale, mut max_min) = (0.0_f32, 0.0_f32);
    for (j, (x, codes)) in x.chunks(SUB_BLOCK).zip(codes.chunks_mut(SUB_BLOCK)).enumerate() {
        (real_scales[j], mins[j]) = fit(x, codes);
        if real_scales[j] > max_scale {
            max_scale = real_scales[j];
        }
        if mins[j] > max_min {
            max_min = mins[j];
        }
    }
    let inverse = |max: f32| if max > 0.0 { 63.0 / max } else { 0.0 };
    let (inverse_scale, inverse_min) = (inverse(max_scale), inverse(max_min));
    let (d, m) = (half(max_scale / 63.0), half(max_min / 63.0));
    // The integers travel through a byte in C, which wraps.
    let six_bits = |value: f32| f32::from((nearest_int(value) as u8).min(63));
    for (j, (x, codes)) in x.chunks(SUB_BLOCK).zip(codes.chunks_mut(SUB_BLOCK)).enumerate() {
        let scale = d * six_bits(inverse_scale * real_scales[j]);
        let min = m * six_bits(inverse_min * mins[j]);
        (scales[j], offsets[j]) = (scale, -min);
        if scale == 0.0 {
            continue;
        }
        for (x, code) in x.iter().zip(codes) {
            *code = nearest_int((x + min) / scale).clamp(0, MAX_CODE) as u8;
        }
    }
}

/// ggml's `make_qkx2_quants`: codes, the scale and the negated minimum of a sub-block by weighted least squares. Weights are the root mean square of the
/// sub-block plus |x|. From the grid over [min(x, 0), max x] on, each of 21 grids over a part or more of that range gives codes, these give a scale and a
/// minimum (at most 0) by regression, and the least weighted squared error wins.
fn fit(x: &[f32], codes: &mut [u8]) -> (f32, f32) {
    let squares = x.iter().fold(0.0, |sum, x| sum + x * x);
    let average = (squares / x.len() as f32).sqrt();
    let mut weights = [0.0_f32; SUB_BLOCK];
    for (weight, x) in weights.iter_mut().zip(x) {
        *weight = average + x.abs();
    }
    let (mut min, mut max) = (x[0], x[0]);
    let mut sum_w = weights[0];
    let mut sum_x = sum_w * x[0];
    for (&x, &w) in x.iter().zip(&weights).skip(1) {
        if x < min {
            min = x;
        }
        if x > max {
            max = x;
        }
        sum_w += w;
        sum_x += w * x;
    }
    if min > 0.0 {
        min = 0.0;
    }
    if max == min {
        codes.fill(0);
        return (0.0, -min);
    }
    let inverse = MAX_CODE as f32 / (max - min);
    let mut scale = 1.0 / inverse;
    assign(x, codes, inverse, min);
    let mut best = error(x, &weights, codes, scale, min);
    let mut tried = [0; SUB_BLOCK];
    let tried = &mut tried[..x.len()];
    for step in 0..=STEPS {
        // From the minimum that has been best so far.
        assign(x, tried, (-1.0 + 0.1 * step as f32 + MAX_CODE as f32) / (max - min), min);
        let (mut sum_l, mut sum_l2, mut sum_xl) = (0.0_f32, 0.0_f32, 0.0_f32);
        for ((&x, &w), &code) in x.iter().zip(&weights).zip(&*tried) {
            let l = f32::from(code);
            sum_l += w * l;
            sum_l2 += w * l * l;
            sum_xl += w * l * x;
        }
        let determinant = sum_w * sum_l2 - sum_l * sum_l;
        if determinant > 0.0 {
            let mut this_scale = (sum_w * sum_xl - sum_x * sum_l) / determinant;
            let mut this_min = (sum_l2 * sum_x - sum_l * sum_xl) / determinant;
            if this_min > 0.0 {
                this_min = 0.0;
                this_scale = sum_xl / sum_l2;
            }
            let this = error(x, &weights, tried, this_scale, this_min);
            if this < best {
                codes.copy_from_slice(tried);
                (best, scale, min) = (this, this_scale, this_min);
            }
        }
    }
    (scale, -min)
}

/// The codes of a grid from `min` in steps of 1 / `inverse`.
fn assign(x: &[f32], codes: &mut [u8], inverse: f32, min: f32) {
    for (x, code) in x.iter().zip(codes) {
        *code = nearest_int(inverse * (x - min)).clamp(0, MAX_CODE) as u8;
    }
}

fn error(x: &[f32], weights: &[f32], codes: &[u8], scale: f32, min: f32) -> f32 {
    let terms = x.iter().zip(weights).zip(codes).map(|((x, w), &code)| {
        let difference = scale * f32::from(code) + min - x;
        w * (difference * difference)
    });
    terms.fold(0.0, |sum, term| sum + term)
}

/// To the nearest integer, ties to even, for |value| < 2^22: adding 1.5 * 2^23 leaves it in the low bits. Beyond, whatever those bits hold, as in C.
fn nearest_int(value: f32) -> i32 {
    let bits = (value + 12_582_912.0).to_bits();
    (bits & 0x007f_ffff) as i32 - 0x0040_0000
}
