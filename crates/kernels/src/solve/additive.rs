//! Additive codes for the output of a layer instead of its weights: the steps of AQLM. The error of a row is `e H eᵀ`, e = w - ŵ.

use super::OP;
use crate::buffer::Buffer;
use crate::error::{Result, What, check_range, check_shape, checked_area};
use crate::quantize::Additive;

/// Rows that meet a row of H together.
const ROWS: usize = 8;

/// The widest beam.
const MAX_BEAM: usize = 32;

/// Weights `x [rows, columns]` of a layer with the Gram matrix `h [columns, columns]`, as sums of entries.
#[derive(Clone, Copy, Debug)]
pub struct AdditiveLayer<'a> {
    /// Sizes of the codebooks, whose dimension divides the columns.
    pub sums: Additive,
    /// Weights of a row.
    pub columns: usize,
    /// Row-major.
    pub x: &'a [f32],
    /// Symmetric, non-negative.
    pub h: &'a [f64],
}

impl AdditiveLayer<'_> {
    fn check(&self, codes: &[u8], codebooks: usize) -> Result<()> {
        let Self { sums, columns, x, h } = self;
        sums.check(x.len(), codes, codebooks)?;
        check_range(OP, What::Columns, 1, i64::MAX, *columns as i64)?;
        check_shape(OP, What::Columns, 0, columns % sums.dimension)?;
        check_shape(OP, What::Length, 0, x.len() % columns)?;
        check_shape(OP, What::Length, checked_area(OP, *columns, *columns)?, h.len())
    }

    /// Codes of a row.
    fn width(&self) -> usize {
        self.columns / self.sums.dimension * self.sums.count
    }

    /// Least squares over the codebooks for the codes that there are: at most `steps` steps of conjugate gradients in f64, preconditioned by each entry's own share of the diagonal. Every
    /// step lessens the error but for rounding; entries that no code names stay.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` where a size or a code is out of range, `Memory`.
    pub fn fit(&self, codes: &[u8], codebooks: &mut [f32], steps: usize) -> Result<()> {
        self.check(codes, codebooks.len())?;
        if steps == 0 {
            return Ok(());
        }
        let size = codebooks.len();
        let (mut found, mut rest) = (Buffer::<f64>::zeroed(OP, size)?, Buffer::<f64>::zeroed(OP, size)?);
        let (mut along, mut image) = (Buffer::<f64>::zeroed(OP, size)?, Buffer::<f64>::zeroed(OP, size)?);
        for (found, &c) in found.iter_mut().zip(&*codebooks) {
            *found = f64::from(c);
        }
        let weights = self.diagonal(codes, size)?;
        let scaled = |rest: f64, weight: f64| if weight > 0.0 { rest / weight } else { 0.0 };
        self.image(codes, &found, Some(self.x), &mut rest)?;
        let mut power = 0.0;
        for ((along, &rest), &weight) in along.iter_mut().zip(&*rest).zip(&*weights) {
            *along = scaled(rest, weight);
            power += rest * *along;
        }
        for _ in 0..steps {
            self.image(codes, &along, None, &mut image)?;
            let bend = along.iter().zip(&*image).fold(0.0, |sum, (a, b)| sum + a * b);
            // A NaN ends it too.
            if !(bend > 0.0 && power > 0.0) {
                break;
            }
            let step = power / bend;
            let mut next = 0.0;
            for (at, rest) in rest.iter_mut().enumerate() {
                found[at] += step * along[at];
                *rest -= step * image[at];
                next += *rest * scaled(*rest, weights[at]);
            }
            let kept = next / power;
            for ((along, &rest), &weight) in along.iter_mut().zip(&*rest).zip(&*weights) {
                *along = scaled(rest, weight) + kept * *along;
            }
            power = next;
        }
        for (c, &found) in codebooks.iter_mut().zip(&*found) {
            *c = found as f32;
        }
        Ok(())
    }

    /// Per number of the codebooks, the diagonal of H summed over the places that its entry stands at.
    fn diagonal(&self, codes: &[u8], size: usize) -> Result<Buffer<f64>> {
        let Additive { dimension, count, entries } = self.sums;
        let mut sums = Buffer::zeroed(OP, size)?;
        for codes in codes.chunks_exact(self.width()) {
            for (group, codes) in codes.chunks_exact(count).enumerate() {
                for (book, &code) in codes.iter().enumerate() {
                    let at = (book * entries + usize::from(code)) * dimension;
                    for (d, sum) in sums[at..][..dimension].iter_mut().enumerate() {
                        *sum += self.h[(group * dimension + d) * (self.columns + 1)];
                    }
                }
            }
        }
        Ok(sums)
    }

    /// Per number of the codebooks, the sum over its places of `(x - Σ c) H`, or without x of `(Σ c) H`: the negative half gradient, or the product of its Hessian's half with c.
    fn image(&self, codes: &[u8], codebooks: &[f64], x: Option<&[f32]>, image: &mut [f64]) -> Result<()> {
        let Additive { dimension, count, entries } = self.sums;
        let columns = self.columns;
        let mut values = Buffer::<f64>::zeroed(OP, ROWS * columns)?;
        let mut pulls = Buffer::<f64>::zeroed(OP, ROWS * columns)?;
        image.fill(0.0);
        let entry = |book: usize, code: u8| (book * entries + usize::from(code)) * dimension;
        for (block, codes) in codes.chunks(ROWS * self.width()).enumerate() {
            let length = codes.len() / self.width() * columns;
            let (values, pulls) = (&mut values[..length], &mut pulls[..length]);
            for (values, codes) in values.chunks_exact_mut(dimension).zip(codes.chunks_exact(count)) {
                values.fill(0.0);
                for (book, &code) in codes.iter().enumerate() {
                    for (value, c) in values.iter_mut().zip(&codebooks[entry(book, code)..]) {
                        *value += c;
                    }
                }
            }
            if let Some(x) = x {
                for (value, &x) in values.iter_mut().zip(&x[block * ROWS * columns..]) {
                    *value = f64::from(x) - *value;
                }
            }
            self.pull(values, pulls);
            for (pulls, codes) in pulls.chunks_exact(dimension).zip(codes.chunks_exact(count)) {
                for (book, &code) in codes.iter().enumerate() {
                    for (sum, pull) in image[entry(book, code)..].iter_mut().zip(pulls) {
                        *sum += pull;
                    }
                }
            }
        }
        Ok(())
    }

    /// `pulls = values H` for some rows, each sum over ascending columns.
    fn pull(&self, values: &[f64], pulls: &mut [f64]) {
        let columns = self.columns;
        pulls.fill(0.0);
        for (i, h) in self.h.chunks_exact(columns).enumerate() {
            for (values, pulls) in values.chunks_exact(columns).zip(pulls.chunks_exact_mut(columns)) {
                let value = values[i];
                for (pull, h) in pulls.iter_mut().zip(h) {
                    *pull += value * h;
                }
            }
        }
    }

    /// What the codes leave of some rows, the sums of entries in f32 as decoding has them.
    fn left(&self, row: usize, codes: &[u8], codebooks: &[f32], left: &mut [f64]) {
        let Additive { dimension, count, .. } = self.sums;
        let x = self.x[row * self.columns..].chunks_exact(dimension);
        for ((left, x), codes) in left.chunks_exact_mut(dimension).zip(x).zip(codes.chunks_exact(count)) {
            for (d, (left, &x)) in left.iter_mut().zip(x).enumerate() {
                let sum = codes
                    .iter()
                    .enumerate()
                    .fold(0.0, |sum, (book, &code)| sum + self.sums.entry(codebooks, book, code)[d]);
                *left = f64::from(x) - f64::from(sum);
            }
        }
    }

    /// Sum over rows of `e H eᵀ`.
    ///
    /// # Errors
    /// As [`Self::fit`].
    pub fn error(&self, codes: &[u8], codebooks: &[f32]) -> Result<f64> {
        self.check(codes, codebooks.len())?;
        let mut left = Buffer::<f64>::zeroed(OP, ROWS * self.columns)?;
        let mut pulls = Buffer::<f64>::zeroed(OP, ROWS * self.columns)?;
        let mut error = 0.0;
        for (block, codes) in codes.chunks(ROWS * self.width()).enumerate() {
            let length = codes.len() / self.width() * self.columns;
            let (left, pulls) = (&mut left[..length], &mut pulls[..length]);
            self.left(block * ROWS, codes, codebooks, left);
            self.pull(left, pulls);
            error = left.iter().zip(&*pulls).fold(error, |sum, (e, pull)| sum + e * pull);
        }
        Ok(error)
    }

    /// Better codes from those that there are: a beam search along the sub-vectors of a row and the codebooks of each, every one of the `beam` codings trying all entries in the place of
    /// its own. The entry that stands is among those tried, so that nothing gets worse but by rounding.
    ///
    /// # Errors
    /// As [`Self::fit`].
    pub fn search(&self, codebooks: &[f32], beam: usize, codes: &mut [u8]) -> Result<()> {
        self.check(codes, codebooks.len())?;
        check_range(OP, What::Best, 1, MAX_BEAM as i64, beam as i64)?;
        let Additive { dimension, count, .. } = self.sums;
        let mut left = Buffer::<f64>::zeroed(OP, ROWS * self.columns)?;
        let mut pulls = Buffer::<f64>::zeroed(OP, ROWS * self.columns)?;
        let mut place = Place::new(self)?;
        let mut beams = Vec::new();
        for _ in 0..ROWS {
            beams.push(Beam::new(self, beam)?);
        }
        for (block, codes) in codes.chunks_mut(ROWS * self.width()).enumerate() {
            let length = codes.len() / self.width() * self.columns;
            let (left, pulls) = (&mut left[..length], &mut pulls[..length]);
            self.left(block * ROWS, codes, codebooks, left);
            self.pull(left, pulls);
            let rows = codes.chunks_exact(self.width()).zip(pulls.chunks_exact(self.columns));
            for (beam, (codes, pulls)) in beams.iter_mut().zip(rows) {
                beam.begin(codes, pulls);
            }
            let rows = codes.len() / self.width();
            for step in 0..self.width() {
                place.go(self, codebooks, step / count * dimension, step % count);
                for beam in &mut beams[..rows] {
                    beam.extend(self, &place, step);
                }
            }
            for (beam, codes) in beams.iter().zip(codes.chunks_exact_mut(self.width())) {
                codes.copy_from_slice(&beam.codes[..codes.len()]);
            }
        }
        Ok(())
    }
}

