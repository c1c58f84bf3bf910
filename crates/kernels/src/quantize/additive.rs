//! The steps of additive quantization: codes by a search with a beam, codebooks by least squares.

use super::OP;
use crate::buffer::Buffer;
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape, checked_area};

/// The widest beam.
const MAX_BEAM: usize = 32;

/// Vectors `x [n, dimension]` as sums of one entry from each of `count` codebooks, `codebooks [count, entries, dimension]`, by `codes [n, count]`.
#[derive(Clone, Copy, Debug)]
pub struct Additive {
    /// Floats of a vector.
    pub dimension: usize,
    /// Codebooks.
    pub count: usize,
    /// Vectors of a codebook, at most 256.
    pub entries: usize,
}

impl Additive {
    pub(crate) fn check(&self, x: usize, codes: &[u8], codebooks: usize) -> Result<()> {
        let Self { dimension, count, entries } = *self;
        check_range(OP, What::Codebook, 1, 1 << 20, dimension as i64)?;
        check_range(OP, What::Codebook, 1, 64, count as i64)?;
        check_range(OP, What::Codebook, 1, 256, entries as i64)?;
        check_shape(OP, What::Codebook, checked_area(OP, count * entries, dimension)?, codebooks)?;
        check_shape(OP, What::Codes, checked_area(OP, x / dimension, count)?, codes.len())?;
        check_shape(OP, What::Length, 0, x % dimension)?;
        match codes.iter().find(|&&code| usize::from(code) >= entries) {
            None => Ok(()),
            Some(&code) => {
                Err(KernelError::new(ErrorCode::Range, OP, What::Code, entries as i64 - 1, i64::from(code)))
            }
        }
    }

    pub(crate) fn entry<'a>(&self, codebooks: &'a [f32], book: usize, code: u8) -> &'a [f32] {
        &codebooks[(book * self.entries + usize::from(code)) * self.dimension..][..self.dimension]
    }

    /// `rest = ((x - c_0) - c_1) - ...` in f32, without codebook `skipped`.
    fn rest(&self, x: &[f32], codes: &[u8], codebooks: &[f32], skipped: Option<usize>, rest: &mut [f32]) {
        rest.copy_from_slice(x);
        for (book, &code) in codes.iter().enumerate() {
            if Some(book) != skipped {
                for (rest, c) in rest.iter_mut().zip(self.entry(codebooks, book, code)) {
                    *rest -= c;
                }
            }
        }
    }

    /// Searches better codes from those that there are, `sweeps` times through the codebooks: for each one, every vector of the beam tries every entry in the place of its own,
    /// and the `beam` best of all stay. The entry that stands is among those tried, so that nothing gets worse but by the rounding of f32.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` where a size or a code is out of range, `Memory`.
    pub fn search(
        &self,
        x: &[f32],
        codebooks: &[f32],
        beam: usize,
        sweeps: usize,
        codes: &mut [u8],
    ) -> Result<()> {
        self.check(x.len(), codes, codebooks.len())?;
        check_range(OP, What::Best, 1, MAX_BEAM as i64, beam as i64)?;
        let tables = Tables::new(self, codebooks)?;
        let mut paths = Paths::new(self, beam)?;
        for (x, codes) in x.chunks_exact(self.dimension).zip(codes.chunks_exact_mut(self.count)) {
            paths.begin(self, codebooks, x, codes);
            for step in 0..sweeps * self.count {
                paths.extend(self, codebooks, &tables, step % self.count);
            }
            codes.copy_from_slice(paths.best());
        }
        Ok(())
    }

    /// Codebooks of less error for the codes that there are, `sweeps` times: each entry of one codebook after the other moves to the mean of what the others leave of
    /// its vectors (f64 sums over ascending position), an entry that no code names stays. It is the Gauss-Seidel iteration of the least-squares problem.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub fn refit(&self, x: &[f32], codes: &[u8], codebooks: &mut [f32], sweeps: usize) -> Result<()> {
        self.check(x.len(), codes, codebooks.len())?;
        let size = self.entries * self.dimension;
        let mut sums = Buffer::<f64>::zeroed(OP, size)?;
        let mut rest = Buffer::<f32>::zeroed(OP, self.dimension)?;
        for step in 0..sweeps * self.count {
            let book = step % self.count;
            let mut counts = [0_u32; 256];
            sums.fill(0.0);
            for (x, codes) in x.chunks_exact(self.dimension).zip(codes.chunks_exact(self.count)) {
                self.rest(x, codes, codebooks, Some(book), &mut rest);
                let code = usize::from(codes[book]);
                counts[code] += 1;
                for (sum, &rest) in sums[code * self.dimension..].iter_mut().zip(&*rest) {
                    *sum += f64::from(rest);
                }
            }
            let entries = codebooks[book * size..][..size].chunks_exact_mut(self.dimension);
            for ((entry, sums), &count) in entries.zip(sums.chunks_exact(self.dimension)).zip(&counts) {
                if count > 0 {
                    for (value, sum) in entry.iter_mut().zip(sums) {
                        *value = (sum / f64::from(count)) as f32;
                    }
                }
            }
        }
        Ok(())
    }

    /// Sum of |x - Σ c|² in f64 over ascending index, the differences those of f32.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub fn error(&self, x: &[f32], codes: &[u8], codebooks: &[f32]) -> Result<f64> {
        self.check(x.len(), codes, codebooks.len())?;
        let mut rest = Buffer::<f32>::zeroed(OP, self.dimension)?;
        let mut error = 0.0;
        for (x, codes) in x.chunks_exact(self.dimension).zip(codes.chunks_exact(self.count)) {
            self.rest(x, codes, codebooks, None, &mut rest);
            error = rest.iter().fold(error, |sum, &rest| sum + f64::from(rest) * f64::from(rest));
        }
        Ok(error)
    }
}

