//! Score-aware codes of product quantization: what is lost along a vector counts more than what is lost across it, for it is that part which moves the inner products that are large
//! (Guo et al. 2020, arXiv 1908.10396).
//!
//! ```text
//! r = x - y     u = v / |v|     loss = eta <r, u>² + (|r|² - <r, u>²) = |r|² + (eta - 1) <r, u>²
//! ```
//!
//! v is the vector whose inner products are wanted; x is what is coded of it, v itself or v less a centroid. Sub-spaces meet in <r, u> alone, the sum of their parts: codes are found by going over sub-spaces
//! with the others as they stand, and a codebook moves to the least of its quadratic form.

use super::{OP, rows_of, squares};
use crate::buffer::Buffer;
use crate::error::{Result, What, check_range, check_shape, checked_area};
use crate::pq_tables::{Metric, PqShape, PqTables};
use crate::tier::Tier;

/// Coordinates of a part whose codebook is fitted: its quadratic form has as many numbers squared.
pub const MAX_PART: usize = 512;

/// Rows `x [n, M d]`, of the vectors `whole [n, M d]`, and the weight of what is lost along them.
#[derive(Clone, Copy, Debug)]
pub struct Anisotropic<'a> {
    /// What is coded.
    pub x: &'a [f32],
    /// Whose directions count.
    pub whole: &'a [f32],
    /// M, K (16 or 256) and d.
    pub shape: PqShape,
    /// 1 (as without directions) or more.
    pub eta: f32,
}