/// Where a search stands: a sub-vector and a codebook.
struct Place {
    /// The first column of the sub-vector.
    column: usize,
    /// The codebook by columns, `[dimension][entries]`.
    table: Buffer<f64>,
    /// c `H_gg` cᵀ / 2 of every entry.
    halves: Buffer<f64>,
}

impl Place {
    fn new(layer: &AdditiveLayer<'_>) -> Result<Self> {
        let Additive { dimension, entries, .. } = layer.sums;
        let table = Buffer::zeroed(OP, checked_area(OP, dimension, entries)?)?;
        Ok(Self { column: 0, table, halves: Buffer::zeroed(OP, entries)? })
    }

    fn go(&mut self, layer: &AdditiveLayer<'_>, codebooks: &[f32], column: usize, book: usize) {
        let Additive { dimension, entries, .. } = layer.sums;
        self.column = column;
        let vectors = codebooks[book * entries * dimension..].chunks_exact(dimension).take(entries);
        for (entry, vector) in vectors.enumerate() {
            for (d, &c) in vector.iter().enumerate() {
                self.table[d * entries + entry] = f64::from(c);
            }
        }
        self.halves.fill(0.0);
        for d in 0..dimension {
            for j in 0..dimension {
                let h = layer.h[(column + d) * layer.columns + column + j] / 2.0;
                let columns = self.table[d * entries..].iter().zip(&self.table[j * entries..]);
                for (half, (a, b)) in self.halves.iter_mut().zip(columns) {
                    *half += h * a * b;
                }
            }
        }
    }

