//! Rotation of pairs of elements by an angle that grows with the position (Su et al. 2021).

use super::OP;
use crate::buffer::Buffer;
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape, checked_area};

/// Sines and cosines of positions `0..limit`: pair i of position s turns by `s * theta^(-2 i / depth)`, computed in f64 and rounded to f32.
pub struct Rotary {
    half: usize,
    /// `[limit, half]`
    cosines: Buffer<f32>,
    sines: Buffer<f32>,
}

impl Rotary {
    /// Tables for heads of `depth` elements (even).
    ///
    /// # Errors
    /// `Range` where a size is 0, the depth is odd, or theta is not a number above 0; `Memory`.
    pub fn new(limit: usize, depth: usize, theta: f64) -> Result<Self> {
        check_range(OP, What::Positions, 1, i64::from(i32::MAX), limit as i64)?;
        check_range(OP, What::Depth, 2, i64::from(i32::MAX), depth as i64)?;
        check_shape(OP, What::Depth, 0, depth % 2)?;
        if !(theta > 0.0 && theta.is_finite()) {
            return Err(KernelError::new(ErrorCode::Range, OP, What::Scale, 0, theta as i64));
        }
        let half = depth / 2;
        let size = checked_area(OP, limit, half)?;
        let (mut cosines, mut sines) = (Buffer::zeroed(OP, size)?, Buffer::zeroed(OP, size)?);
        for i in 0..half {
            let frequency = libm::pow(theta, -2.0 * i as f64 / depth as f64);
            for s in 0..limit {
                let angle = s as f64 * frequency;
                cosines[s * half + i] = libm::cos(angle) as f32;
                sines[s * half + i] = libm::sin(angle) as f32;
            }
        }
        Ok(Self { half, cosines, sines })
    }

    /// Elements of a head.
    pub fn depth(&self) -> usize {
        2 * self.half
    }

    /// Turns y `[batch, positions, heads * depth]` in place: of each head the pairs `(i, i + depth / 2)` become `(a cos - b sin, b cos + a sin)`, each step rounded.
    ///
    /// # Errors
    /// `Range` where there are more positions than the tables hold, `Shape` where the length does not fit.
    pub fn run(&self, y: &mut [f32], positions: usize, heads: usize) -> Result<()> {
        let half = self.half;
        check_range(OP, What::Positions, 1, (self.cosines.len() / half) as i64, positions as i64)?;
        check_range(OP, What::Heads, 1, i64::from(i32::MAX), heads as i64)?;
        let width = checked_area(OP, heads, 2 * half)?;
        let sequence = checked_area(OP, positions, width)?;
        check_shape(OP, What::Length, 0, y.len() % sequence)?;
        for y in y.chunks_exact_mut(sequence) {
            let tables = self.cosines.chunks_exact(half).zip(self.sines.chunks_exact(half));
            for (row, (cosines, sines)) in y.chunks_exact_mut(width).zip(tables) {
                for head in row.chunks_exact_mut(2 * half) {
                    let (a, b) = head.split_at_mut(half);
                    for ((a, b), (cos, sin)) in a.iter_mut().zip(b).zip(cosines.iter().zip(sines)) {
                        (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                    }
                }
            }
        }
        Ok(())
    }
}
