//! `conv_*`: a convolution over products of any family.

use core::any::Any;
use core::ops::Range;

use lowbit_kernels::affine_gemm::{AffineGemm, GroupedAffineGemm};
use lowbit_kernels::buffer::{Arena, Element};
use lowbit_kernels::codebook_gemm::CodebookGemm;
use lowbit_kernels::conv::Convolution;
use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What, check_range, checked_area};
use lowbit_kernels::gemm_f32::GemmF32;
use lowbit_kernels::geometry::{Geometry, Window};
use lowbit_kernels::layout::WORD_BITS;
use lowbit_kernels::output::{OutputKind, OutputMut};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::ternary_gemm::TernaryGemm;
use lowbit_kernels::xnor_gemm::{Activations, BinaryConvolution, Padding, XnorGemm};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, take, with};
use crate::memory::{Memory, reserve_scratch};
use crate::output::output_at;
use crate::parallel::{GRAIN, Parallel, Work, input, output, run_whole};
use crate::params::Params;

const OP: Op = Op::Conv;

/// Height and width of the image, then of kernel, strides and dilations, then pads top, left, bottom, right.
pub(crate) fn read_geometry(op: Op, params: &mut Params<'_>) -> Result<Geometry> {
    let mut pair = || Ok([params.size(What::Geometry)?, params.size(What::Geometry)?]);
    let (input, kernel, strides, dilations) = (pair()?, pair()?, pair()?, pair()?);
    let [[top, left], [bottom, right]] = [pair()?, pair()?];
    Geometry::new(op, input, Window { kernel, strides, dilations, pads: [top, left, bottom, right] })
}

/// What a handle names: a convolution whatever its elements. Its units are output pixels.
pub(crate) struct Conv(pub(crate) Box<dyn Parallel>);

struct Object<C> {
    conv: C,
    kind: OutputKind,
}

/// What products of any family become over a window.
trait Images {
    type Input: Element;
    fn geometry(&self) -> &Geometry;
    fn pixel_len(&self) -> usize;
    fn columns(&self) -> usize;
    /// Columns of a group.
    fn group_columns(&self) -> usize;
    fn block_rows(&self) -> usize;
    /// The fewest pixels that are still worth a call.
    fn grain(&self) -> usize;
    fn scratch_lines(&self) -> usize;
    fn run_pixels(
        &self,
        x: &[Self::Input],
        batch: usize,
        pixels: Range<usize>,
        y: OutputMut<'_>,
        scratch: &mut Arena<'_>,
    ) -> Result<()>;
}

macro_rules! images {
    ($input:ty, $conv:ty, $grain:expr $(, $kernel:ident)?) => {
        impl$(<$kernel: RowKernel>)? Images for $conv {
            type Input = $input;
            fn geometry(&self) -> &Geometry {
                self.geometry()
            }
            fn pixel_len(&self) -> usize {
                self.pixel_len()
            }
            fn columns(&self) -> usize {
                self.columns()
            }
            fn group_columns(&self) -> usize {
                self.kernels()[0].columns()
            }
            fn block_rows(&self) -> usize {
                self.block_rows()
            }
            fn grain(&self) -> usize {
                self.block_rows().min($grain)
            }
            fn scratch_lines(&self) -> usize {
                self.scratch_lines()
            }
            fn run_pixels(
                &self,
                x: &[$input],
                batch: usize,
                pixels: Range<usize>,
                y: OutputMut<'_>,
                scratch: &mut Arena<'_>,
            ) -> Result<()> {
                self.run_pixels(x, batch, pixels, y, scratch)
            }
        }
    };
}
images!(K::Input, Convolution<K>, GRAIN, K);
// Whole lines: inside a line its way of making table indices once is lost.
images!(u32, BinaryConvolution, usize::MAX);

impl<C: Images> Object<C> {
    /// Elements of y per pixel.
    fn stride(&self) -> usize {
        self.kind.row_len(self.conv.columns())
    }

    fn images(&self, batch: usize) -> Result<usize> {
        checked_area(OP, batch, checked_area(OP, self.conv.geometry().input_pixels(), self.conv.pixel_len())?)
    }
}

impl<C: Images + Sync> Parallel for Object<C> {
    fn prepare(&self, x: usize, y: usize, batch: usize) -> Result<Work> {
        let memory = Memory::new(OP);
        let units = checked_area(OP, batch, self.conv.geometry().output_pixels())?;
        memory.read::<C::Input>(x, self.images(batch)?)?;
        output_at(&memory, self.kind, y, checked_area(OP, units, self.stride())?)?;
        if self.kind == OutputKind::Bits && self.conv.columns() > self.conv.group_columns() {
            // A group that ends inside a word would write into its neighbour's.
            check_range(OP, What::Columns, 0, 0, (self.conv.group_columns() % WORD_BITS) as i64)?;
        }
        let block = self.conv.block_rows();
        let scratch_lines = self.conv.scratch_lines();
        Ok(Work { x, y, count: batch, units, block, grain: self.conv.grain(), scratch_lines })
    }

