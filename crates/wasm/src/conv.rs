//! `conv_*`: a convolution over products of any family.

use core::any::Any;

use lowbit_kernels::affine_gemm::{AffineGemm, GroupedAffineGemm};
use lowbit_kernels::buffer::Element;
use lowbit_kernels::codebook_gemm::CodebookGemm;
use lowbit_kernels::conv::Convolution;
use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What, checked_area};
use lowbit_kernels::gemm_f32::GemmF32;
use lowbit_kernels::geometry::{Geometry, Window};
use lowbit_kernels::output::OutputKind;
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::ternary_gemm::TernaryGemm;
use lowbit_kernels::xnor_gemm::{Activations, XnorGemm};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, take, with};
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::output::output_at;
use crate::params::Params;

const OP: Op = Op::Conv;

/// Height and width of the image, then of kernel, strides and dilations, then pads top, left, bottom, right.
pub(crate) fn read_geometry(op: Op, params: &mut Params<'_>) -> Result<Geometry> {
    let mut pair = || Ok([params.size(What::Geometry)?, params.size(What::Geometry)?]);
    let (input, kernel, strides, dilations) = (pair()?, pair()?, pair()?, pair()?);
    let [[top, left], [bottom, right]] = [pair()?, pair()?];
    Geometry::new(op, input, Window { kernel, strides, dilations, pads: [top, left, bottom, right] })
}

/// A convolution whatever its elements.
trait Convolve {
    fn convolve(&self, x: usize, y: usize, batch: usize) -> Result<()>;
}

/// What a handle names.
struct Conv(Box<dyn Convolve>);

struct Object<K: RowKernel> {
    conv: Convolution<K>,
    kind: OutputKind,
}

impl<K: RowKernel> Convolve for Object<K> {
    fn convolve(&self, x: usize, y: usize, batch: usize) -> Result<()> {
        let (memory, geometry) = (Memory::new(OP), self.conv.geometry());
        let image = checked_area(OP, geometry.input_pixels(), self.conv.pixel_len())?;
        let row = self.kind.row_len(self.conv.columns());
        let result = checked_area(OP, geometry.output_pixels(), row)?;
        let x = memory.read::<K::Input>(x, checked_area(OP, batch, image)?)?;
        let y = output_at(&memory, self.kind, y, checked_area(OP, batch, result)?)?;
        with_scratch(|mut scratch| self.conv.run(x, batch, y, &mut scratch))
    }
}

/// Parameters: the window ([`read_geometry`]), whether padding is the real 0 under bits (0, 1), the element that a missing tap counts as,
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

/// `x` [batch, h, w, channels] of the products' input, `y` [batch, h', w', channels'] of their output.
#[wasm_bindgen]
pub fn conv_run(handle: i32, x: usize, y: usize, batch: usize) -> i32 {
    status(with(OP, handle, |conv: &Conv| conv.0.convolve(x, y, batch)))
}

/// The products as a convolution of their family.
fn join(
    products: Vec<Box<dyn Any>>,
    geometry: Geometry,
    zero_bits: bool,
    fill: i32,
) -> Result<Box<dyn Convolve>> {
    let products = match all::<GemmF32>(products) {
        Ok(gemms) => {
            exact(zero_bits)?;
            return object(Convolution::new(geometry, gemms, fill as f32)?, OutputKind::F32);
        }
        Err(products) => products,
    };
    let products = match all::<CodebookGemm>(products) {
        Ok(gemms) => {
            exact(zero_bits)?;
            return object(Convolution::new(geometry, gemms, fill as f32)?, OutputKind::F32);
        }
        Err(products) => products,
    };
    let products = match all::<AffineGemm>(products) {
        Ok(gemms) => {
            exact(zero_bits)?;
            let kind = one_kind(gemms.iter().map(|gemm| gemm.output().kind()))?;
            return object(Convolution::new(geometry, gemms, fill as i8)?, kind);
        }
        Err(products) => products,
    };
    let products = match all::<GroupedAffineGemm>(products) {
        Ok(gemms) => {
            exact(zero_bits)?;
            let kind = one_kind(gemms.iter().map(GroupedAffineGemm::output_kind))?;
            return object(Convolution::new(geometry, gemms, fill as i8)?, kind);
        }
        Err(products) => products,
    };
    let products = match all::<TernaryGemm>(products) {
        Ok(gemms) => {
            exact(zero_bits)?;
            let kind = one_kind(gemms.iter().map(|gemm| gemm.output().kind()))?;
            return object(Convolution::new(geometry, gemms, fill as i8)?, kind);
        }
        Err(products) => products,
    };
    let products = match all::<XnorGemm>(products) {
        Ok(gemms) => {
            // A pixel of trits is its sign words, then its non-zero words: the channels of a group do not lie side by side.
            if gemms.len() > 1 && gemms.iter().any(|gemm| gemm.activations() == Activations::Trits) {
                return Err(KernelError::range(OP, What::Groups, 1, gemms.len()));
            }
            let kind = one_kind(gemms.iter().map(|gemm| gemm.output().kind()))?;
            let conv = if zero_bits {
                Convolution::with_zero_padding(geometry, gemms)?
            } else {
                Convolution::new(geometry, gemms, fill as u32)?
            };
            return object(conv, kind);
        }
        Err(products) => products,
    };
    Err(KernelError::new(ErrorCode::Handle, OP, What::Kind, 0, products.len() as i64))
}

/// The kind of output that all groups have.
fn one_kind(mut kinds: impl Iterator<Item = OutputKind>) -> Result<OutputKind> {
    let first = kinds.next().ok_or(KernelError::range(OP, What::Groups, 1, 0))?;
    match kinds.find(|&kind| kind != first) {
        None => Ok(first),
        Some(other) => Err(KernelError::shape(OP, What::OutputKind, first as usize, other as usize)),
    }
}

/// All of them as `K`, or back as they came.
fn all<K: RowKernel + 'static>(products: Vec<Box<dyn Any>>) -> Result<Vec<K>, Vec<Box<dyn Any>>> {
    if !products.iter().all(|product| product.is::<K>()) {
        return Err(products);
    }
    Ok(products.into_iter().filter_map(|product| product.downcast().ok()).map(|product| *product).collect())
}

/// Only sums of bits are corrected for their padding.
fn exact(zero_bits: bool) -> Result<()> {
    if zero_bits { Err(KernelError::range(OP, What::Padding, 0, 1)) } else { Ok(()) }
}

fn object<K: RowKernel + 'static>(conv: Convolution<K>, kind: OutputKind) -> Result<Box<dyn Convolve>>
where
    K::Input: Element,
{
    reserve_scratch(OP, conv.scratch_lines())?;
    Ok(Box::new(Object { conv, kind }))
}
