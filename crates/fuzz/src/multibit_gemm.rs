use arbitrary::Arbitrary;
use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::error::Op;
use lowbit_kernels::multibit_gemm::{MAX_PLANES, MultibitGemm, MultibitOutput, MultibitShape, naive};
use lowbit_kernels::testing::{pack_codes, pack_signs};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::xnor_gemm::Counting;

/// A product of planes of signs, with coefficients of which a sum may overflow.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    columns: u8,
    depth: u16,
    weight_planes: u8,
    planes: u8,
    rows: u8,
    huge: bool,
    x: &'a [u8],
    w: &'a [u8],
    coefficients: &'a [u8],
}

impl Case<'_> {
    /// Outputs of every tier against the oracle.
    pub fn check(&self) {
        let planes_of = |byte: u8| usize::from(byte) % MAX_PLANES + 1;
        let (n, k) = (usize::from(self.columns % 40) + 1, usize::from(self.depth % 300) + 1);
        let (m, p, rows) =
            (planes_of(self.weight_planes), planes_of(self.planes), usize::from(self.rows % 12));
        let shape = MultibitShape { columns: n, depth: k, weight_planes: m, planes: p };
        let x = crate::trits(self.x, rows * p * k, false);
        let w = crate::trits(self.w, m * n * k, false);
        let scale = if self.huge { 1e37 } else { 1.0 };
        let floats = |count, start| -> Vec<f32> {
            crate::floats(self.coefficients, count, start).iter().map(|v| v * scale).collect()
        };
        let (alpha, beta, bias) = (floats(m * n, 0), floats(rows * (p + 1), 1), floats(n, 2));
        let output = MultibitOutput { alpha: &alpha, bias: &bias, clamp: [-1e30, f32::INFINITY] };
        let lines = x.chunks_exact(p * k).zip(beta.chunks_exact(p + 1));
        let expected: Vec<f32> = lines.flat_map(|(x, beta)| naive::row(x, &w, k, beta, output)).collect();
        let codes = pack_codes(&w.iter().map(|w| u8::from(*w < 0)).collect::<Vec<_>>(), k, 1);
        let packed = pack_signs(&x, k, false);
        for tier in Tier::ALL {
            let counting = if self.rows & 128 == 0 { Counting::Lookup } else { Counting::Popcount };
            let gemm = MultibitGemm::new(tier, counting, shape, &codes, output).expect("a valid shape");
            let mut scratch = Scratch::new();
            scratch.reserve(Op::MultibitGemm, gemm.scratch_lines()).expect("memory");
            let mut y = vec![f32::NAN; expected.len()];
            gemm.run(&packed, &beta, rows, &mut y, scratch.arena()).expect("valid lengths");
            assert_eq!(crate::bits(&y), crate::bits(&expected), "{tier} {counting:?}: {self:?}");
        }
    }
}
