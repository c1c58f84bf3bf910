//! Codes of vectors for search as sums of one entry from each of some codebooks: residual codes (Chen, Guan, Wang 2010, doi:10.3390/s101211259) and additive ones
//! (Babenko, Lempitsky 2014, doi:10.1109/CVPR.2014.124), by a beam over tables of products.
//!
//! ```text
//! |x - Σ c|² / 2 = |x|² / 2 + Σ_m (|c_m|² / 2 - <x, c_m>) + Σ_{j<m} <c_j, c_m>
//! ```
//!
//! The products of a vector with all entries are made once, those of entries with entries when first asked for and then kept; a step of the beam is additions alone. [`super::Additive`], for the few
//! numbers of a sub-vector of weights, holds what is left of a vector instead.
//!
//! **Cost.** `M K D` multiply-adds a vector, and per step of each path of the beam M rows of K additions: with M = 8, K = 256, D = 384 and a beam of 8 the first are nine tenths.

use super::OP;
use crate::buffer::Buffer;
use crate::error::{Result, What, check_range, check_shape, checked_area};
use crate::pq_tables::{Metric, PqShape, PqTables};
use crate::tier::Tier;

/// The widest beam.
const MAX_BEAM: usize = 32;

/// Times through the codebooks at most.
const MAX_SWEEPS: usize = 64;

/// Codebooks `[count, entries, dimension]`, and what a search for codes remembers of them.
pub struct SumEncoder {
    count: usize,
    entries: usize,
    dimension: usize,
    beam: usize,
    sweeps: usize,
    codebooks: Buffer<f32>,
    tables: PqTables,
    /// `[count, entries]`: |c|² / 2.
    halves: Buffer<f32>,
    products: Products,
    paths: Paths,
    /// `[count, entries]`: |c|² / 2 - <x, c>.
    own: Buffer<f32>,
    scores: Buffer<f32>,
}

impl SumEncoder {
    /// Codebooks of 16 or 256 entries each, 1 to 64 of them. `beam`: sums that are kept on the way. `sweeps`: times through the codebooks in which each code of a whole sum may become another.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` where a size is out of range or a value is not finite, `Memory`.
    pub fn new(tier: Tier, shape: PqShape, codebooks: &[f32], beam: usize, sweeps: usize) -> Result<Self> {
        let PqShape { subspaces: count, centroids: entries, dimension } = shape;
        check_range(OP, What::Subspaces, 1, 64, count as i64)?;
        check_range(OP, What::Best, 1, MAX_BEAM as i64, beam as i64)?;
        check_range(OP, What::Best, 0, MAX_SWEEPS as i64, sweeps as i64)?;
        let tables = PqTables::new(tier, shape, codebooks)?;
        let mut held = Buffer::zeroed(OP, codebooks.len())?;
        held.copy_from_slice(codebooks);
        let mut halves = Buffer::zeroed(OP, count * entries)?;
        for (half, c) in halves.iter_mut().zip(codebooks.chunks_exact(dimension)) {
            *half = (c.iter().fold(0.0, |sum, &c| sum + f64::from(c) * f64::from(c)) / 2.0) as f32;
        }
        Ok(Self {
            count,
            entries,
            dimension,
            beam,
            sweeps,
            codebooks: held,
            tables,
            halves,
            products: Products::new(count, entries, sweeps > 0)?,
            paths: Paths::new(count, beam)?,
            own: Buffer::zeroed(OP, count * entries)?,
            scores: Buffer::zeroed(OP, entries)?,
        })
    }

    /// Codes `[n, count]` of `x [n, dimension]`, a byte each.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` for a value that is not finite.
    pub fn encode(&mut self, x: &[f32], codes: &mut [u8]) -> Result<()> {
        check_shape(OP, What::Length, 0, x.len() % self.dimension)?;
        check_shape(OP, What::Codes, checked_area(OP, x.len() / self.dimension, self.count)?, codes.len())?;
        crate::error::check_finite(OP, x)?;
        for (x, codes) in x.chunks_exact(self.dimension).zip(codes.chunks_exact_mut(self.count)) {
            let halves = self.halves.chunks_exact(self.entries);
            for ((book, own), halves) in self.own.chunks_exact_mut(self.entries).enumerate().zip(halves) {
                self.tables.part(Metric::InnerProduct, book, x, own);
                for (own, half) in own.iter_mut().zip(halves) {
                    *own += half;
                }
            }
            self.paths.length = 1;
            self.paths.totals[0] = 0.0;
            self.paths.codes.fill(0);
            for step in 0..self.count * (1 + self.sweeps) {
                self.extend(step % self.count, step >= self.count);
            }
            codes.copy_from_slice(&self.paths.codes[..self.count]);
        }
        Ok(())
    }

