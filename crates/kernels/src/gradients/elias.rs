//! Elias' recursive code of positive integers (omega): bits of a stream, least significant bit of a byte first; within a number the most significant bit comes
//! first.
//!
//! ω(1) = `0`; ω(n) = the binary digits of n before the final `0`, before them those of (number of digits - 1), and so on until that is 1.

use super::qsgd::Unreadable;

/// Largest number that is written or read.
pub(super) const LARGEST: u64 = 1 << 32;

/// Writes into a slice that is large enough.
pub(super) struct BitWriter<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> BitWriter<'a> {
    /// `bytes` are zero.
    pub(super) const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn bit(&mut self, bit: bool) {
        self.bytes[self.at / 8] |= u8::from(bit) << (self.at % 8);
        self.at += 1;
    }

    /// ω(n), 1 <= n <= [`LARGEST`].
    pub(super) fn elias(&mut self, n: u64) {
        // At most five numbers: 2^32, 32, 5, 2.
        let (mut parts, mut count, mut rest) = ([0_u64; 6], 0, n);
        while rest > 1 {
            parts[count] = rest;
            count += 1;
            rest = u64::from(rest.ilog2());
        }
        for part in parts[..count].iter().rev() {
            for digit in (0..=part.ilog2()).rev() {
                self.bit(part >> digit & 1 == 1);
            }
        }
        self.bit(false);
    }

    /// Whole bytes so far.
    pub(super) const fn bytes(&self) -> usize {
        self.at.div_ceil(8)
    }
}

/// Reads what [`BitWriter`] wrote.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn bit(&mut self) -> Result<bool, Unreadable> {
        let byte = self.bytes.get(self.at / 8).ok_or(Unreadable::Truncated)?;
        let bit = byte >> (self.at % 8) & 1 == 1;
        self.at += 1;
        Ok(bit)
    }

    pub(super) fn elias(&mut self) -> Result<u64, Unreadable> {
        let mut n = 1_u64;
        while self.bit()? {
            if n > 32 {
                return Err(Unreadable::Corrupt);
            }
            let mut next = 1;
            for _ in 0..n {
                next = next << 1 | u64::from(self.bit()?);
            }
            n = next;
        }
        if n > LARGEST { Err(Unreadable::Corrupt) } else { Ok(n) }
    }

    /// That nothing but the zeros that fill the last byte is left.
    pub(super) fn end(mut self) -> Result<(), Unreadable> {
        if self.at.div_ceil(8) != self.bytes.len() {
            return Err(Unreadable::Corrupt);
        }
        while !self.at.is_multiple_of(8) {
            if self.bit()? {
                return Err(Unreadable::Corrupt);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_elias() {
        // From the table of Elias, "Universal codeword sets and representations of the integers", 1975.
        let table = [
            (1, "0"),
            (2, "100"),
            (3, "110"),
            (4, "101000"),
            (7, "101110"),
            (8, "1110000"),
            (16, "10100100000"),
            (100, "1011011001000"),
        ];
        for (n, code) in table {
            let mut bytes = [0; 8];
            let mut writer = BitWriter::new(&mut bytes);
            writer.elias(n);
            let length = writer.at;
            let mut reader = BitReader::new(&bytes);
            let bits: String = (0..length).map(|_| if reader.bit().unwrap() { '1' } else { '0' }).collect();
            assert_eq!(bits, code, "{n}");
        }
    }

    #[test]
    fn numbers_come_back() {
        let numbers: Vec<u64> = (1..200).chain((3..=32).flat_map(|p| [(1 << p) - 1, 1 << p])).collect();
        let mut bytes = vec![0; 1024];
        let mut writer = BitWriter::new(&mut bytes);
        for &n in &numbers {
            writer.elias(n);
        }
        let length = writer.bytes();
        let mut reader = BitReader::new(&bytes[..length]);
        assert!(numbers.iter().all(|&n| reader.elias() == Ok(n)));
        assert_eq!(reader.end(), Ok(()));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        assert_eq!(BitReader::new(&[]).elias(), Err(Unreadable::Truncated));
        assert_eq!(BitReader::new(&[0xff; 2]).elias(), Err(Unreadable::Truncated));
        assert_eq!(BitReader::new(&[0xff; 64]).elias(), Err(Unreadable::Corrupt));
        assert_eq!(BitReader::new(&[0, 0]).end(), Err(Unreadable::Corrupt));
    }
}