    unsafe fn run(&self, work: &Work, pixels: Range<usize>, mut scratch: Arena<'_>) {
        let (stride, images) = (self.stride(), self.images(work.count));
        // SAFETY: `prepare` found the images and the pixels at these addresses; these pixels of y are the caller's alone.
        let (x, y) = unsafe {
            (
                input::<C::Input>(work.x, 0, images.unwrap_or(0)),
                output(self.kind, work.y, pixels.start * stride, pixels.len() * stride),
            )
        };
        let done = self.conv.run_pixels(x, work.count, pixels, y, &mut scratch);
        assert!(done.is_ok(), "`prepare` checked all of it");
    }
}

/// Parameters: the window (`read_geometry`), whether padding is the real 0 under bits (0, 1), the element that a missing tap counts as,
/// handles (pointer, length) of the products of the groups, which belong to the convolution from now on, whatever this returns.
#[wasm_bindgen]
pub fn conv_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let geometry = read_geometry(OP, &mut params);
        let (zero_bits, fill) = (params.flag(What::Padding)?, params.int()?);
        let products = take(OP, params.array()?)?;
        params.end()?;
        let conv = join(products, geometry?, zero_bits, fill)?;
        insert(OP, Conv(conv))
    };
    status_or(make())
}

/// `x` `[batch, h, w, channels]` of the products' input, `y` `[batch, h', w', channels']` of their output.
#[wasm_bindgen]
pub fn conv_run(handle: i32, x: usize, y: usize, batch: usize) -> i32 {
    status(with(OP, handle, |conv: &Conv| run_whole(&*conv.0, x, y, batch)))
}

/// A product of any family, by the type of its rows.
pub(crate) enum Product {
    Floats(Box<dyn RowKernel<Input = f32>>, OutputKind),
    Bytes(Box<dyn RowKernel<Input = i8>>, OutputKind),
    Bits(Box<XnorGemm>),
}

/// What kind of product an object is.
pub(crate) fn product(object: Box<dyn Any>) -> Result<Product> {
    macro_rules! of_family {
        ($family:ty, $variant:ident, $kind:expr) => {
            if object.is::<$family>() {
                let gemm = object.downcast::<$family>().map_err(|_| not_a_product())?;
                let kind: fn(&$family) -> OutputKind = $kind;
                let kind = kind(&gemm);
                return Ok(Product::$variant(gemm, kind));
            }
        };
    }
    of_family!(GemmF32, Floats, |_| OutputKind::F32);
    of_family!(CodebookGemm, Floats, |_| OutputKind::F32);
    of_family!(AffineGemm, Bytes, |gemm| gemm.output().kind());
    of_family!(GroupedAffineGemm, Bytes, GroupedAffineGemm::output_kind);
    of_family!(TernaryGemm, Bytes, |gemm| gemm.output().kind());
    object.downcast().map(Product::Bits).map_err(|_| not_a_product())
}

fn not_a_product() -> KernelError {
    KernelError::new(ErrorCode::Handle, OP, What::Kind, 0, 0)
}

/// The products of all groups as one convolution; they take rows of one type and end in one kind of output.
fn join(
    products: Vec<Box<dyn Any>>,
    geometry: Geometry,
    zero_bits: bool,
    fill: i32,
) -> Result<Box<dyn Parallel>> {
    let (mut floats, mut bytes, mut bits, mut kinds) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for object in products {
        match product(object)? {
            Product::Floats(gemm, kind) => {
                floats.push(gemm);
                kinds.push(kind);
            }
            Product::Bytes(gemm, kind) => {
                bytes.push(gemm);
                kinds.push(kind);
            }
            Product::Bits(gemm) => {
                kinds.push(gemm.output().kind());
                bits.push(*gemm);
            }
        }
    }
    let kind = one_kind(&kinds)?;
    if zero_bits && bits.is_empty() {
        // Only sums of bits are corrected for their padding.
        return Err(KernelError::range(OP, What::Padding, 0, 1));
    }
    match [floats.len(), bytes.len(), bits.len()] {
        [_, 0, 0] => object(Convolution::new(geometry, floats, fill as f32)?, kind),
        [0, _, 0] => object(Convolution::new(geometry, bytes, fill as i8)?, kind),
        [0, 0, groups] => {
            // A pixel of trits is its sign words, then its non-zero words: the channels of a group do not lie side by side.
            if groups > 1 && bits.iter().any(|gemm| gemm.activations() == Activations::Trits) {
                return Err(KernelError::range(OP, What::Groups, 1, groups));
            }
            // A missing tap is the word 0: +1, or nothing.
            check_range(OP, What::Padding, 0, 0, i64::from(fill))?;
            let padding = if zero_bits { Padding::Zero } else { Padding::One };
            object(BinaryConvolution::new(geometry, bits, padding)?, kind)
        }
        _ => Err(not_a_product()),
    }
}

/// The kind of output that all groups have.
pub(crate) fn one_kind(kinds: &[OutputKind]) -> Result<OutputKind> {
    let first = *kinds.first().ok_or(KernelError::range(OP, What::Groups, 1, 0))?;
    match kinds.iter().find(|kind| **kind != first) {
        None => Ok(first),
        Some(other) => Err(KernelError::shape(OP, What::OutputKind, first as usize, *other as usize)),
    }
}

fn object<C: Images + Sync + 'static>(conv: C, kind: OutputKind) -> Result<Box<dyn Parallel>> {
    reserve_scratch(OP, conv.scratch_lines())?;
    Ok(Box::new(Object { conv, kind }))
}
