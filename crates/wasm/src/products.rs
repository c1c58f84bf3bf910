//! The families of matrix products, as convolutions and threads see them: a line of `products!` per family.

use core::any::Any;
#[cfg(feature = "threads")]
use core::ops::Range;

#[cfg(feature = "bytes")]
use lowbit_kernels::affine_gemm::AffineGemm;
#[cfg(feature = "transformer")]
use lowbit_kernels::affine_gemm::DynamicAffineGemm;
#[cfg(feature = "groups")]
use lowbit_kernels::affine_gemm::GroupedAffineGemm;
#[cfg(feature = "threads")]
use lowbit_kernels::buffer::Arena;
#[cfg(feature = "codes")]
use lowbit_kernels::codebook_gemm::CodebookGemm;
#[cfg(feature = "threads")]
use lowbit_kernels::error::checked_area;
use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What};
use lowbit_kernels::gemm_f32::GemmF32;
use lowbit_kernels::output::OutputKind;
use lowbit_kernels::rows::RowKernel;
#[cfg(feature = "ternary")]
use lowbit_kernels::ternary_gemm::TernaryGemm;
#[cfg(feature = "bits")]
use lowbit_kernels::xnor_gemm::XnorGemm;

#[cfg(feature = "threads")]
use crate::memory::Memory;
#[cfg(feature = "threads")]
use crate::output::output_at;
#[cfg(feature = "threads")]
use crate::work::{GRAIN, Parallel, Work, input, output};

/// A product; its units are rows.
pub(crate) trait Product: RowKernel {
    /// Named in errors.
    #[cfg(feature = "threads")]
    const OP: Op;
    /// What it writes.
    fn kind(&self) -> OutputKind;
}

/// Products by the type of their rows.
#[derive(Default)]
pub(crate) struct Products {
    kinds: Vec<OutputKind>,
    pub(crate) floats: Vec<Box<dyn RowKernel<Input = f32>>>,
    #[cfg(feature = "bytes")]
    pub(crate) bytes: Vec<Box<dyn RowKernel<Input = i8>>>,
    #[cfg(feature = "bits")]
    #[expect(clippy::vec_box, reason = "objects are boxed; one line of `products!` fits all families")]
    pub(crate) bits: Vec<Box<XnorGemm>>,
}

/// Family, name of its operator, type of its rows, what it writes. A family that the build leaves out is in no table of methods, which would keep its code.
macro_rules! products {
    ($($(#[$built:meta])? $family:ty: $op:ident, $rows:ident, $kind:expr;)*) => {
        $($(#[$built])? impl Product for $family {
            #[cfg(feature = "threads")]
            const OP: Op = Op::$op;
            fn kind(&self) -> OutputKind {
                let kind: fn(&Self) -> OutputKind = $kind;
                kind(self)
            }
        })*

        impl Products {
            fn add(&mut self, object: Box<dyn Any>) -> Result<()> {
                $($(#[$built])? {
                    if object.is::<$family>() {
                        let gemm = object.downcast::<$family>().map_err(|_| not_a_product(Op::Conv))?;
                        self.kinds.push(gemm.kind());
                        self.$rows.push(gemm);
                        return Ok(());
                    }
                })*
                Err(not_a_product(Op::Conv))
            }
        }

        /// The object as a product that threads share out.
        #[cfg(feature = "threads")]
        pub(crate) fn parallel_product(object: &dyn Any) -> Option<&(dyn Parallel + 'static)> {
            $($(#[$built])? {
                if let Some(gemm) = object.downcast_ref::<$family>() {
                    return Some(gemm);
                }
            })*
            None
        }
    };
}

products! {
    GemmF32: GemmF32, floats, |_| OutputKind::F32;
    #[cfg(feature = "codes")]
    CodebookGemm: CodebookGemm, floats, |_| OutputKind::F32;
    #[cfg(feature = "bytes")]
    AffineGemm: AffineGemm, bytes, |gemm| gemm.output().kind();
    #[cfg(feature = "groups")]
    GroupedAffineGemm: AffineGemm, bytes, Self::output_kind;
    #[cfg(feature = "transformer")]
    DynamicAffineGemm: AffineGemm, floats, |_| OutputKind::F32;
    #[cfg(feature = "ternary")]
    TernaryGemm: TernaryGemm, bytes, |gemm| gemm.output().kind();
    #[cfg(feature = "bits")]
    XnorGemm: XnorGemm, bits, |gemm| gemm.output().kind();
}

impl Products {
    pub(crate) fn new(objects: Vec<Box<dyn Any>>) -> Result<Self> {
        let mut products = Self::default();
        for object in objects {
            products.add(object)?;
        }
        Ok(products)
    }

    /// All of them, of whatever type.
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The kind of output that all of them have; there must be one at least.
    pub(crate) fn kind(&self) -> Result<OutputKind> {
        let first = *self.kinds.first().ok_or(KernelError::range(Op::Conv, What::Groups, 1, 0))?;
        match self.kinds.iter().find(|kind| **kind != first) {
            None => Ok(first),
            Some(other) => {
                Err(KernelError::shape(Op::Conv, What::OutputKind, first as usize, *other as usize))
            }
        }
    }
}

/// For an object that is none, or products whose rows are of several types.
pub(crate) fn not_a_product(op: Op) -> KernelError {
    KernelError::new(ErrorCode::Handle, op, What::Kind, 0, 0)
}

#[cfg(feature = "threads")]
impl<K: Product> Parallel for K {
    fn prepare(&self, x: usize, y: usize, rows: usize) -> Result<Work> {
        let memory = Memory::new(K::OP);
        let stride = self.kind().row_len(self.columns());
        memory.read::<K::Input>(x, checked_area(K::OP, rows, self.row_len())?)?;
        output_at(&memory, self.kind(), y, checked_area(K::OP, rows, stride)?)?;
        let block = self.block_rows().max(1);
        let scratch_lines = self.scratch_lines(rows);
        Ok(Work { x, y, count: rows, units: rows, block, grain: GRAIN.min(block), scratch_lines })
    }

    unsafe fn run(&self, work: &Work, rows: Range<usize>, scratch: Arena<'_>) {
        let stride = self.kind().row_len(self.columns());
        // SAFETY: `prepare` found `work.units` rows at both addresses; these rows of y are the caller's alone.
        let (x, y) = unsafe {
            (
                input::<K::Input>(work.x, rows.start * self.row_len(), rows.len() * self.row_len()),
                output(self.kind(), work.y, rows.start * stride, rows.len() * stride),
            )
        };
        self.run_rows(x, rows.len(), None, y, stride, scratch);
    }
}