/// The codebooks by columns, so that a loop over entries is one over neighbours.
struct Tables {
    /// `[count][dimension][entries]`
    columns: Buffer<f32>,
    /// `[count][entries]`: |c|² / 2.
    halves: Buffer<f32>,
}

impl Tables {
    fn new(of: &Additive, codebooks: &[f32]) -> Result<Self> {
        let Additive { dimension, entries, .. } = *of;
        let mut columns = Buffer::zeroed(OP, codebooks.len())?;
        let mut halves = Buffer::zeroed(OP, codebooks.len() / dimension)?;
        for (i, vector) in codebooks.chunks_exact(dimension).enumerate() {
            let (book, entry) = (i / entries, i % entries);
            for (j, &value) in vector.iter().enumerate() {
                columns[(book * dimension + j) * entries + entry] = value;
            }
            let norm = vector.iter().fold(0.0, |sum, &v| sum + f64::from(v) * f64::from(v));
            halves[i] = (norm / 2.0) as f32;
        }
        Ok(Self { columns, halves })
    }
}

/// A candidate of a step: half its squared error, the path that it extends, its entry.
type Candidate = (f32, usize, u8);

/// The beam: the best sums so far, the best first.
struct Paths {
    beam: usize,
    count: usize,
    dimension: usize,
    length: usize,
    /// `[beam][count]`, and as many to write the next ones to.
    codes: Buffer<u8>,
    next_codes: Buffer<u8>,
    /// `[beam][dimension]`: x less all entries.
    rests: Buffer<f32>,
    next_rests: Buffer<f32>,
    /// `[entries]`
    scores: Buffer<f32>,
}

impl Paths {
    fn new(of: &Additive, beam: usize) -> Result<Self> {
        let Additive { dimension, count, entries } = *of;
        Ok(Self {
            beam,
            count,
            dimension,
            length: 0,
            codes: Buffer::zeroed(OP, beam * count)?,
            next_codes: Buffer::zeroed(OP, beam * count)?,
            rests: Buffer::zeroed(OP, beam * dimension)?,
            next_rests: Buffer::zeroed(OP, beam * dimension)?,
            scores: Buffer::zeroed(OP, entries)?,
        })
    }

    fn begin(&mut self, of: &Additive, codebooks: &[f32], x: &[f32], codes: &[u8]) {
        self.length = 1;
        self.codes[..self.count].copy_from_slice(codes);
        of.rest(x, codes, codebooks, None, &mut self.rests[..self.dimension]);
    }

    fn best(&self) -> &[u8] {
        &self.codes[..self.count]
    }

    fn path(&self, index: usize) -> &[u8] {
        &self.codes[index * self.count..][..self.count]
    }

    /// Whether an earlier path differs from this one in codebook `book` alone: both extend to the same sums.
    fn repeats(&self, index: usize, book: usize) -> bool {
        let same = |earlier: &[u8]| {
            earlier.iter().zip(self.path(index)).enumerate().all(|(at, (a, b))| at == book || a == b)
        };
        (0..index).any(|earlier| same(self.path(earlier)))
    }

    fn extend(&mut self, of: &Additive, codebooks: &[f32], tables: &Tables, book: usize) {
        let Additive { dimension, entries, .. } = *of;
        let columns = &tables.columns[book * dimension * entries..][..dimension * entries];
        let halves = &tables.halves[book * entries..][..entries];
        let mut found = [(f32::INFINITY, 0, 0); MAX_BEAM];
        let found = &mut found[..self.beam];
        let mut length = 0;
        for path in 0..self.length {
            if self.repeats(path, book) {
                continue;
            }
            let own = of.entry(codebooks, book, self.codes[path * self.count + book]);
            let base = &mut self.rests[path * dimension..][..dimension];
            for (base, c) in base.iter_mut().zip(own) {
                *base += c;
            }
            let half = base.iter().fold(0.0, |sum, base| sum + base * base) / 2.0;
            self.scores.copy_from_slice(halves);
            for (&base, column) in base.iter().zip(columns.chunks_exact(entries)) {
                for (score, c) in self.scores.iter_mut().zip(column) {
                    *score -= base * c;
                }
            }
            for (entry, score) in (0..=u8::MAX).zip(&*self.scores) {
                let cost = half + score;
                if length == self.beam && cost >= found[length - 1].0 {
                    continue;
                }
                length = (length + 1).min(self.beam);
                let place = found[..length - 1].partition_point(|other: &Candidate| other.0 <= cost);
                found[place..length].rotate_right(1);
                found[place] = (cost, path, entry);
            }
        }
        for (next, &(_, path, entry)) in found[..length].iter().enumerate() {
            let codes = &mut self.next_codes[next * self.count..][..self.count];
            codes.copy_from_slice(&self.codes[path * self.count..][..self.count]);
            codes[book] = entry;
            let base = &self.rests[path * dimension..][..dimension];
            let rests = &mut self.next_rests[next * dimension..][..dimension];
            for ((rest, base), c) in rests.iter_mut().zip(base).zip(of.entry(codebooks, book, entry)) {
                *rest = base - c;
            }
        }
        self.length = length;
        core::mem::swap(&mut self.codes, &mut self.next_codes);
        core::mem::swap(&mut self.rests, &mut self.next_rests);
    }
}
