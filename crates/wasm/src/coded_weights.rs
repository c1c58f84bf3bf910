//! Weights by codes of any decoding, in parameters.

use lowbit_kernels::codebook_gemm::{CodedWeights, Decoding};
use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What};

use crate::params::Params;

const OP: Op = Op::CodebookGemm;

/// Columns N, depth K, bits, codes (u8 array), decoding (0 sign, 1 affine, 2 table, 3 product, 4 offset, 5 bases, 6 additive, 7 hashed), its array (none;
/// int32 zero points; f32: codebook, codebook, offsets, coefficients, codebooks, values), dimension, of additive the count, of hashed the seed and the position of
/// the first weight; scales (f32 array or absent), rows and columns of the scales, group size.
pub(crate) fn read_weights<'a>(params: &mut Params<'a>) -> Result<CodedWeights<'a>> {
    let (columns, depth) = (params.size(What::Columns)?, params.size(What::Depth)?);
    let bits = params.size(What::Bits)?;
    let codes = params.array()?;
    let decoding = match params.int()? {
        0 => {
            params.array::<u8>()?;
            Decoding::Sign
        }
        1 => Decoding::Affine { zero_points: params.array()? },
        2 => Decoding::Table { codebook: params.array()? },
        3 => Decoding::Product { codebook: params.array()?, dimension: 1 },
        4 => Decoding::Offset { offsets: params.array()? },
        5 => Decoding::Bases { coefficients: params.array()? },
        6 => Decoding::Additive { codebooks: params.array()?, dimension: 1, count: 1 },
        7 => Decoding::Hashed { values: params.array()?, seed: 0, first: 0 },
        other => return Err(KernelError::new(ErrorCode::Range, OP, What::Kind, 7, i64::from(other))),
    };
    let dimension = params.size(What::Codebook)?;
    let decoding = match decoding {
        Decoding::Product { codebook, .. } => Decoding::Product { codebook, dimension },
        Decoding::Additive { codebooks, .. } => {
            Decoding::Additive { codebooks, dimension, count: params.size(What::Codebook)? }
        }
        Decoding::Hashed { values, .. } => {
            let seed = params.int()? as u32;
            Decoding::Hashed { values, seed, first: params.size(What::Depth)? }
        }
        other => other,
    };
    let scales = params.array()?;
    // The second size follows from the length, which is checked.
    let (scale_rows, _) = (params.size(What::Scale)?, params.size(What::Scale)?);
    let group_size = params.size(What::GroupSize)?;
    Ok(CodedWeights { columns, depth, bits, codes, decoding, scales, scale_rows, group_size })
}
