//! Codes back to floats.

use super::OP;
use crate::codebook_gemm::{CodedWeights, Decoding};
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape, checked_area};
use crate::layout::{code_at, code_row_bytes};

/// The weights that codes stand for, `w [N, K]`: level * scale, rounded once.
///
/// # Errors
/// `Range` where bits, dimension, group size or a code is out of range, `Shape` where a slice does not have its length.
pub fn decode(weights: &CodedWeights<'_>, w: &mut [f32]) -> Result<()> {
    let CodedWeights { columns, depth, bits, codes, decoding, scales, scale_rows, group_size } = *weights;
    let dimension = if let Decoding::Product { dimension, .. } = decoding { dimension } else { 1 };
    check_range(OP, What::Bits, 1, 8, bits as i64)?;
    check_range(OP, What::Depth, 1, i64::MAX, depth as i64)?;
    check_range(OP, What::Codebook, 1, depth as i64, dimension as i64)?;
    check_range(OP, What::GroupSize, 1, i64::MAX, group_size as i64)?;
    check_shape(OP, What::Depth, 0, depth % dimension)?;
    check_shape(OP, What::Length, checked_area(OP, columns, depth)?, w.len())?;
    let row = code_row_bytes(depth / dimension, bits);
    check_shape(OP, What::Codes, checked_area(OP, columns, row)?, codes.len())?;
    let groups = depth.div_ceil(group_size);
    let cells = if scale_rows == 1 { groups } else { checked_area(OP, columns, groups)? };
    if !scales.is_empty() {
        check_shape(OP, What::Scale, cells, scales.len())?;
    }
    if let Decoding::Affine { zero_points } = decoding
        && zero_points.len() != 1
    {
        check_shape(OP, What::ZeroPoint, cells, zero_points.len())?;
    }
    for (n, (codes, w)) in codes.chunks_exact(row).zip(w.chunks_exact_mut(depth)).enumerate() {
        for (k, w) in w.iter_mut().enumerate() {
            let code = usize::from(code_at(codes, bits, k / dimension));
            let cell = k / group_size + if scale_rows == 1 { 0 } else { n * groups };
            let level = level(&decoding, code, k % dimension, cell)?;
            *w = level * scales.get(cell).unwrap_or(&1.0);
        }
    }
    Ok(())
}

fn level(decoding: &Decoding<'_>, code: usize, component: usize, cell: usize) -> Result<f32> {
    let entry = |codebook: &[f32], at: usize| {
        let last = codebook.len() as i64 - 1;
        codebook.get(at).copied().ok_or(KernelError::new(ErrorCode::Range, OP, What::Code, last, at as i64))
    };
    match *decoding {
        Decoding::Sign => Ok(if code == 0 { 1.0 } else { -1.0 }),
        Decoding::Affine { zero_points } => {
            let zero = zero_points.get(cell).unwrap_or(&zero_points[0]);
            Ok((code as i64 - i64::from(*zero)) as f32)
        }
        Decoding::Table { codebook } => entry(codebook, code),
        Decoding::Product { codebook, dimension } => entry(codebook, code * dimension + component),
    }
}
