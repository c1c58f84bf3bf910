//! The one error type of the kernels: closed sets of codes, operations and quantities, and the numbers.
//!
//! Shapes and ranges are checked once, where a kernel is made or called; inner loops cannot fail, so the checks are kept out of line: one copy of each in the module. Across the WASM border
//! an error is five numbers; the words for them are generated from here (`pnpm generate`), so no text ships in the module.

use core::fmt;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        pub enum $name { $(#[doc = concat!("`", $text, "`")] $(#[$variant_doc])* $variant),* }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text),* })
            }
        }
    };
}

/// What kind of thing went wrong. The numbers are part of the WASM border (a failing export returns `-code`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum ErrorCode {
    /// A length or a dimension does not fit the others.
    Shape = 1,
    /// A value lies outside what the operation is defined for.
    Range = 2,
    /// A pointer with its length does not lie inside the memory.
    Pointer = 3,
    /// A pointer is not a multiple of its element size.
    Alignment = 4,
    /// A handle that was never given out, was dropped, or belongs to another kind of object.
    Handle = 5,
    /// Memory is exhausted.
    Memory = 6,
    /// The sum could leave 32 bits.
    Accumulator = 7,
}

words! {
    /// Who refused. One line per family; the order is the number across the border, so add at the end.
    Op {
        Memory = "memory",
        Object = "object",
        Output = "output",
        Bitpack = "bitpack",
        XnorGemm = "xnor_gemm",
        TernaryGemm = "ternary_gemm",
        Conv = "conv",
        AffineGemm = "affine_gemm",
        CodebookGemm = "codebook_gemm",
        GemmF32 = "gemm_f32",
        FloatOps = "float_ops",
        MatmulF32 = "matmul_f32",
        Depthwise = "depthwise",
        Pool = "pool",
        Elementwise = "elementwise",
        Normalize = "normalize",
        Transform = "transform",
        Convert = "convert",
        Quantize = "quantize",
        /// An operator of another crate.
        Custom = "custom operator",
        Parallel = "parallel",
        TopK = "top_k",
        PqTables = "pq_tables",
        PqScan = "pq_scan",
        PqFastScan = "pq_fast_scan",
        Hamming = "hamming",
        Nearest = "nearest",
        MultibitGemm = "multibit_gemm",
        Solve = "solve",
        Windows = "windows",
        Resize = "resize",
        MatmulInteger = "matmul_integer",
        Strided = "strided",
        Attention = "attention",
        Embedding = "embedding",
        FlatScan = "flat_scan",
        Rabitq = "rabitq",
        Vectors = "vectors",
        Arithmetic = "arithmetic",
        Reduce = "reduce",
        Hnsw = "hnsw",
        FixedPoint = "fixed_point",
        Gather = "gather",
    }
}

words! {
    /// Which quantity was wrong. The order is the number across the border, so add at the end.
    What {
        Pointer = "pointer",
        Length = "length in elements",
        Bytes = "bytes",
        Handle = "handle",
        Kind = "kind",
        Parameters = "parameters",
        Rows = "rows (M)",
        Columns = "columns (N)",
        Depth = "depth (K)",
        Taps = "taps",
        Channels = "channels",
        Groups = "groups",
        Codes = "bytes of codes",
        Code = "code",
        Scale = "scales",
        Bias = "biases",
        Threshold = "thresholds",
        Multiplier = "multipliers",
        ZeroPoint = "zero point",
        Clamp = "clamp",
        /// A value that is NaN or infinite; got: its position.
        Finite = "finite value at position",
        OutputKind = "kind of output",
        Stride = "row stride",
        Geometry = "window",
        Padding = "padding",
        Bits = "bits per code",
        GroupSize = "group size",
        Codebook = "codebook entries",
        Axis = "axis",
        Sum = "largest sum",
        Overlap = "start behind the memory in use",
        Threads = "threads",
        Best = "best to keep (k)",
        Ids = "ids",
        Subspaces = "subspaces (M)",
        Queries = "queries",
        Tables = "distance tables",
        Radius = "radius",
        Planes = "planes",
        Pivot = "positive pivot in column",
        Heads = "heads",
        Positions = "positions",
        Operands = "operands",
        Links = "links (M)",
        Level = "levels",
        Breadth = "breadth (ef)",
        Exponent = "exponent",
        Index = "index",
        Indices = "indices",
    }
}

/// "op: what, expected X, got Y".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelError {
    /// The kind.
    pub code: ErrorCode,
    /// The operation that refused.
    pub op: Op,
    /// The quantity that was wrong.
    pub what: What,
    /// What it had to be, or the bound that was crossed.
    pub expected: i64,
    /// What it was.
    pub got: i64,
}

/// The result of everything that can be refused.
pub type Result<T, E = KernelError> = core::result::Result<T, E>;

impl KernelError {
    /// An error of any kind.
    pub const fn new(code: ErrorCode, op: Op, what: What, expected: i64, got: i64) -> Self {
        Self { code, op, what, expected, got }
    }

    /// A length or dimension that does not fit.
    pub const fn shape(op: Op, what: What, expected: usize, got: usize) -> Self {
        Self::new(ErrorCode::Shape, op, what, expected as i64, got as i64)
    }

    /// A value outside its range; `expected` is the bound that was crossed.
    pub const fn range(op: Op, what: What, expected: usize, got: usize) -> Self {
        Self::new(ErrorCode::Range, op, what, expected as i64, got as i64)
    }

    /// `bytes` could not be had.
    pub const fn memory(op: Op, bytes: usize) -> Self {
        Self::new(ErrorCode::Memory, op, What::Bytes, isize::MAX as i64, bytes as i64)
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, op, what, expected, got } = self;
        write!(f, "{code:?}: {op}: {what}, expected {expected}, got {got}")
    }
}

impl core::error::Error for KernelError {}

/// Refuses with [`ErrorCode::Shape`] unless `got == expected`.
#[inline(never)]
pub const fn check_shape(op: Op, what: What, expected: usize, got: usize) -> Result<()> {
    if got == expected { Ok(()) } else { Err(KernelError::shape(op, what, expected, got)) }
}

/// Refuses with [`ErrorCode::Range`] unless `low <= got <= high`.
#[inline(never)]
pub const fn check_range(op: Op, what: What, low: i64, high: i64, got: i64) -> Result<()> {
    if got < low {
        Err(KernelError::new(ErrorCode::Range, op, what, low, got))
    } else if got > high {
        Err(KernelError::new(ErrorCode::Range, op, what, high, got))
    } else {
        Ok(())
    }
}

/// Refuses with [`ErrorCode::Range`] unless every value is finite; `got` is the position of the first that is not.
#[inline(never)]
pub fn check_finite(op: Op, values: &[f32]) -> Result<()> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(at) => Err(KernelError::range(op, What::Finite, 0, at)),
    }
}

/// `a * b`, refused with [`ErrorCode::Memory`] where the product leaves `usize`.
#[inline(never)]
pub const fn checked_area(op: Op, a: usize, b: usize) -> Result<usize> {
    match a.checked_mul(b) {
        Some(area) => Ok(area),
        None => Err(KernelError::memory(op, usize::MAX)),
    }
}