impl Anisotropic<'_> {
    fn dimension(&self) -> usize {
        self.shape.subspaces * self.shape.dimension
    }

    fn check(&self, codes: usize) -> Result<usize> {
        let n = rows_of(self.x.len(), self.dimension())?;
        check_shape(OP, What::Length, self.x.len(), self.whole.len())?;
        check_shape(OP, What::Codes, checked_area(OP, n, self.shape.subspaces)?, codes)?;
        // Also a NaN.
        let eta = if self.eta >= 1.0 { self.eta.min(2e9) as i64 } else { 0 };
        check_range(OP, What::Scale, 1, 1_000_000_000, eta)?;
        Ok(n)
    }

    /// Codes `[n, M]`, a byte each: the nearest centroids, then at most `sweeps` times over the sub-spaces, until none changes.
    ///
    /// Refuses sizes out of range, lengths that do not fit, eta below 1 and values that are not finite.
    pub fn encode(&self, tier: Tier, codebooks: &[f32], sweeps: usize, codes: &mut [u8]) -> Result<()> {
        self.check(codes.len())?;
        crate::error::check_finite(OP, self.x)?;
        let PqShape { subspaces, centroids, dimension: part } = self.shape;
        let tables = PqTables::new(tier, self.shape, codebooks)?;
        let mut distances = Buffer::<f32>::zeroed(OP, subspaces * centroids)?;
        let mut along = Buffer::<f32>::zeroed(OP, subspaces * centroids)?;
        let mut direction = Buffer::<f32>::zeroed(OP, self.dimension())?;
        let weight = self.eta - 1.0;
        let rows = self.x.chunks_exact(self.dimension()).zip(self.whole.chunks_exact(self.dimension()));
        for ((x, whole), codes) in rows.zip(codes.chunks_exact_mut(subspaces)) {
            unit(whole, &mut direction);
            let mut sum = 0.0;
            for m in 0..subspaces {
                let (from, to) = (m * part, (m + 1) * part);
                let (distances, along) =
                    (&mut distances[m * centroids..][..centroids], &mut along[m * centroids..][..centroids]);
                tables.part(Metric::L2, m, &x[from..to], distances);
                tables.part(Metric::InnerProduct, m, &direction[from..to], along);
                let own = x[from..to].iter().zip(&direction[from..to]).fold(0.0, |sum, (x, u)| sum + x * u);
                for along in along.iter_mut() {
                    *along += own;
                }
                codes[m] = least(distances.iter().copied());
                sum += along[usize::from(codes[m])];
            }
            for _ in 0..sweeps {
                let mut settled = true;
                for m in 0..subspaces {
                    let (distances, along) =
                        (&distances[m * centroids..][..centroids], &along[m * centroids..][..centroids]);
                    let others = sum - along[usize::from(codes[m])];
                    let losses = distances.iter().zip(along).map(|(distance, along)| {
                        let lost = others + along;
                        distance + weight * (lost * lost)
                    });
                    let best = least(losses);
                    settled &= best == codes[m];
                    codes[m] = best;
                    sum = others + along[usize::from(best)];
                }
                if settled {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Moves each codebook, one after the other, to the least loss for these codes, sums in f64; a centroid that no code names stays.
    ///
    /// Refuses as [`Self::encode`] does, parts of more than [`MAX_PART`] coordinates, and a code that there is not.
    pub fn fit(&self, codes: &[u8], codebooks: &mut [f32]) -> Result<()> {
        let n = self.check(codes.len())?;
        let PqShape { subspaces, centroids, dimension: part } = self.shape;
        check_range(OP, What::Depth, 1, MAX_PART as i64, part as i64)?;
        let mut lost = Buffer::<f64>::zeroed(OP, n)?;
        let mut units = Buffer::<f32>::zeroed(OP, self.x.len())?;
        for (whole, unit_) in
            self.whole.chunks_exact(self.dimension()).zip(units.chunks_exact_mut(self.dimension()))
        {
            unit(whole, unit_);
        }
        self.losses(&units, codes, codebooks, |i, _, along| lost[i] = along)?;
        let mut form = Buffer::<f64>::zeroed(OP, part * part)?;
        let mut right = Buffer::<f64>::zeroed(OP, part)?;
        let weight = f64::from(self.eta) - 1.0;
        for (m, codebook) in codebooks.chunks_exact_mut(centroids * part).enumerate() {
            for (k, c) in codebook.chunks_exact_mut(part).enumerate() {
                let members = || (0..n).filter(|i| usize::from(codes[i * subspaces + m]) == k);
                let at = |i: usize| i * self.dimension() + m * part;
                let along = |c: &[f32], i: usize| -> f64 {
                    let (x, u) = (&self.x[at(i)..][..part], &units[at(i)..][..part]);
                    x.iter().zip(c).zip(u).map(|((x, c), u)| f64::from(x - c) * f64::from(*u)).sum()
                };
                form.fill(0.0);
                right.fill(0.0);
                let mut count = 0;
                for i in members() {
                    count += 1;
                    let (x, u) = (&self.x[at(i)..][..part], &units[at(i)..][..part]);
                    lost[i] -= along(c, i);
                    let whole: f64 = x.iter().zip(u).map(|(x, u)| f64::from(*x) * f64::from(*u)).sum();
                    let pull = weight * (lost[i] + whole);
                    for (a, u_a) in u.iter().enumerate() {
                        right[a] += f64::from(x[a]) + pull * f64::from(*u_a);
                        let row = &mut form[a * part..][..=a];
                        for (form, u_b) in row.iter_mut().zip(u) {
                            *form += weight * f64::from(*u_a) * f64::from(*u_b);
                        }
                    }
                }
                if count == 0 {
                    continue;
                }
                for a in 0..part {
                    form[a * part + a] += f64::from(count);
                }
                solve(&mut form, &mut right, part);
                for (c, value) in c.iter_mut().zip(&*right) {
                    *c = *value as f32;
                }
                for i in members() {
                    lost[i] += along(c, i);
                }
            }
        }
        Ok(())
    }

    /// The sum of losses, in f64 over ascending index.
    ///
    /// Refuses as [`Self::fit`] does.
    pub fn loss(&self, codes: &[u8], codebooks: &[f32]) -> Result<f64> {
        self.check(codes.len())?;
        let mut units = Buffer::<f32>::zeroed(OP, self.x.len())?;
        for (whole, to) in
            self.whole.chunks_exact(self.dimension()).zip(units.chunks_exact_mut(self.dimension()))
        {
            unit(whole, to);
        }
        let (mut sum, weight) = (0.0, f64::from(self.eta) - 1.0);
        self.losses(&units, codes, codebooks, |_, squares, along| sum += squares + weight * along * along)?;
        Ok(sum)
    }

    /// Of each row its number, |r|² and <r, u>.
    fn losses(
        &self,
        units: &[f32],
        codes: &[u8],
        codebooks: &[f32],
        mut take: impl FnMut(usize, f64, f64),
    ) -> Result<()> {
        let PqShape { subspaces, centroids, dimension: part } = self.shape;
        check_shape(OP, What::Codebook, checked_area(OP, subspaces * centroids, part)?, codebooks.len())?;
        if let Some(&code) = codes.iter().find(|&&code| usize::from(code) >= centroids) {
            check_range(OP, What::Code, 0, centroids as i64 - 1, i64::from(code))?;
        }
        let rows = self.x.chunks_exact(self.dimension()).zip(units.chunks_exact(self.dimension()));
        for (i, ((x, u), codes)) in rows.zip(codes.chunks_exact(subspaces)).enumerate() {
            let (mut squares, mut along) = (0.0, 0.0);
            for (m, code) in codes.iter().enumerate() {
                let c = &codebooks[(m * centroids + usize::from(*code)) * part..][..part];
                for ((x, u), c) in x[m * part..].iter().zip(&u[m * part..]).zip(c) {
                    let r = f64::from(x - c);
                    squares += r * r;
                    along += r * f64::from(*u);
                }
            }
            take(i, squares, along);
        }
        Ok(())
    }
}

/// A vector of zeros has no direction.
#[inline(never)]
fn unit(vector: &[f32], to: &mut [f32]) {
    let length = squares(vector).sqrt();
    for (x, to) in vector.iter().zip(to) {
        *to = if length > 0.0 { (f64::from(*x) / length) as f32 } else { 0.0 };
    }
}

/// The index of the least, the lowest of equal ones.
fn least(values: impl Iterator<Item = f32>) -> u8 {
    let (mut best, mut at) = (f32::INFINITY, 0);
    for (i, value) in (0..=u8::MAX).zip(values) {
        if value < best {
            (best, at) = (value, i);
        }
    }
    at
}

/// Solves A x = b by Cholesky's factors, in place; of A the lower half counts, and it is I or more.
fn solve(a: &mut [f64], b: &mut [f64], size: usize) {
    for j in 0..size {
        for i in j..size {
            let sum: f64 = (0..j).map(|k| a[i * size + k] * a[j * size + k]).sum();
            let rest = a[i * size + j] - sum;
            a[i * size + j] = if i == j { rest.sqrt() } else { rest / a[j * size + j] };
        }
    }
    for i in 0..size {
        let sum: f64 = (0..i).map(|k| a[i * size + k] * b[k]).sum();
        b[i] = (b[i] - sum) / a[i * size + i];
    }
    for i in (0..size).rev() {
        let sum: f64 = (i + 1..size).map(|k| a[k * size + i] * b[k]).sum();
        b[i] = (b[i] - sum) / a[i * size + i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(seed: u64, n: usize) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 16_777_216.0 - 0.5
        };
        (0..n).map(|_| next()).collect()
    }

    /// h∥ |r∥|² + h⊥ |r⊥|² with h∥ = eta and h⊥ = 1, of the parts themselves.
    fn by_parts(x: &[f32], v: &[f32], y: &[f32], eta: f64) -> f64 {
        let r: Vec<f64> = x.iter().zip(y).map(|(x, y)| f64::from(*x) - f64::from(*y)).collect();
        let scale = r.iter().zip(v).map(|(r, v)| r * f64::from(*v)).sum::<f64>() / squares(v);
        let parallel: Vec<f64> = v.iter().map(|v| scale * f64::from(*v)).collect();
        let across: f64 = r.iter().zip(&parallel).map(|(r, p)| (r - p) * (r - p)).sum();
        eta * parallel.iter().map(|p| p * p).sum::<f64>() + across
    }

    const SHAPE: PqShape = PqShape { subspaces: 3, centroids: 16, dimension: 4 };

    #[test]
    fn the_loss_is_that_of_its_parts_and_codes_and_fits_lessen_it() {
        let (n, d) = (200, 12);
        let (x, v, mut books) = (numbers(1, n * d), numbers(2, n * d), numbers(3, 3 * 16 * 4));
        let of = Anisotropic { x: &x, whole: &v, shape: SHAPE, eta: 5.0 };
        let mut codes = vec![0; n * 3];
        of.encode(Tier::Simd128, &books, 0, &mut codes).unwrap();
        let nearest = of.loss(&codes, &books).unwrap();
        let expected: f64 = (0..n)
            .map(|i| {
                let y: Vec<f32> = (0..d)
                    .map(|j| books[(j / 4 * 16 + usize::from(codes[i * 3 + j / 4])) * 4 + j % 4])
                    .collect();
                by_parts(&x[i * d..][..d], &v[i * d..][..d], &y, 5.0)
            })
            .sum();
        assert!((nearest - expected).abs() < 1e-4 * expected, "{nearest} {expected}");
        let mut last = nearest;
        for _ in 0..3 {
            of.encode(Tier::Simd128, &books, 8, &mut codes).unwrap();
            let coded = of.loss(&codes, &books).unwrap();
            of.fit(&codes, &mut books).unwrap();
            let fitted = of.loss(&codes, &books).unwrap();
            assert!(coded < last && fitted < coded, "{last} {coded} {fitted}");
            last = fitted;
        }
        let mut plain = vec![0; n * 3];
        of.encode(Tier::Simd128, &books, 8, &mut codes).unwrap();
        of.encode(Tier::Scalar, &books, 8, &mut plain).unwrap();
        assert_eq!(codes, plain);
    }

    #[test]
    fn no_single_code_could_be_better() {
        let (n, d) = (50, 12);
        let (x, books) = (numbers(4, n * d), numbers(5, 3 * 16 * 4));
        let of = Anisotropic { x: &x, whole: &x, shape: SHAPE, eta: 9.0 };
        let mut codes = vec![0; n * 3];
        of.encode(Tier::Simd128, &books, 50, &mut codes).unwrap();
        let best = of.loss(&codes, &books).unwrap();
        for at in 0..codes.len() {
            let own = codes[at];
            for other in 0..16 {
                codes[at] = other;
                assert!(of.loss(&codes, &books).unwrap() >= best - 1e-4);
            }
            codes[at] = own;
        }
    }

    #[test]
    fn without_weight_it_is_the_mean_of_the_nearest() {
        let (n, d) = (300, 12);
        let (x, mut books) = (numbers(6, n * d), numbers(7, 3 * 16 * 4));
        let of = Anisotropic { x: &x, whole: &x, shape: SHAPE, eta: 1.0 };
        let mut codes = vec![0; n * 3];
        of.encode(Tier::Simd128, &books, 8, &mut codes).unwrap();
        of.fit(&codes, &mut books).unwrap();
        let members: Vec<usize> = (0..n).filter(|i| codes[i * 3] == 2).collect();
        assert!(!members.is_empty());
        for j in 0..4 {
            let mean = members.iter().map(|i| f64::from(x[i * d + j])).sum::<f64>() / members.len() as f64;
            assert!((f64::from(books[2 * 4 + j]) - mean).abs() < 1e-6);
        }
        assert!(Anisotropic { eta: 0.5, ..of }.loss(&codes, &books).is_err());
        assert!(Anisotropic { eta: f32::NAN, ..of }.loss(&codes, &books).is_err());
    }
}
