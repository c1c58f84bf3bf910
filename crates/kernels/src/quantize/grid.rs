//! Rounding to a uniform grid.

use super::OP;
use super::grouping::Grouping;
use crate::error::{Result, What, check_range, check_shape};

/// `code = clamp(round_ties_even((x - offset[g]) / scale[g]) + zero_point[g], min_code, max_code)`; it stands for
/// `f32(code - zero_point[g]) * scale[g] + offset[g]`.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'a> {
    /// Per group.
    pub scale: &'a [f32],
    /// One, or per group; within ±2^20.
    pub zero_points: &'a [i32],
    /// Per group, or none: 0.
    pub offsets: &'a [f32],
    /// 0..=255, at most `max_code`.
    pub min_code: i32,
    /// 0..=255
    pub max_code: i32,
}

impl Grid<'_> {
    /// The code of every x.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` where a code's bound or a zero point is out of range.
    pub fn codes(&self, grouping: &Grouping, x: &[f32], codes: &mut [u8]) -> Result<()> {
        self.check(grouping, x)?;
        check_shape(OP, What::Codes, x.len(), codes.len())?;
        for (group, (x, codes)) in grouping.split(x).zip(grouping.split_mut(codes)).enumerate() {
            let (scale, zero, offset) = self.cell(group);
            for (x, code) in x.iter().zip(codes) {
                *code = self.code(*x - offset, scale, zero) as u8;
            }
        }
        Ok(())
    }

    /// Per group, the sum of the squared differences between x and what its code stands for, in f64.
    ///
    /// # Errors
    /// As [`Self::codes`].
    pub fn errors(&self, grouping: &Grouping, x: &[f32], errors: &mut [f64]) -> Result<()> {
        self.check(grouping, x)?;
        check_shape(OP, What::Groups, grouping.groups(), errors.len())?;
        for (group, (x, error)) in grouping.split(x).zip(errors).enumerate() {
            let (scale, zero, offset) = self.cell(group);
            let squared = |x: &f32| {
                let value = (self.code(*x - offset, scale, zero) - zero) as f32 * scale + offset;
                let difference = f64::from(*x) - f64::from(value);
                difference * difference
            };
            *error = x.iter().map(squared).fold(0.0, |sum, e| sum + e);
        }
        Ok(())
    }

    pub(crate) fn check(&self, grouping: &Grouping, x: &[f32]) -> Result<()> {
        grouping.check(x.len(), &[self.scale.len()])?;
        if self.zero_points.len() != 1 {
            check_shape(OP, What::ZeroPoint, grouping.groups(), self.zero_points.len())?;
        }
        if !self.offsets.is_empty() {
            check_shape(OP, What::Groups, grouping.groups(), self.offsets.len())?;
        }
        for &zero in self.zero_points {
            check_range(OP, What::ZeroPoint, -(1 << 20), 1 << 20, i64::from(zero))?;
        }
        check_range(OP, What::Code, 0, 255, i64::from(self.max_code))?;
        check_range(OP, What::Code, 0, i64::from(self.max_code), i64::from(self.min_code))
    }

    /// Scale, zero point and offset of a group.
    pub(crate) fn cell(&self, group: usize) -> (f32, i32, f32) {
        let zero = *self.zero_points.get(group).unwrap_or(&self.zero_points[0]);
        (self.scale[group], zero, *self.offsets.get(group).unwrap_or(&0.0))
    }

    /// The code of one x.
    pub(crate) fn code_of(&self, x: f32, group: usize) -> u8 {
        let (scale, zero, offset) = self.cell(group);
        self.code(x - offset, scale, zero) as u8
    }

    /// What a code stands for.
    pub(crate) fn decoded(&self, code: u8, group: usize) -> f32 {
        let (scale, zero, offset) = self.cell(group);
        (i32::from(code) - zero) as f32 * scale + offset
    }

    /// What one x becomes.
    pub(crate) fn value(&self, x: f32, group: usize) -> f32 {
        self.decoded(self.code_of(x, group), group)
    }

    #[inline(always)]
    fn code(&self, x: f32, scale: f32, zero: i32) -> i32 {
        // Saturating at int32 and cut to 2^24 the sum cannot wrap, and any larger quotient is beyond every grid.
        let steps = ((x / scale).round_ties_even() as i32).clamp(-(1 << 24), 1 << 24);
        (steps + zero).clamp(self.min_code, self.max_code)
    }
}
