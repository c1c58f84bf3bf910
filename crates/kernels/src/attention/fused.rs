//! The fused product, softmax, product.

use super::OP;
use crate::buffer::{Arena, lines_for};
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape, checked_area};
use crate::exp::Exp;
use crate::gemm_f32::blocked::{DEPTH, Panels, Part, Product, scratch_lines};
use crate::gemm_f32::panels::{padded_columns, panels};
use crate::gemm_f32::with_tile;
use crate::lanes::{max, sum};
use crate::tier::Tier;

/// Queries of a block.
const ROWS: usize = 64;

/// Which keys a query sees, or how much.
#[derive(Clone, Copy, Debug)]
pub enum Mask<'a> {
    /// All of them.
    None,
    /// `[batch, keys]`: those that are not 0.
    Keep(&'a [i32]),
    /// The same in 64 bits.
    KeepI64(&'a [i64]),
    /// Added to the scaled dots: element (b, h, s, t) is `values[b * strides[0] + h * strides[1] + s * strides[2] + t]`, where a stride of 0 repeats.
    Add {
        /// As far as the strides reach.
        values: &'a [f32],
        /// Of batch, head and query.
        strides: [usize; 3],
    },
}

/// The sizes of an attention. q and y are `[batch, queries, heads * depth]`, k and v `[batch, keys, kv_heads * depth]`, a head's elements side by side; head h reads those of
/// head `h / (heads / kv_heads)`.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    /// Sequences.
    pub batch: usize,
    /// Positions of q.
    pub queries: usize,
    /// Positions of k and v.
    pub keys: usize,
    /// Of q.
    pub heads: usize,
    /// Of k and v; divides `heads`.
    pub kv_heads: usize,
    /// Elements of a head.
    pub depth: usize,
    /// Of the dots.
    pub scale: f32,
    /// Query s sees the keys `0..=s + keys - queries` only.
    pub causal: bool,
}

/// Weights that lie in panels: keys as the columns of scores, or values.
struct Packed<'a> {
    panels: &'a [f32],
    k: usize,
}

impl Panels for Packed<'_> {
    const READY: bool = true;
    const NARROW: bool = true;

    fn part<'a>(&'a self, part: Part, _: &'a mut [f32]) -> &'a [f32] {
        let Part { first, width, start, depth, .. } = part;
        &self.panels[first * self.k + start * width..][..depth * width]
    }
}

impl Attention {
    /// Checks the sizes.
    ///
    /// # Errors
    /// `Range` where one is 0, the heads do not divide or the scale is not finite; `Memory` where a product of sizes leaves the address space.
    pub fn check(&self) -> Result<()> {
        let sizes = [
            (What::Rows, self.batch),
            (What::Positions, self.queries),
            (What::Positions, self.keys),
            (What::Heads, self.heads),
            (What::Heads, self.kv_heads),
            (What::Depth, self.depth),
        ];
        for (what, size) in sizes {
            check_range(OP, what, 1, i64::from(i32::MAX), size as i64)?;
        }
        check_shape(OP, What::Heads, 0, self.heads % self.kv_heads)?;
        if !self.scale.is_finite() {
            return Err(KernelError::new(ErrorCode::Range, OP, What::Scale, 0, self.scale as i64));
        }
        let width = checked_area(OP, self.heads, self.depth)?;
        checked_area(OP, checked_area(OP, self.batch, self.queries)?, width)?;
        checked_area(OP, checked_area(OP, self.batch, self.keys)?, width)?;
        checked_area(OP, self.keys + 16, (ROWS + 2 * self.depth + 32) * size_of::<f32>())?;
        Ok(())
    }

    /// Lines of scratch that [`Self::run`] takes.
    pub fn scratch_lines(&self) -> usize {
        let rows = ROWS.min(self.queries);
        lines_for::<f32>(padded_columns(self.keys) * self.depth)
            + lines_for::<f32>(padded_columns(self.depth) * self.keys)
            + lines_for::<f32>(rows * self.depth)
            + lines_for::<f32>(rows * self.keys)
            + lines_for::<f32>(padded_columns(self.keys.max(self.depth)))
            + lines_for::<f32>(self.keys)
            + scratch_lines(rows, DEPTH.min(self.keys.max(self.depth)), true)
    }

