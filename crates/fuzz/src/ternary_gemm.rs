use arbitrary::Arbitrary;
use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::error::Op;
use lowbit_kernels::output::{OutputMut, OutputTransform};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::ternary_gemm::{DotWidth, TernaryGemm, TernaryInput, TernaryWeights, naive};
use lowbit_kernels::testing::pack_codes;
use lowbit_kernels::tier::Tier;

/// A product of bytes by ternary weights.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    columns: u8,
    depth: u16,
    rows: u8,
    unsigned: bool,
    zero_point: u8,
    x: &'a [u8],
    w: &'a [u8],
}

impl Case<'_> {
    /// Sums of every tier against the oracle.
    pub fn check(&self) {
        let (columns, depth) = (usize::from(self.columns % 160) + 1, usize::from(self.depth % 1100) + 1);
        let rows = usize::from(self.rows % 20);
        let real = |byte: u8| if self.unsigned { i32::from(byte) } else { i32::from(byte as i8) };
        let input = TernaryInput { unsigned: self.unsigned, zero_point: real(self.zero_point) };
        let bytes: Vec<u8> = self.x.iter().copied().chain([0]).cycle().take(rows * depth).collect();
        let x: Vec<i32> = bytes.iter().map(|byte| real(*byte)).collect();
        let bytes: Vec<i8> = bytes.iter().map(|byte| *byte as i8).collect();
        let w = crate::trits(self.w, columns * depth, true);
        let expected: Vec<i32> =
            x.chunks_exact(depth).flat_map(|x| naive::sums(x, input.zero_point, &w)).collect();
        let codes = &pack_codes(&w.iter().map(|w| (w + 1) as u8).collect::<Vec<_>>(), depth, 2);
        let weights = TernaryWeights { columns, depth, bits: 2, codes, zero_points: &[1] };
        let dots = [DotWidth::Sums16, DotWidth::Sums32];
        for (tier, dot) in Tier::ALL.into_iter().flat_map(|tier| dots.map(|dot| (tier, dot))) {
            let gemm = TernaryGemm::new(tier, &weights, input, OutputTransform::I32)
                .expect("a valid shape")
                .with_dot(dot);
            let mut scratch = Scratch::new();
            scratch.reserve(Op::TernaryGemm, gemm.scratch_lines(rows)).expect("memory");
            let mut y = vec![i32::MIN; expected.len()];
            gemm.run(&bytes, rows, OutputMut::I32(&mut y), scratch.arena()).expect("valid lengths");
            assert_eq!(y, expected, "{tier} {dot:?}: {self:?}");
        }
    }
}
