//! Cases that a fuzzer makes from bytes, run by every tier and by the oracle. Both results are in the message of a difference.
//!
//! A family of the registry has a file of its name here with `pub struct Case`, [`arbitrary::Arbitrary`] and with a method `check`, or this crate does not
//! compile; nothing else names it. `cargo test` runs seeded bytes, which the project's checks do under AddressSanitizer; `LOWBIT_FUZZ=xnor_gemm cargo +nightly fuzz
//! run families --features libfuzzer` fuzzes on, without the variable all families.

use arbitrary::{Arbitrary, Unstructured};

mod pq;
mod sizes;

macro_rules! families {
    ($($family:ident, [$($tier:ident),*], $agreement:ident, $about:literal;)*) => {
        $(pub mod $family;)*

        /// Every family, with what makes a case of some bytes and checks it.
        pub const FAMILIES: &[(&str, fn(&[u8]))] = &[$((stringify!($family), |data| {
            // Too few bytes make no case.
            if let Ok(case) = $family::Case::arbitrary_take_rest(Unstructured::new(data)) {
                case.check();
            }
        })),*];
    };
}
lowbit_kernels::for_each_kernel!(families);

/// Checks a case of one family.
///
/// # Panics
/// Where a tier differs, or where there is no such family.
pub fn check(family: &str, data: &[u8]) {
    let found = FAMILIES.iter().find(|(name, _)| *name == family);
    let (_, check) = found.unwrap_or_else(|| panic!("no family {family}"));
    check(data);
}

/// Checks a case of the family that the first byte picks.
///
/// # Panics
/// Where a tier differs.
pub fn check_any(data: &[u8]) {
    if let Some((first, rest)) = data.split_first() {
        FAMILIES[usize::from(*first) % FAMILIES.len()].1(rest);
    }
}

/// `count` values of -1, 0, +1 (or ±1) drawn from `bytes`, over and over.
fn trits(bytes: &[u8], count: usize, zeros: bool) -> Vec<i32> {
    let value = |byte: u8| if zeros { i32::from(byte % 3) - 1 } else { 1 - 2 * i32::from(byte & 1) };
    cycle(bytes, count, 0).map(value).collect()
}

/// `count` bytes from `start` on, over and over; zeros where there are none.
fn cycle(bytes: &[u8], count: usize, start: usize) -> impl Iterator<Item = u8> {
    (start..start + count).map(|i| bytes.get(i % bytes.len().max(1)).copied().unwrap_or(0))
}

/// `count` floats of -1.66 to 1.65 drawn from `bytes`.
fn floats(bytes: &[u8], count: usize, start: usize) -> Vec<f32> {
    cycle(bytes, count, start).map(|byte| (f32::from(byte) - 128.0) / 77.0).collect()
}

/// `count` floats of any bits drawn from `bytes`.
fn any_floats(bytes: &[u8], count: usize, start: usize) -> Vec<f32> {
    let bytes: Vec<u8> = cycle(bytes, count * 4, start).collect();
    bytes.as_chunks::<4>().0.iter().map(|bits| f32::from_le_bytes(*bits)).collect()
}

/// Bits, with one pattern for every NaN.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| if v.is_nan() { f32::NAN.to_bits() } else { v.to_bits() }).collect()
}

#[cfg(test)]
mod tests {
    use lowbit_kernels::testing::Random;

    /// Without a fuzzer, on every toolchain and under every sanitizer: bytes of a seeded generator, of all lengths.
    #[test]
    fn seeded_bytes() {
        for (family, check) in super::FAMILIES {
            let mut random = Random::new(family.len() as u64);
            for _ in 0..400 {
                let length = random.int(0, 300) as usize;
                check(&random.many(length, |random| random.next() as u8));
            }
        }
    }

    #[test]
    #[should_panic = "no family nothing"]
    fn unknown_family() {
        super::check("nothing", &[]);
    }
}
