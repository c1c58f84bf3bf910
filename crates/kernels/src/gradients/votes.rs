//! The majority of signs.

use super::OP;
use crate::error::{Result, What, check_shape, checked_area};

/// Of `voters` rows of packed signs (bit 1 = minus, least significant bit first) the sign of each of `count` sums; plus on a tie. Spare bits are 0.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn majority(signs: &[u8], voters: usize, count: usize, result: &mut [u8]) -> Result<()> {
    let row = count.div_ceil(8);
    check_shape(OP, What::Bytes, checked_area(OP, voters, row)?, signs.len())?;
    check_shape(OP, What::Bytes, row, result.len())?;
    for (i, result) in result.iter_mut().enumerate() {
        let mut minus = [0_usize; 8];
        for voter in 0..voters {
            let byte = signs[voter * row + i];
            for (bit, minus) in minus.iter_mut().enumerate() {
                *minus += usize::from(byte >> bit & 1);
            }
        }
        let byte =
            minus.iter().enumerate().fold(0, |all, (bit, &minus)| all | u8::from(2 * minus > voters) << bit);
        *result =
            if i + 1 == row && !count.is_multiple_of(8) { byte & ((1 << (count % 8)) - 1) } else { byte };
    }
    Ok(())
}