    fn number(&self, d: usize, entry: u8) -> f64 {
        self.table[d * self.halves.len() + usize::from(entry)]
    }
}

/// A candidate of a step: half of what its error is more than at the start, the coding that it extends, its entry.
type Candidate = (f64, usize, u8);

/// The best codings of a row so far, the best first.
struct Beam {
    width: usize,
    length: usize,
    costs: [f64; MAX_BEAM],
    /// `[width][codes of a row]`, and as many to write the next ones to.
    codes: Buffer<u8>,
    next_codes: Buffer<u8>,
    /// `[width][columns]`: e H.
    pulls: Buffer<f64>,
    next_pulls: Buffer<f64>,
    scores: Buffer<f64>,
    base: Buffer<f64>,
}

impl Beam {
    fn new(layer: &AdditiveLayer<'_>, width: usize) -> Result<Self> {
        let (codes, pulls) = (width * layer.width(), width * layer.columns);
        Ok(Self {
            width,
            length: 0,
            costs: [0.0; MAX_BEAM],
            codes: Buffer::zeroed(OP, codes)?,
            next_codes: Buffer::zeroed(OP, codes)?,
            pulls: Buffer::zeroed(OP, pulls)?,
            next_pulls: Buffer::zeroed(OP, pulls)?,
            scores: Buffer::zeroed(OP, layer.sums.entries)?,
            base: Buffer::zeroed(OP, layer.sums.dimension)?,
        })
    }