    /// Tries every entry of codebook `book` in every path: where the path is `whole`, in the place of the one that is there.
    fn extend(&mut self, book: usize, whole: bool) {
        let (count, entries) = (self.count, self.entries);
        let mut found = [(f32::INFINITY, 0, 0); MAX_BEAM];
        let found = &mut found[..self.beam];
        let mut length = 0;
        for path in 0..self.paths.length {
            if whole && self.paths.repeats(path, book) {
                continue;
            }
            self.scores.copy_from_slice(&self.own[book * entries..][..entries]);
            let codes = &self.paths.codes[path * count..][..count];
            for (other, &code) in codes.iter().enumerate().take(if whole { count } else { book }) {
                if other != book {
                    let row = self.products.row(&self.tables, &self.codebooks, (other, code), book);
                    // Products are negated in tables.
                    for (score, negative) in self.scores.iter_mut().zip(row) {
                        *score -= negative;
                    }
                }
            }
            let mut total = self.paths.totals[path];
            if whole {
                total -= self.scores[usize::from(codes[book])];
            }
            for (entry, score) in (0..=u8::MAX).zip(&*self.scores) {
                let cost = total + score;
                if length == self.beam && cost >= found[length - 1].0 {
                    continue;
                }
                length = (length + 1).min(self.beam);
                let place = found[..length - 1].partition_point(|other: &(f32, usize, u8)| other.0 <= cost);
                found[place..length].rotate_right(1);
                found[place] = (cost, path, entry);
            }
        }
        self.paths.take(&found[..length], book);
    }

    /// |start + Σ c|² of each vector's codes `[n, count]`, in f64 over ascending index of sums in f32. `start`: of none, one or n vectors.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` for a code that there is not, `Memory`.
    pub fn norms(&self, codes: &[u8], start: &[f32], norms: &mut [f32]) -> Result<()> {
        let (n, d) = (norms.len(), self.dimension);
        check_shape(OP, What::Codes, checked_area(OP, n, self.count)?, codes.len())?;
        if !start.is_empty() && start.len() != d {
            check_shape(OP, What::Length, checked_area(OP, n, d)?, start.len())?;
        }
        if let Some(&code) = codes.iter().find(|&&code| usize::from(code) >= self.entries) {
            check_range(OP, What::Code, 0, self.entries as i64 - 1, i64::from(code))?;
        }
        let mut sum = Buffer::<f32>::zeroed(OP, d)?;
        for (i, (codes, norm)) in codes.chunks_exact(self.count).zip(norms).enumerate() {
            match start.len() {
                0 => sum.fill(0.0),
                length if length == d => sum.copy_from_slice(start),
                _ => sum.copy_from_slice(&start[i * d..][..d]),
            }
            for (book, &code) in codes.iter().enumerate() {
                let entry = &self.codebooks[(book * self.entries + usize::from(code)) * d..][..d];
                for (sum, c) in sum.iter_mut().zip(entry) {
                    *sum += c;
                }
            }
            *norm = sum.iter().fold(0.0, |norm, &y| norm + f64::from(y) * f64::from(y)) as f32;
        }
        Ok(())
    }

    /// Bytes of a stored vector: its codes of 8 or 4 bits, and a byte for a norm.
    pub const fn row_bytes(&self, normed: bool) -> usize {
        let codes = if self.entries == 256 { self.count } else { self.count.div_ceil(2) };
        // A norm of two codes of 4 bits begins in the half that is left.
        if normed && self.entries == 16 { (self.count + 2).div_ceil(2) } else { codes + normed as usize }
    }

