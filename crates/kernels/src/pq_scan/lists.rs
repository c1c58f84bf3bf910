//! Codes with what is added to their sums, as an inverted file has them.

use super::{OP, PqCodes};
use crate::error::{Result, What, check_shape};
use crate::pq_tables::magnitude;

/// Codes of a list, to whose sums of entries something is added.
///
/// For squared distances of residuals r of a list with centroid c, `|q - c - r|² = Σ |q_m - r_m|² + (|c|² + 2 <c, r>) - 2 <q, c>`: the tables are those of the query and serve all lists, `offsets` are of the
/// codes, `base` of query and list (Jégou, Douze, Schmid 2011, section IV; the decomposition is that of Faiss' precomputed tables, with one number a code in place of M x 256 a list).
#[derive(Clone, Copy, Debug)]
pub struct PqList<'a> {
    /// With an id for each.
    pub codes: PqCodes<'a>,
    /// `[n]`
    pub offsets: &'a [f32],
    /// Of all of them.
    pub base: f32,
}

impl PqList<'_> {
    /// Refuses another number of offsets, and values that are not finite. Returns the largest magnitude of what is added.
    pub(super) fn check(&self) -> Result<f32> {
        check_shape(OP, What::Scale, self.codes.n, self.offsets.len())?;
        Ok(magnitude(OP, self.offsets)? + magnitude(OP, &[self.base])?)
    }
}

/// What is added to the sums of a list's codes; nothing where there are no offsets.
#[derive(Clone, Copy)]
pub(super) struct Shifts<'a> {
    offsets: Option<&'a [f32]>,
    base: f32,
}

impl<'a> Shifts<'a> {
    pub(super) const NONE: Self = Self { offsets: None, base: 0.0 };

    pub(super) const fn of(list: &PqList<'a>) -> Self {
        Self { offsets: Some(list.offsets), base: list.base }
    }

    pub(super) const fn are_there(&self) -> bool {
        self.offsets.is_some()
    }

    /// Of a code.
    #[inline(always)]
    pub(super) fn at(&self, position: usize) -> f32 {
        self.offsets.map_or(0.0, |offsets| offsets[position] + self.base)
    }

    /// Of some of its codes, which stand for the others.
    pub(super) fn typical(&self) -> f64 {
        let some = self.offsets.map_or(&[][..], |offsets| &offsets[..offsets.len().min(64)]);
        let sum: f64 = some.iter().map(|offset| f64::from(*offset)).sum();
        f64::from(self.base) + sum / some.len().max(1) as f64
    }
}
