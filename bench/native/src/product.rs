//! Products and convolutions on the kernel that their value kinds call for, as `bench/src/cases/product-kernels.ts` does it over WASM.

use lowbit_kernels::affine_gemm::{AffineCodes, AffineGemm, AffineInput};
use lowbit_kernels::buffer::{Buffer, Scratch};
use lowbit_kernels::conv::Convolution;
use lowbit_kernels::depthwise::{DepthwiseAffine, DepthwiseF32};
use lowbit_kernels::error::{KernelError, Op};
use lowbit_kernels::gemm_f32::GemmF32;
use lowbit_kernels::geometry::{Geometry, Window};
use lowbit_kernels::output::{OutputMut, OutputTransform};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::ternary_gemm::{TernaryGemm, TernaryInput, TernaryWeights};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::xnor_gemm::{Activations, BinaryConvolution, Padding, XnorGemm, XnorShape};

use crate::Loaded;
use crate::task::{Conv, Gemm, Result as Ends, Task, Tensors, Values, cold_copies};

const TIER: Tier = Tier::Relaxed;
/// What allocations are called in errors.
const OP: Op = Op::Memory;
const FREE: (f32, f32) = (f32::NEG_INFINITY, f32::INFINITY);

/// What a run leaves.
enum Outputs {
    I32(Vec<i32>),
    F32(Vec<f32>),
    Int8(Vec<i8>),
    Bits(Vec<u32>),
}

impl Outputs {
    fn new(ends: Ends, rows: usize, columns: usize) -> Self {
        match ends {
            Ends::Int32 => Self::I32(vec![0; rows * columns]),
            Ends::F32 => Self::F32(vec![0.0; rows * columns]),
            Ends::Int8 { .. } => Self::Int8(vec![0; rows * columns]),
            Ends::Bits => Self::Bits(vec![0; rows * columns.div_ceil(32)]),
        }
    }

    fn as_mut(&mut self) -> OutputMut<'_> {
        match self {
            Self::I32(y) => OutputMut::I32(y),
            Self::F32(y) => OutputMut::F32(y),
            Self::Int8(y) => OutputMut::Int8(y),
            Self::Bits(y) => OutputMut::Bits(y),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::I32(y) => y.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::F32(y) => y.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Int8(y) => y.iter().map(|v| *v as u8).collect(),
            Self::Bits(y) => y.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }
}

type Run = Box<dyn Fn(OutputMut<'_>, &mut Scratch) -> Result<(), KernelError>>;

/// Kernels that take turns, over one input.
struct Product {
    kernels: Vec<Run>,
    next: usize,
    scratch: Scratch,
    y: Outputs,
}

impl Loaded for Product {
    fn run(&mut self) -> Result<(), String> {
        let kernel = &self.kernels[self.next];
        self.next = (self.next + 1) % self.kernels.len();
        kernel(self.y.as_mut(), &mut self.scratch).map_err(|error| error.to_string())
    }

    fn output(&self) -> Vec<u8> {
        self.y.bytes()
    }
}

/// A product or a convolution made ready.
pub(crate) fn product(task: &Task, tensors: &Tensors) -> Result<Box<dyn Loaded>, String> {
    let (run, copies, rows, columns, ends) = match task {
        Task::Gemm(gemm) => {
            let copies = if gemm.cold { cold_copies(packed_bytes(gemm)) } else { 1 };
            (of_gemm as fn(&Task, &Tensors, &mut Scratch) -> _, copies, gemm.m, gemm.n, gemm.y)
        }
        Task::Conv(conv) => {
            let geometry = geometry(conv).map_err(|error| error.to_string())?;
            (
                of_conv as fn(&Task, &Tensors, &mut Scratch) -> _,
                1,
                geometry.output_pixels(),
                conv.outputs,
                conv.y,
            )
        }
        Task::Scan(_) => return Err("a scan is no product".into()),
    };
    let mut scratch = Scratch::new();
    let kernels =
        (0..copies).map(|_| run(task, tensors, &mut scratch)).collect::<Result<Vec<Run>, String>>()?;
    Ok(Box::new(Product { kernels, next: 0, scratch, y: Outputs::new(ends, rows, columns) }))
}

fn of_gemm(task: &Task, tensors: &Tensors, scratch: &mut Scratch) -> Result<Run, String> {
    let Task::Gemm(Gemm { m, n, k, x, w, y, .. }) = *task else { return Err("not a product".into()) };
    let matrix = Matrix { n, k, taps: 1, w, y };
    match (x, w) {
        (Values::Sign, Values::Sign) => {
            dense(matrix.xnor(tensors)?, sign_words(&tensors.i8("x")?, k), m, scratch)
        }
        (Values::F32, Values::F32) => dense(matrix.float(tensors)?, tensors.f32("x")?, m, scratch),
        (Values::Int8, Values::Trit) => dense(matrix.ternary(tensors)?, tensors.i8("x")?, m, scratch),
        (Values::Int8, _) => dense(matrix.affine(tensors)?, tensors.i8("x")?, m, scratch),
        _ => Err(format!("no kernel for {x:?} by {w:?}")),
    }
}

fn dense<K: RowKernel + 'static>(
    kernel: K,
    x: Vec<K::Input>,
    rows: usize,
    scratch: &mut Scratch,
) -> Result<Run, String> {
    scratch.reserve(OP, kernel.scratch_lines(rows)).map_err(|error| error.to_string())?;
    Ok(Box::new(move |y, scratch| {
        let stride = y.len() / rows;
        kernel.run_rows(&x, rows, None, y, stride, scratch.arena());
        Ok(())
    }))
}