    /// Writes codes as scans read them, behind each vector's the byte of its norm, `round((norm - least) / step)` within 0 to 255: of 4 bits its upper half, then its lower.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length: `norms` of n or none, `rows [n, row_bytes]`.
    pub fn store(
        &self,
        codes: &[u8],
        norms: &[f32],
        (least, step): (f32, f32),
        rows: &mut [u8],
    ) -> Result<()> {
        let n = codes.len() / self.count;
        let normed = !norms.is_empty();
        check_shape(OP, What::Length, if normed { n } else { 0 }, norms.len())?;
        let row = self.row_bytes(normed);
        check_shape(OP, What::Codes, checked_area(OP, n, row)?, rows.len())?;
        for (i, (codes, row)) in codes.chunks_exact(self.count).zip(rows.chunks_exact_mut(row)).enumerate() {
            let byte = norms.get(i).map(|norm| ((norm - least) / step).round_ties_even() as u8);
            if self.entries == 256 {
                let (to, last) = row.split_at_mut(self.count);
                to.copy_from_slice(codes);
                last.copy_from_slice(byte.as_slice());
            } else {
                row.fill(0);
                let norm = byte.map(|byte| [byte >> 4, byte & 15]);
                for (at, code) in codes.iter().chain(norm.iter().flatten()).enumerate() {
                    row[at / 2] |= code << (at % 2 * 4);
                }
            }
        }
        Ok(())
    }
}

/// Negated products of entries with the entries of other codebooks.
struct Products {
    entries: usize,
    /// Of an entry of each codebook, the first codebook whose products are held, and where they begin.
    from: Buffer<u32>,
    starts: Buffer<u32>,
    count: usize,
    /// Whether rows are there, `[count, entries]`.
    there: Buffer<u8>,
    values: Buffer<f32>,
}

impl Products {
    /// Of every codebook with all, or with those behind it.
    fn new(count: usize, entries: usize, all: bool) -> Result<Self> {
        let (mut from, mut starts) = (Buffer::zeroed(OP, count)?, Buffer::zeroed(OP, count)?);
        let mut length = 0;
        for book in 0..count {
            from[book] = if all { 0 } else { book as u32 + 1 };
            starts[book] = length as u32;
            length += entries * entries * (count - from[book] as usize);
        }
        let there = Buffer::zeroed(OP, count * entries)?;
        Ok(Self { entries, from, starts, count, there, values: Buffer::zeroed(OP, length)? })
    }

    /// Of an entry with all of `book`.
    fn row(
        &mut self,
        tables: &PqTables,
        codebooks: &[f32],
        (other, code): (usize, u8),
        book: usize,
    ) -> &[f32] {
        let (entries, code) = (self.entries, usize::from(code));
        let from = self.from[other] as usize;
        let width = (self.count - from) * entries;
        let row = &mut self.values[self.starts[other] as usize + code * width..][..width];
        let entry = other * entries + code;
        if self.there[entry] == 0 {
            self.there[entry] = 1;
            let dimension = codebooks.len() / (self.count * entries);
            let c = &codebooks[entry * dimension..][..dimension];
            for (at, row) in row.chunks_exact_mut(entries).enumerate() {
                tables.part(Metric::InnerProduct, from + at, c, row);
            }
        }
        &row[(book - from) * entries..][..entries]
    }
}

/// The beam: the best sums so far, the best first.
struct Paths {
    count: usize,
    length: usize,
    /// `[beam, count]`, and as many to write the next ones to.
    codes: Buffer<u8>,
    next: Buffer<u8>,
    totals: Buffer<f32>,
}

impl Paths {
    fn new(count: usize, beam: usize) -> Result<Self> {
        Ok(Self {
            count,
            length: 0,
            codes: Buffer::zeroed(OP, beam * count)?,
            next: Buffer::zeroed(OP, beam * count)?,
            totals: Buffer::zeroed(OP, beam)?,
        })
    }

    /// Whether an earlier path differs from this one in codebook `book` alone: both extend to the same sums.
    fn repeats(&self, path: usize, book: usize) -> bool {
        let of = |path: usize| &self.codes[path * self.count..][..self.count];
        (0..path).any(|earlier| {
            of(earlier).iter().zip(of(path)).enumerate().all(|(at, (a, b))| at == book || a == b)
        })
    }

