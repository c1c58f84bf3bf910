//! HQQ's half-quadratic search for the offset of each group.

use super::OP;
use crate::error::{Result, What, check_range, check_shape};
use crate::quantize::Grouping;

/// The search.
#[derive(Clone, Copy, Debug)]
pub struct Hqq {
    /// The highest code, 1..=255.
    pub max_code: i32,
    /// p < 1 of the norm.
    pub norm: f64,
    /// β, and what it is multiplied by in every round.
    pub beta: [f64; 2],
    /// Rounds, at most.
    pub rounds: u32,
}

/// Per group the scale (max - min) / `max_code`, the offset that the search ends with, and the nearest codes under both: `w ≈ code * scale + offset`. Everything but these three is f64.
///
/// With u = w / scale and the offset -z: q = clamp(round(u + z)), r = u - (q - z), e = sign(r) max(|r| - |r|^(p-1) / β, 0), z ← mean(q - (u - e)), β ← β κ; until mean |r| no longer falls.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where `max_code` is none.
pub fn hqq(
    search: &Hqq,
    grouping: &Grouping,
    w: &[f32],
    scales: &mut [f32],
    offsets: &mut [f32],
    codes: &mut [u8],
) -> Result<()> {
    check_range(OP, What::Code, 1, 255, i64::from(search.max_code))?;
    grouping.check(w.len(), &[scales.len(), offsets.len()])?;
    check_shape(OP, What::Codes, w.len(), codes.len())?;
    let groups = grouping.split(w).zip(grouping.split_mut(codes));
    for ((w, codes), (scale, offset)) in groups.zip(scales.iter_mut().zip(offsets)) {
        let (min, max) = w.iter().fold((w[0], w[0]), |(min, max), &x| (min.min(x), max.max(x)));
        let steps = f64::from(search.max_code);
        // The least float where a smaller scale would round to 0.
        *scale = ((f64::from(max) - f64::from(min)) / steps).max(f64::from(f32::from_bits(1))) as f32;
        let z = search.zero(w, f64::from(*scale), -f64::from(min) / f64::from(*scale));
        *offset = (-z * f64::from(*scale)) as f32;
        for (code, &x) in codes.iter_mut().zip(w) {
            let place = (f64::from(x) - f64::from(*offset)) / f64::from(*scale);
            *code = place.round_ties_even().clamp(0.0, steps) as u8;
        }
    }
    Ok(())
}

impl Hqq {
    /// Of all z that the rounds pass through, from `z` on, the one with the least mean |r|.
    fn zero(&self, w: &[f32], scale: f64, mut z: f64) -> f64 {
        let (mut best, mut least, mut beta) = (z, f64::INFINITY, self.beta[0]);
        for _ in 0..self.rounds {
            let (mut sum, mut error) = (0.0, 0.0);
            for &x in w {
                let u = f64::from(x) / scale;
                let q = (u + z).round_ties_even().clamp(0.0, f64::from(self.max_code));
                let r = u - (q - z);
                let size = r.abs();
                let kept = (size - libm::pow(size, self.norm - 1.0) / beta).max(0.0);
                sum += q - (u - if r < 0.0 { -kept } else { kept });
                error += size;
            }
            if error >= least {
                break;
            }
            (best, least) = (z, error);
            z = sum / w.len() as f64;
            beta *= self.beta[1];
        }
        best
    }
}