fn of_conv(task: &Task, tensors: &Tensors, scratch: &mut Scratch) -> Result<Run, String> {
    let Task::Conv(conv) = *task else { return Err("not a convolution".into()) };
    let text = |error: KernelError| error.to_string();
    let geometry = geometry(&conv).map_err(text)?;
    let taps = geometry.window.taps();
    let matrix =
        Matrix { n: conv.outputs, k: taps * conv.channels / conv.groups, taps, w: conv.w, y: conv.y };
    match (conv.x, conv.groups) {
        (Values::Sign, 1) => {
            let made =
                BinaryConvolution::new(geometry, vec![matrix.xnor(tensors)?], Padding::Zero).map_err(text)?;
            scratch.reserve(OP, made.scratch_lines()).map_err(text)?;
            let x = sign_words(&tensors.i8("x")?, conv.channels);
            Ok(Box::new(move |y, scratch| made.run(&x, 1, y, &mut scratch.arena())))
        }
        (Values::F32, 1) => convolution(geometry, matrix.float(tensors)?, tensors.f32("x")?, 0.0, scratch),
        (Values::Int8, 1) => convolution(geometry, matrix.affine(tensors)?, tensors.i8("x")?, 0, scratch),
        (Values::F32, _) => {
            let w = tensors.f32("w")?;
            let made = DepthwiseF32::new(TIER, geometry, conv.channels, &w, &[], FREE).map_err(text)?;
            scratch.reserve(OP, made.scratch_lines()).map_err(text)?;
            let x = tensors.f32("x")?;
            Ok(Box::new(move |y, scratch| match y {
                OutputMut::F32(y) => made.run(&x, 1, y, scratch.arena()),
                _ => unreachable!("floats make floats"),
            }))
        }
        (Values::Int8, _) => {
            let (codes, output) = (matrix.codes(tensors, 8, 128)?, matrix.ends(tensors)?);
            let weights = matrix.coded(&codes, 8, &[128]);
            let made = DepthwiseAffine::new(TIER, geometry, conv.channels, &weights, SIGNED, output)
                .map_err(text)?;
            scratch.reserve(OP, made.scratch_lines()).map_err(text)?;
            let x = tensors.i8("x")?;
            Ok(Box::new(move |y, scratch| made.run(&x, 1, y, scratch.arena())))
        }
        _ => Err(format!("no kernel for {:?} in {} groups", conv.x, conv.groups)),
    }
}

fn convolution<K: RowKernel + 'static>(
    geometry: Geometry,
    kernel: K,
    x: Vec<K::Input>,
    fill: K::Input,
    scratch: &mut Scratch,
) -> Result<Run, String> {
    let made = Convolution::new(geometry, vec![kernel], fill).map_err(|error| error.to_string())?;
    scratch.reserve(OP, made.scratch_lines()).map_err(|error| error.to_string())?;
    Ok(Box::new(move |y, scratch| made.run(&x, 1, y, &mut scratch.arena())))
}

const SIGNED: AffineInput = AffineInput { unsigned: false, zero_point: 0 };

fn geometry(conv: &Conv) -> Result<Geometry, KernelError> {
    let window =
        Window { kernel: conv.kernel, strides: [conv.stride; 2], dilations: [1, 1], pads: conv.pads };
    Geometry::new(OP, [conv.height, conv.width], window)
}

/// A matrix of weights and what becomes of its sums.
struct Matrix {
    n: usize,
    k: usize,
    taps: usize,
    w: Values,
    y: Ends,
}

