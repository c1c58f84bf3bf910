use arbitrary::Arbitrary;
use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::error::Op;
use lowbit_kernels::output::{OutputMut, OutputTransform};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::testing::{pack_codes, pack_signs};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::xnor_gemm::{Activations, Counting, XnorGemm, XnorShape, naive};

/// A product of bits or trits by signs.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    columns: u8,
    taps: u8,
    channels: u16,
    rows: u8,
    trits: bool,
    x: &'a [u8],
    w: &'a [u8],
}

impl Case<'_> {
    /// Sums of every tier against the oracle.
    pub fn check(&self) {
        let activations = if self.trits { Activations::Trits } else { Activations::Bits };
        let (taps, channels) = (usize::from(self.taps % 5) + 1, usize::from(self.channels % 200) + 1);
        let shape = XnorShape { columns: usize::from(self.columns % 80) + 1, taps, channels, activations };
        let (k, rows) = (taps * channels, usize::from(self.rows % 20));
        let x = crate::trits(self.x, rows * k, self.trits);
        let w = crate::trits(self.w, shape.columns * k, false);
        let expected: Vec<i32> = x.chunks_exact(k).flat_map(|x| naive::sums(x, &w)).collect();
        let codes = pack_codes(&w.iter().map(|w| u8::from(*w < 0)).collect::<Vec<_>>(), k, 1);
        let packed = pack_signs(&x, channels, self.trits);
        for (tier, counting) in
            Tier::ALL.into_iter().flat_map(|tier| [(tier, Counting::Lookup), (tier, Counting::Popcount)])
        {
            let output = OutputTransform::I32;
            let gemm = XnorGemm::with_counting(tier, counting, shape, &codes, output).expect("a valid shape");
            let mut scratch = Scratch::new();
            scratch.reserve(Op::XnorGemm, gemm.scratch_lines(rows)).expect("memory");
            let mut y = vec![i32::MIN; expected.len()];
            gemm.run(&packed, rows, OutputMut::I32(&mut y), scratch.arena()).expect("valid lengths");
            assert_eq!(y, expected, "{tier} {counting:?}: {self:?}");
        }
    }
}