    fn begin(&mut self, codes: &[u8], pulls: &[f64]) {
        self.length = 1;
        self.costs[0] = 0.0;
        self.codes[..codes.len()].copy_from_slice(codes);
        self.pulls[..pulls.len()].copy_from_slice(pulls);
    }

    /// Whether an earlier coding differs from this one in code `step` alone: both extend to the same ones.
    fn repeats(&self, index: usize, step: usize, length: usize) -> bool {
        let path = &self.codes[index * length..][..length];
        let same = |other: &[u8]| other[..step] == path[..step] && other[step + 1..] == path[step + 1..];
        self.codes.chunks_exact(length).take(index).any(same)
    }

    fn extend(&mut self, layer: &AdditiveLayer<'_>, place: &Place, step: usize) {
        let Additive { dimension, entries, .. } = layer.sums;
        let (columns, length) = (layer.columns, layer.width());
        let block = |d: usize| &layer.h[(place.column + d) * columns..][..columns];
        let mut found: [Candidate; MAX_BEAM] = [(f64::INFINITY, 0, 0); MAX_BEAM];
        let found = &mut found[..self.width];
        let mut kept = 0;
        for path in 0..self.length {
            if self.repeats(path, step, length) {
                continue;
            }
            let own = self.codes[path * length + step];
            for (d, base) in self.base.iter_mut().enumerate() {
                let h = block(d)[place.column..].iter().take(dimension).enumerate();
                let without = h.fold(0.0, |sum, (j, h)| sum + h * place.number(j, own));
                *base = self.pulls[path * columns + place.column + d] + without;
            }
            self.scores.copy_from_slice(&place.halves);
            for (&base, column) in self.base.iter().zip(place.table.chunks_exact(entries)) {
                for (score, c) in self.scores.iter_mut().zip(column) {
                    *score -= base * c;
                }
            }
            let start = self.costs[path] - self.scores[usize::from(own)];
            for (entry, score) in (0..=u8::MAX).zip(&*self.scores) {
                let cost = start + score;
                if kept == self.width && cost >= found[kept - 1].0 {
                    continue;
                }
                kept = (kept + 1).min(self.width);
                let at = found[..kept - 1].partition_point(|other| other.0 <= cost);
                found[at..kept].rotate_right(1);
                found[at] = (cost, path, entry);
            }
        }
        for (next, &(cost, path, entry)) in found[..kept].iter().enumerate() {
            self.costs[next] = cost;
            let codes = &mut self.next_codes[next * length..][..length];
            codes.copy_from_slice(&self.codes[path * length..][..length]);
            let own = codes[step];
            codes[step] = entry;
            let pulls = &mut self.next_pulls[next * columns..][..columns];
            pulls.copy_from_slice(&self.pulls[path * columns..][..columns]);
            if entry != own {
                for d in 0..dimension {
                    let change = place.number(d, entry) - place.number(d, own);
                    for (pull, h) in pulls.iter_mut().zip(block(d)) {
                        *pull -= change * h;
                    }
                }
            }
        }
        self.length = kept;
        core::mem::swap(&mut self.codes, &mut self.next_codes);
        core::mem::swap(&mut self.pulls, &mut self.next_pulls);
    }
}
