//! The one list of families. Differential tests, the table in this crate's README and
//! `packages/core/src/generated/registry.ts` follow from it (`pnpm generate`), so a tier cannot be listed without being tested.

use crate::tier::Tier;

/// What tiers of a family owe each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// Every tier gives the same bits as `scalar`.
    Exact,
}

/// A line of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Folder, Rust module, and prefix of the WASM exports.
    pub name: &'static str,
    /// Tiers with code of their own, in a file or in the family that it is built over; a build of a higher tier uses the highest of these.
    pub tiers: &'static [Tier],
    /// What they owe each other.
    pub agreement: Agreement,
    /// One line for the table.
    pub about: &'static str,
}

/// Calls `$callback!` with one line per family: `name, [tiers], agreement, about;`.
///
/// A test writes `mod <family> { pub fn check(tier: Tier) }` per line, or it does not compile.
#[macro_export]
macro_rules! for_each_kernel {
    ($callback:ident) => {
        $callback! {
            affine_gemm, [Scalar, Simd128, Relaxed], Exact, "8, 4 and 2-bit weights by int8 or uint8 activations, a scale per tensor, channel or group";
            attention, [Scalar, Simd128], Exact, "scaled dot products of queries and keys in f32, with masks, and rotation of positions";
            codebook_gemm, [Scalar, Simd128], Exact, "1 to 8-bit sign, affine, table and product-quantized weights by f32 activations";
            depthwise, [Scalar, Simd128], Exact, "convolutions with one input channel per output, of floats and of bytes";
            convert, [Scalar, Simd128], Exact, "activations between f32 and 8 bits";
            elementwise, [Scalar], Exact, "f32 arithmetic with broadcasting, clip, leaky ReLU, sigmoid, tanh, GELU, SiLU, sign";
            arithmetic, [Scalar], Exact, "60 functions of up to three tensors of any type, with broadcasting; casts";
            reduce, [Scalar], Exact, "reductions over any axes, arg max and min, top k, running sums, softmax, of any type";
            embedding, [Scalar], Exact, "rows of tables of f32 or of 1 to 8-bit codes, positions, means of rows under a mask";
            normalize, [Scalar, Simd128], Exact, "per-channel scale and bias, batch, layer and RMS normalization, softmax";
            nearest, [Scalar, Simd128], Exact, "the nearest of many centroids, as k-means and product quantization assign";
            quantize, [Scalar], Exact, "statistics, rounding, packing and error sums of the quantizers";
            solve, [Scalar, Simd128], Exact, "Gram matrices, their factors, and the roundings of calibrated quantizers";
            pool, [Scalar], Exact, "max and average pooling";
            windows, [Scalar], Exact, "windows over one to three axes: rows of taps and back, pooling with places and norms";
            resize, [Scalar], Exact, "nearest, linear and cubic resampling of any axes";
            matmul_integer, [Scalar], Exact, "products of two activations of 8 bits, requantization";
            transform, [Scalar], Exact, "transposition, padding, concatenation, casts";
            strided, [Scalar], Exact, "slices, repetition, splitting, padding: copies along strides";
            gather, [Scalar], Exact, "elements and blocks at places that indices name, read or written";
            gemm_f32, [Scalar, Simd128], Exact, "f32 products in one fixed order, and products of two activations";
            bitpack, [Scalar, Simd128], Exact, "f32 and bytes to bits and trits and back; max pooling of bits";
            ternary_gemm, [Scalar, Simd128, Relaxed], Exact, "weights -1, 0, +1 (or ±1) by int8 or uint8, exact in int32";
            pq_tables, [Scalar, Simd128], Exact, "distances between the parts of a query and the centroids of product-quantization codebooks";
            pq_scan, [Scalar, Simd128, Relaxed], Exact, "top k of 8-bit product-quantized codes by lookups";
            pq_fast_scan, [Scalar, Simd128, Relaxed], Exact, "top k of 4-bit product-quantized codes by lookups in registers";
            hamming, [Scalar], Exact, "top k, or all within a radius, of packed binary codes";
            fixed_point, [Scalar], Exact, "requantization, sums and means of codes by integers alone, as TensorFlow Lite's reference kernels round them";
            flat_scan, [Scalar, Simd128], Exact, "top k of float and byte vectors, of all or of chosen ones";
            rabitq, [Scalar, Simd128, Relaxed], Exact, "top k of 1 to 8-bit RaBitQ codes by exact integer products";
            hnsw, [Scalar, Simd128, Relaxed], Exact, "a graph of the nearest over float, byte, product-quantized and RaBitQ vectors, over their families";
            multibit_gemm, [Scalar, Simd128, Relaxed], Exact, "sums of ±1 planes with coefficients, 1 to 8 by 1 to 8, over xnor_gemm";
            xnor_gemm, [Scalar, Simd128, Relaxed], Exact, "±1 weights by bits or trits, in popcounts or table lookups";
        }
    };
}

macro_rules! families {
    ($($name:ident, [$($tier:ident),*], $agreement:ident, $about:literal;)*) => {
        /// Every family.
        pub const FAMILIES: &[Family] = &[$(Family {
            name: stringify!($name),
            tiers: &[$(Tier::$tier),*],
            agreement: Agreement::$agreement,
            about: $about,
        }),*];
    };
}
for_each_kernel!(families);