    /// Computes all batches and heads.
    ///
    /// # Errors
    /// What [`Self::check`] refuses; `Shape` where a slice does not have its length.
    pub fn run(
        &self,
        tier: Tier,
        [q, k, v]: [&[f32]; 3],
        mask: Mask<'_>,
        y: &mut [f32],
        mut scratch: Arena<'_>,
    ) -> Result<()> {
        self.check()?;
        let Self { batch, queries, keys, heads, kv_heads, depth, .. } = *self;
        let (width, kv_width) = (heads * depth, kv_heads * depth);
        check_shape(OP, What::Length, batch * queries * width, q.len())?;
        check_shape(OP, What::Length, batch * keys * kv_width, k.len())?;
        check_shape(OP, What::Length, batch * keys * kv_width, v.len())?;
        check_shape(OP, What::Length, batch * queries * width, y.len())?;
        match mask {
            Mask::None => {}
            Mask::Keep(keep) => check_shape(OP, What::Length, batch * keys, keep.len())?,
            Mask::KeepI64(keep) => check_shape(OP, What::Length, batch * keys, keep.len())?,
            Mask::Add { values, strides } => {
                let reach = (batch - 1) * strides[0] + (heads - 1) * strides[1] + (queries - 1) * strides[2];
                check_range(OP, What::Length, (reach + keys) as i64, i64::MAX, values.len() as i64)?;
            }
        }
        let key_panels = scratch.take::<f32>(padded_columns(keys) * depth);
        let value_panels = scratch.take::<f32>(padded_columns(depth) * keys);
        let rows = ROWS.min(queries);
        let block = scratch.take::<f32>(rows * depth);
        let scores = scratch.take::<f32>(rows * keys);
        let none = scratch.take::<f32>(padded_columns(keys.max(depth)));
        let kept = scratch.take::<f32>(keys);
        // x + -0 is x for every x.
        none.fill(-0.0);
        for b in 0..batch {
            self.keep(mask, b, kept);
            for kv_head in 0..kv_heads {
                let at = b * keys * kv_width + kv_head * depth;
                pack_columns(&k[at..], kv_width, keys, depth, key_panels);
                pack_rows(&v[at..], kv_width, keys, depth, value_panels);
                let (key_panels, value_panels) =
                    (Packed { panels: key_panels, k: depth }, Packed { panels: value_panels, k: keys });
                for head in kv_head * (heads / kv_heads)..(kv_head + 1) * (heads / kv_heads) {
                    for first in (0..queries).step_by(ROWS) {
                        let count = ROWS.min(queries - first);
                        let at = (b * queries + first) * width + head * depth;
                        let block = &mut block[..count * depth];
                        for (row, q) in block.chunks_exact_mut(depth).zip(q[at..].chunks(width)) {
                            row.copy_from_slice(&q[..depth]);
                        }
                        let scores = &mut scores[..count * keys];
                        let product = |n, k, bias, stride| Product {
                            n,
                            k,
                            depth: DEPTH.min(k),
                            bias,
                            clamp: (f32::NEG_INFINITY, f32::INFINITY),
                            stride,
                        };
                        let dots = product(keys, depth, none, keys);
                        with_tile!(tier, T => dots.run::<T, _>(&key_panels, block, scores, scratch.rest()));
                        let mut factors = [0.0; ROWS];
                        for (r, (row, factor)) in scores.chunks_exact_mut(keys).zip(&mut factors).enumerate()
                        {
                            let bias = match mask {
                                Mask::None => None,
                                Mask::Add { values, strides } => {
                                    let [by_batch, by_head, by_query] = strides;
                                    let at = b * by_batch + head * by_head + (first + r) * by_query;
                                    Some(&values[at..][..keys])
                                }
                                _ => Some(&*kept),
                            };
                            *factor = self.weights(tier, row, bias, first + r);
                        }
                        let sums = product(depth, keys, none, width);
                        let y = &mut y[at..];
                        with_tile!(tier, T => sums.run::<T, _>(&value_panels, scores, y, scratch.rest()));
                        for (y, factor) in y.chunks_mut(width).zip(&factors[..count]) {
                            for y in &mut y[..depth] {
                                *y *= factor;
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// What a mask of keys adds to the dots of one sequence.
    fn keep(&self, mask: Mask<'_>, b: usize, kept: &mut [f32]) {
        let added = |keep: bool| if keep { 0.0 } else { f32::NEG_INFINITY };
        let range = b * self.keys..(b + 1) * self.keys;
        match mask {
            Mask::Keep(keep) => {
                kept.iter_mut().zip(&keep[range]).for_each(|(kept, k)| *kept = added(*k != 0));
            }
            Mask::KeepI64(keep) => {
                kept.iter_mut().zip(&keep[range]).for_each(|(kept, k)| *kept = added(*k != 0));
            }
            _ => {}
        }
    }

    /// Turns a row of dots into the exponentials of query `s`; the factor that makes them weights.
    fn weights(&self, tier: Tier, row: &mut [f32], bias: Option<&[f32]>, s: usize) -> f32 {
        let seen = if self.causal {
            (s + 1 + self.keys).saturating_sub(self.queries).min(self.keys)
        } else {
            self.keys
        };
        let (row, hidden) = row.split_at_mut(seen);
        hidden.fill(0.0);
        match bias {
            Some(bias) => row.iter_mut().zip(bias).for_each(|(x, bias)| *x = *x * self.scale + bias),
            None => row.iter_mut().for_each(|x| *x *= self.scale),
        }
        let largest = max(tier, row);
        if largest == f32::NEG_INFINITY {
            // Every key is hidden, or there are NaNs, which stay.
            for x in row {
                *x = if x.is_nan() { *x } else { 0.0 };
            }
            return 1.0;
        }
        let exp = Exp::new();
        for x in &mut *row {
            *x = exp.of(*x - largest);
        }
        1.0 / sum(tier, row)
    }
}

/// Keys `[count][stride]` of `depth` elements each as columns: `[panel][element][key]`.
fn pack_columns(k: &[f32], stride: usize, count: usize, depth: usize, out: &mut [f32]) {
    for (first, width, real) in panels(count) {
        let panel = &mut out[first * depth..][..width * depth];
        for column in 0..width {
            let row = if column < real { &k[(first + column) * stride..][..depth] } else { &[] };
            for (i, out) in panel[column..].iter_mut().step_by(width).enumerate() {
                *out = row.get(i).copied().unwrap_or(0.0);
            }
        }
    }
}

/// Values `[count][stride]` of `depth` elements each: `[panel][value][element]`.
fn pack_rows(v: &[f32], stride: usize, count: usize, depth: usize, out: &mut [f32]) {
    for (first, width, real) in panels(depth) {
        let panel = &mut out[first * count..][..width * count];
        for (out, v) in panel.chunks_exact_mut(width).zip(v.chunks(stride)) {
            out[..real].copy_from_slice(&v[first..][..real]);
            out[real..].fill(0.0);
        }
    }
}