impl Matrix {
    fn ends(&self, tensors: &Tensors) -> Result<OutputTransform, String> {
        let text = |error: KernelError| error.to_string();
        let filled = |value: f32| Buffer::from_slice(OP, &vec![value; self.n]).map_err(text);
        Ok(match self.y {
            Ends::Int32 => OutputTransform::I32,
            Ends::F32 => {
                OutputTransform::F32 { scale: filled(1.0)?, bias: filled(0.0)?, clamp: [FREE.0, FREE.1] }
            }
            Ends::Int8 { step } => OutputTransform::Int8 {
                multiplier: filled(1.0 / step)?,
                bias: Buffer::zeroed(OP, self.n).map_err(text)?,
                zero_point: 0,
                clamp: [-128, 127],
            },
            Ends::Bits => OutputTransform::Bits {
                thresholds: Buffer::from_slice(OP, &tensors.i32("thresholds")?).map_err(text)?,
            },
        })
    }

    /// Codes `value + zero_point` of so many bits, each row on a new byte.
    fn codes(&self, tensors: &Tensors, bits: usize, zero_point: i32) -> Result<Vec<u8>, String> {
        let row_bytes = (self.k * bits).div_ceil(8);
        let mut packed = vec![0; self.n * row_bytes];
        for (row, values) in packed.chunks_exact_mut(row_bytes).zip(tensors.i8("w")?.chunks_exact(self.k)) {
            for (j, value) in values.iter().enumerate() {
                row[j * bits / 8] |= ((i32::from(*value) + zero_point) as u8) << (j * bits % 8);
            }
        }
        Ok(packed)
    }

    fn coded<'a>(&self, codes: &'a [u8], bits: usize, zero_points: &'a [i32]) -> AffineCodes<'a> {
        AffineCodes { columns: self.n, depth: self.k, group_size: self.k, bits, codes, zero_points }
    }

    fn xnor(&self, tensors: &Tensors) -> Result<XnorGemm, String> {
        let signs: Vec<i8> = tensors.i8("w")?;
        let row_bytes = self.k.div_ceil(8);
        let mut codes = vec![0; self.n * row_bytes];
        for (row, values) in codes.chunks_exact_mut(row_bytes).zip(signs.chunks_exact(self.k)) {
            for (j, value) in values.iter().enumerate() {
                row[j / 8] |= u8::from(*value < 0) << (j % 8);
            }
        }
        let shape = XnorShape {
            columns: self.n,
            taps: self.taps,
            channels: self.k / self.taps,
            activations: Activations::Bits,
        };
        XnorGemm::new(TIER, shape, &codes, self.ends(tensors)?).map_err(|error| error.to_string())
    }

    fn float(&self, tensors: &Tensors) -> Result<GemmF32, String> {
        GemmF32::new(TIER, self.n, self.k, &tensors.f32("w")?, &[], FREE).map_err(|error| error.to_string())
    }

    fn ternary(&self, tensors: &Tensors) -> Result<TernaryGemm, String> {
        let codes = self.codes(tensors, 2, 1)?;
        let weights =
            TernaryWeights { columns: self.n, depth: self.k, bits: 2, codes: &codes, zero_points: &[1] };
        let input = TernaryInput { unsigned: false, zero_point: 0 };
        TernaryGemm::new(TIER, &weights, input, self.ends(tensors)?).map_err(|error| error.to_string())
    }

    fn affine(&self, tensors: &Tensors) -> Result<AffineGemm, String> {
        let (bits, zero_point) = bits_of(self.w);
        let codes = self.codes(tensors, bits, zero_point)?;
        let weights = self.coded(&codes, bits, &[]);
        let weights = AffineCodes { zero_points: &[zero_point], ..weights };
        AffineGemm::new(TIER, &weights, SIGNED, self.ends(tensors)?).map_err(|error| error.to_string())
    }
}

/// Bits of a weight as a file keeps it, and its zero point.
const fn bits_of(w: Values) -> (usize, i32) {
    match w {
        Values::Trit => (2, 1),
        Values::Int2 => (2, 2),
        Values::Int4 => (4, 8),
        _ => (8, 128),
    }
}

/// Bytes of a copy of the weights, about.
fn packed_bytes(gemm: &Gemm) -> usize {
    let bits = match gemm.w {
        Values::Sign => 1,
        Values::F32 => 32,
        w => bits_of(w).0,
    };
    gemm.n * gemm.k * bits / 8
}

/// Signs in runs of `channels` that each start a new word; 1 stands for -1.
fn sign_words(values: &[i8], channels: usize) -> Vec<u32> {
    values
        .chunks_exact(channels)
        .flat_map(|run| run.chunks(32))
        .map(|word| word.iter().enumerate().fold(0, |bits, (i, v)| bits | u32::from(*v < 0) << i))
        .collect()
}
