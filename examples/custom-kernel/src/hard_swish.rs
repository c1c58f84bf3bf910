//! Hard-swish in two tiers that agree bit for bit: `x * clamp(alpha * x + beta, 0, 1)`, every step rounded to f32, in this order.
//! A NaN stays one; the sign of a zero is kept.

/// In place, by the best tier of this build.
pub fn hard_swish(values: &mut [f32], alpha: f32, beta: f32) {
    #[cfg(target_feature = "simd128")]
    simd128(values, alpha, beta);
    #[cfg(not(target_feature = "simd128"))]
    scalar(values, alpha, beta);
}

/// The specification.
pub fn scalar(values: &mut [f32], alpha: f32, beta: f32) {
    for x in values {
        let gate = alpha * *x + beta;
        let gate = if gate < 0.0 { 0.0 } else { gate };
        *x *= if 1.0 < gate { 1.0 } else { gate };
    }
}

/// Four at a time. `v128` has the WASM instructions in a WASM build and stand-ins natively, so the test below runs this very code.
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
pub fn simd128(values: &mut [f32], alpha: f32, beta: f32) {
    use lowbit_kernels::v128::*;
    let (scale, offset) = (f32x4_splat(alpha), f32x4_splat(beta));
    let (zero, one) = (f32x4_splat(0.0), f32x4_splat(1.0));
    let (chunks, rest) = values.as_chunks_mut::<4>();
    for chunk in chunks {
        let x = f32x4_load(chunk);
        let gate = f32x4_add(f32x4_mul(scale, x), offset);
        // The pseudo-minimum and -maximum compare as the specification does, so a NaN stays.
        f32x4_store(chunk, f32x4_mul(x, f32x4_pmin(f32x4_pmax(gate, zero), one)));
    }
    scalar(rest, alpha, beta);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tiers_give_the_same_bits() {
        let special = [0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE, -3.0, 3.0];
        let x: Vec<f32> = special.into_iter().chain((-50..53).map(|i| i as f32 * 0.17)).collect();
        for length in 0..x.len() {
            let (mut a, mut b) = (x[..length].to_vec(), x[..length].to_vec());
            scalar(&mut a, 1.0 / 6.0, 0.5);
            simd128(&mut b, 1.0 / 6.0, 0.5);
            assert!(
                a.iter().zip(&b).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()),
                "length {length}"
            );
        }
    }

    #[test]
    fn known_values() {
        let mut y = [-4.0, -3.0, 0.0, 1.5, 3.0, 4.0];
        hard_swish(&mut y, 1.0 / 6.0, 0.5);
        assert_eq!(y, [-0.0, -0.0, 0.0, 1.125, 3.0, 4.0]);
    }
}
