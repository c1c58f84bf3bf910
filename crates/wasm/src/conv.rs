//! `conv_*`: a convolution over products of any family.

use core::any::Any;
use core::ops::Range;

#[cfg(all(feature = "winograd", any(target_feature = "simd128", not(target_arch = "wasm32"))))]
use lowbit_kernels::affine_gemm::{AffineGemm, WinogradConvolution};
use lowbit_kernels::buffer::{Arena, Element};
use lowbit_kernels::conv::Convolution;
use lowbit_kernels::error::{KernelError, Op, Result, What, check_range, checked_area};
use lowbit_kernels::geometry::Geometry;
use lowbit_kernels::layout::WORD_BITS;
use lowbit_kernels::output::{OutputKind, OutputMut};
use lowbit_kernels::rows::RowKernel;
#[cfg(feature = "bits")]
use lowbit_kernels::xnor_gemm::{Activations, BinaryConvolution, Padding};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::geometry::read_geometry;
use crate::handles::{insert, take, with};
use crate::memory::{Memory, reserve_scratch};
use crate::output::output_at;
use crate::params::Params;
use crate::products::{Products, not_a_product};
use crate::work::{GRAIN, Parallel, Work, input, output, run_whole};

const OP: Op = Op::Conv;

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
    /// The fewest units that are still worth a call.
    fn grain(&self) -> usize;
    /// Units of an image: output pixels, where nothing else is said.
    fn units(&self) -> usize {
        self.geometry().output_pixels()
    }
    /// Output pixels before a unit, counted over all images.
    fn pixels_before(&self, unit: usize) -> usize {
        unit
    }
    fn scratch_lines(&self) -> usize;
    fn run_units(
        &self,
        x: &[Self::Input],
        batch: usize,
        units: Range<usize>,
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
            fn run_units(
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
#[cfg(feature = "bits")]
images!(u32, BinaryConvolution, usize::MAX);

#[cfg(all(feature = "winograd", any(target_feature = "simd128", not(target_arch = "wasm32"))))]
impl Images for WinogradConvolution {
    type Input = i8;
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
        self.columns()
    }
    fn block_rows(&self) -> usize {
        self.block_lines()
    }
    fn grain(&self) -> usize {
        1
    }
    fn units(&self) -> usize {
        self.lines()
    }
    fn pixels_before(&self, line: usize) -> usize {
        self.pixels_before(line)
    }
    fn scratch_lines(&self) -> usize {
        self.scratch_lines()
    }
    fn run_units(
        &self,
        x: &[i8],
        batch: usize,
        lines: Range<usize>,
        y: OutputMut<'_>,
        scratch: &mut Arena<'_>,
    ) -> Result<()> {
        self.run_lines(x, batch, lines, y, scratch)
    }
}

impl<C: Images> Object<C> {
    /// Elements of y per pixel.
    fn stride(&self) -> usize {
        self.kind.row_len(self.conv.columns())
    }

    fn images(&self, batch: usize) -> Result<usize> {
        checked_area(OP, batch, checked_area(OP, self.conv.geometry().input_pixels(), self.conv.pixel_len())?)
    }
}

/// Checks y of `batch` images. `columns` are all, and those of a group.
#[inline(never)]
fn check_output(
    memory: &Memory,
    kind: OutputKind,
    y: usize,
    batch: usize,
    geometry: &Geometry,
    [columns, group_columns]: [usize; 2],
) -> Result<()> {
    let pixels = checked_area(OP, batch, geometry.output_pixels())?;
    output_at(memory, kind, y, checked_area(OP, pixels, kind.row_len(columns))?)?;
    if kind == OutputKind::Bits && columns > group_columns {
        // A group that ends inside a word would write into its neighbour's.
        check_range(OP, What::Columns, 0, 0, (group_columns % WORD_BITS) as i64)?;
    }
    Ok(())
}

impl<C: Images + Sync> Parallel for Object<C> {
    fn prepare(&self, x: usize, y: usize, batch: usize) -> Result<Work> {
        let memory = Memory::new(OP);
        memory.read::<C::Input>(x, self.images(batch)?)?;
        let columns = [self.conv.columns(), self.conv.group_columns()];
        check_output(&memory, self.kind, y, batch, self.conv.geometry(), columns)?;
        let units = batch * self.conv.units();
        let block = self.conv.block_rows();
        let scratch_lines = self.conv.scratch_lines();
        Ok(Work { x, y, count: batch, units, block, grain: self.conv.grain(), scratch_lines })
    }

    unsafe fn run(&self, work: &Work, units: Range<usize>, mut scratch: Arena<'_>) {
        let (stride, images) = (self.stride(), self.images(work.count));
        let pixels = self.conv.pixels_before(units.start)..self.conv.pixels_before(units.end);
        // SAFETY: `prepare` found the images and the pixels at these addresses; these pixels of y are the caller's alone.
        let (x, y) = unsafe {
            (
                input::<C::Input>(work.x, 0, images.unwrap_or(0)),
                output(self.kind, work.y, pixels.start * stride, pixels.len() * stride),
            )
        };
        let done = self.conv.run_units(x, work.count, units, y, &mut scratch);
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
        let objects = take(OP, params.array()?)?;
        params.end()?;
        insert(OP, Conv(join(objects, geometry?, zero_bits, fill)?))
    };
    status_or(make())
}

/// `x` `[batch, h, w, channels]` of the products' input, `y` `[batch, h', w', channels']` of their output.
#[wasm_bindgen]
pub fn conv_run(handle: i32, x: usize, y: usize, batch: usize) -> i32 {
    status(with(OP, handle, |conv: &Conv| run_whole(&*conv.0, x, y, batch)))
}

/// The products of all groups as one convolution; they take rows of one type and end in one kind of output.
fn join(
    #[cfg_attr(
        not(all(feature = "winograd", any(target_feature = "simd128", not(target_arch = "wasm32")))),
        expect(unused_mut, reason = "a build without Winograd's products takes none out")
    )]
    mut objects: Vec<Box<dyn Any>>,
    geometry: Geometry,
    zero_bits: bool,
    fill: i32,
) -> Result<Box<dyn Parallel>> {
    #[cfg(all(feature = "winograd", any(target_feature = "simd128", not(target_arch = "wasm32"))))]
    if let Some(conv) = winograd(&mut objects, &geometry, zero_bits, fill)? {
        return Ok(conv);
    }
    let products = Products::new(objects)?;
    let (kind, groups) = (products.kind()?, products.len());
    #[cfg(feature = "bits")]
    if products.bits.len() == groups {
        let bits: Vec<_> = products.bits.into_iter().map(|gemm| *gemm).collect();
        // A pixel of trits is its sign words, then its non-zero words: the channels of a group do not lie side by side.
        if groups > 1 && bits.iter().any(|gemm| gemm.activations() == Activations::Trits) {
            return Err(KernelError::range(OP, What::Groups, 1, groups));
        }
        // A missing tap is the word 0: +1, or nothing.
        check_range(OP, What::Padding, 0, 0, i64::from(fill))?;
        let padding = if zero_bits { Padding::Zero } else { Padding::One };
        return object(BinaryConvolution::new(geometry, bits, padding)?, kind);
    }
    if zero_bits {
        // Only sums of bits are corrected for their padding.
        return Err(KernelError::range(OP, What::Padding, 0, 1));
    }
    #[cfg(feature = "bytes")]
    if products.bytes.len() == groups {
        return object(Convolution::new(geometry, products.bytes, fill as i8)?, kind);
    }
    if products.floats.len() == groups {
        return object(Convolution::new(geometry, products.floats, fill as f32)?, kind);
    }
    Err(not_a_product(OP))
}

/// The one product of bytes as a convolution by Winograd's products, where that pays.
#[cfg(all(feature = "winograd", any(target_feature = "simd128", not(target_arch = "wasm32"))))]
fn winograd(
    objects: &mut Vec<Box<dyn Any>>,
    geometry: &Geometry,
    zero_bits: bool,
    fill: i32,
) -> Result<Option<Box<dyn Parallel>>> {
    let pays = |gemm: &AffineGemm| {
        !zero_bits && fill as i8 == gemm.input().zero() && WinogradConvolution::pays(geometry, gemm)
    };
    if objects.len() != 1 || !objects[0].downcast_ref().is_some_and(pays) {
        return Ok(None);
    }
    let Some(Ok(gemm)) = objects.pop().map(<Box<dyn Any>>::downcast::<AffineGemm>) else {
        return Err(not_a_product(OP));
    };
    let kind = gemm.output().kind();
    object(WinogradConvolution::new(*geometry, *gemm)?, kind).map(Some)
}

fn object<C: Images + Sync + 'static>(conv: C, kind: OutputKind) -> Result<Box<dyn Parallel>> {
    reserve_scratch(OP, conv.scratch_lines())?;
    Ok(Box::new(Object { conv, kind }))
}
