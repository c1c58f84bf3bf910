//! QSGD: stochastic rounding of |v| / ‖v‖ to multiples of 1/s, in Elias' code.

use super::OP;
use super::elias::{BitReader, BitWriter};
use crate::error::{Result, What, check_range, check_shape, checked_area};
use crate::quantize::Random;

/// Why bytes could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// They end too early.
    Truncated,
    /// They say what no writer does.
    Corrupt,
}

/// How a vector is cut and coded.
#[derive(Clone, Copy, Debug)]
pub struct Qsgd {
    /// Numbers that share a norm, at least 1; the last bucket is shorter where it does not divide.
    pub bucket: usize,
    /// s, 1..=65535.
    pub levels: u32,
    /// Every number has a code: ω(level + 1), then its sign where the level is not 0. Else per bucket ω(1 + number of levels that are not 0), and for each of
    /// those ω(distance from the one before, or 1 + index), its sign, ω(level).
    pub dense: bool,
}

impl Qsgd {
    /// Bytes that [`Self::encode`] needs at most for `count` numbers.
    ///
    /// # Errors
    /// `Memory` where that is beyond the address space.
    pub fn most_bytes(&self, count: usize) -> Result<usize> {
        // ω(n) has at most 2 n bits, so that distances take 2 bits a number; a sign takes one and ω(65535) 28. The number of a bucket takes at most 46.
        checked_area(OP, count, 4).map(|bytes| bytes + 6 * count.div_ceil(self.bucket.max(1)) + 8)
    }

    /// Norms per bucket, rounded up to f32 so that no quotient is above 1, and the coded levels at the start of `bytes`; their length.
    ///
    /// A level is floor(s |v| / ‖v‖ + u) with u uniform in [0, 1), in f64. The norm of a bucket may be infinite; its levels are then 0.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` where a parameter is out of range.
    pub fn encode(&self, x: &[f32], seed: u32, norms: &mut [f32], bytes: &mut [u8]) -> Result<usize> {
        self.check(x.len(), norms.len())?;
        check_shape(OP, What::Bytes, self.most_bytes(x.len())?, bytes.len())?;
        bytes.fill(0);
        let (mut random, mut writer) = (Random::seeded(seed), BitWriter::new(bytes));
        for (x, norm) in x.chunks(self.bucket).zip(norms) {
            *norm = round_up(x.iter().fold(0.0, |sum, &x| sum + f64::from(x) * f64::from(x)).sqrt());
            let s = f64::from(self.levels);
            let divisor = if *norm == 0.0 { f64::INFINITY } else { f64::from(*norm) };
            let level = |x: f32, random: &mut Random| {
                (f64::from(x.abs()) / divisor * s + random.uniform32()).floor().min(s) as u64
            };
            if self.dense {
                for &x in x {
                    let level = level(x, &mut random);
                    writer.elias(level + 1);
                    if level > 0 {
                        writer.bit(x < 0.0);
                    }
                }
            } else {
                // Counted first, then drawn again.
                let mut again = random;
                let count = x.iter().filter(|x| level(**x, &mut random) > 0).count();
                writer.elias(count as u64 + 1);
                let mut next = 0;
                for (i, &x) in x.iter().enumerate() {
                    let level = level(x, &mut again);
                    if level > 0 {
                        writer.elias((i + 1 - next) as u64);
                        writer.bit(x < 0.0);
                        writer.elias(level);
                        next = i + 1;
                    }
                }
            }
        }
        Ok(writer.bytes())
    }

    /// What the bytes stand for: ±(norm * level / s), in f64, rounded to f32 once.
    ///
    /// # Errors
    /// As [`Self::encode`]; the inner result says why bytes are not those of an `encode`.
    pub fn decode(&self, norms: &[f32], bytes: &[u8], y: &mut [f32]) -> Result<Result<(), Unreadable>> {
        self.check(y.len(), norms.len())?;
        Ok(self.read(norms, bytes, y))
    }

    fn read(&self, norms: &[f32], bytes: &[u8], y: &mut [f32]) -> Result<(), Unreadable> {
        let mut reader = BitReader::new(bytes);
        let s = f64::from(self.levels);
        for (y, &norm) in y.chunks_mut(self.bucket).zip(norms) {
            let value = |level: u64, minus: bool| {
                let magnitude = (f64::from(norm) * level as f64 / s) as f32;
                if minus { -magnitude } else { magnitude }
            };
            let known = |level: u64| {
                if level <= u64::from(self.levels) { Ok(level) } else { Err(Unreadable::Corrupt) }
            };
            y.fill(0.0);
            if self.dense {
                for y in y {
                    let level = known(reader.elias()? - 1)?;
                    if level > 0 {
                        *y = value(level, reader.bit()?);
                    }
                }
            } else {
                let mut next = 0;
                for _ in 1..reader.elias()? {
                    let at = next as u64 + reader.elias()? - 1;
                    let minus = reader.bit()?;
                    let level = known(reader.elias()?)?;
                    *y.get_mut(at as usize).ok_or(Unreadable::Corrupt)? = value(level, minus);
                    next = at as usize + 1;
                }
            }
        }
        reader.end()
    }

    fn check(&self, count: usize, norms: usize) -> Result<()> {
        check_range(OP, What::GroupSize, 1, i64::MAX, self.bucket as i64)?;
        check_range(OP, What::Codebook, 1, 65_535, i64::from(self.levels))?;
        check_shape(OP, What::Groups, count.div_ceil(self.bucket), norms)
    }
}

/// The least f32 that is not below x >= 0.
fn round_up(x: f64) -> f32 {
    let rounded = x as f32;
    if f64::from(rounded) < x { rounded.next_up() } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_codes_fit() {
        // One number to a bucket is its own norm: every level is s.
        for dense in [false, true] {
            for bucket in [1, 3, 1000] {
                let qsgd = Qsgd { bucket, levels: 65_535, dense };
                let x: Vec<f32> = (0..1000).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
                let mut norms = vec![0.0; 1000_usize.div_ceil(bucket)];
                let mut bytes = vec![0; qsgd.most_bytes(1000).unwrap()];
                let length = qsgd.encode(&x, 1, &mut norms, &mut bytes).unwrap();
                let mut y = vec![0.0; 1000];
                assert_eq!(qsgd.decode(&norms, &bytes[..length], &mut y), Ok(Ok(())));
                if bucket == 1 {
                    assert_eq!(x, y);
                }
                for short in 0..length {
                    assert!(qsgd.decode(&norms, &bytes[..short], &mut y).unwrap().is_err());
                }
            }
        }
    }
}