    fn take(&mut self, found: &[(f32, usize, u8)], book: usize) {
        for (at, &(total, path, entry)) in found.iter().enumerate() {
            let codes = &mut self.next[at * self.count..][..self.count];
            codes.copy_from_slice(&self.codes[path * self.count..][..self.count]);
            codes[book] = entry;
            self.totals[at] = total;
        }
        self.length = found.len();
        core::mem::swap(&mut self.codes, &mut self.next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantize::Additive;

    fn numbers(seed: u64, n: usize) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 16_777_216.0 - 0.5
        };
        (0..n).map(|_| next()).collect()
    }

    fn encoder(tier: Tier, count: usize, d: usize, books: &[f32], beam: usize, sweeps: usize) -> SumEncoder {
        SumEncoder::new(tier, PqShape { subspaces: count, centroids: 16, dimension: d }, books, beam, sweeps)
            .unwrap()
    }

    #[test]
    fn a_beam_of_all_finds_the_best_of_all_sums() {
        let (n, d) = (40, 6);
        let (x, books) = (numbers(1, n * d), numbers(2, 2 * 16 * d));
        let mut codes = vec![0; 2 * n];
        encoder(Tier::Simd128, 2, d, &books, 16, 0).encode(&x, &mut codes).unwrap();
        let sums = Additive { dimension: d, count: 2, entries: 16 };
        for (x, codes) in x.chunks_exact(d).zip(codes.chunks_exact(2)) {
            let error = |codes: &[u8]| sums.error(x, codes, &books).unwrap();
            let best = (0..=255).map(|c: u8| error(&[c >> 4, c & 15])).fold(f64::INFINITY, f64::min);
            assert!(error(codes) <= best * (1.0 + 1e-5) + 1e-6);
        }
    }

    #[test]
    fn sweeps_lessen_the_error_and_tiers_agree() {
        let (n, d, count) = (60, 10, 5);
        let (x, books) = (numbers(3, n * d), numbers(4, count * 16 * d));
        let sums = Additive { dimension: d, count, entries: 16 };
        let mut last = f64::INFINITY;
        for (beam, sweeps) in [(1, 0), (4, 0), (4, 3)] {
            let mut codes = vec![0; count * n];
            encoder(Tier::Simd128, count, d, &books, beam, sweeps).encode(&x, &mut codes).unwrap();
            let mut plain = codes.clone();
            encoder(Tier::Scalar, count, d, &books, beam, sweeps).encode(&x, &mut plain).unwrap();
            assert_eq!(codes, plain);
            let error = sums.error(&x, &codes, &books).unwrap();
            assert!(error < last, "{error} after {last}");
            last = error;
        }
    }

    #[test]
    fn norms_are_of_what_codes_stand_for_and_rows_hold_them() {
        let (d, count) = (3, 3);
        let books = numbers(5, count * 16 * d);
        let of = encoder(Tier::Simd128, count, d, &books, 1, 0);
        let codes = [1, 2, 3, 15, 0, 7];
        let start = [0.5, -0.5, 0.25];
        let mut norms = [0.0; 2];
        of.norms(&codes, &start, &mut norms).unwrap();
        for (codes, norm) in codes.chunks_exact(3).zip(norms) {
            let expected: f32 = (0..d)
                .map(|j| {
                    start[j]
                        + (0..count).map(|m| books[(m * 16 + usize::from(codes[m])) * d + j]).sum::<f32>()
                })
                .map(|y| y * y)
                .sum();
            assert!((norm - expected).abs() < 1e-5);
        }
        assert_eq!((of.row_bytes(false), of.row_bytes(true)), (2, 3));
        let mut rows = [0; 6];
        of.store(&codes, &[0.75, 900.0], (0.5, 1.0 / 256.0), &mut rows).unwrap();
        // 0.25 / (1/256) = 64 = 4 and 0; the other is beyond the last.
        assert_eq!(rows, [0x21, 0x43, 0x00, 0x0f, 0xf7, 0x0f]);
        let mut plain = [0; 4];
        of.store(&codes, &[], (0.0, 1.0), &mut plain).unwrap();
        assert_eq!(plain, [0x21, 0x03, 0x0f, 0x07]);
        assert!(of.norms(&[1, 2, 16], &[], &mut [0.0]).is_err());
    }
}
