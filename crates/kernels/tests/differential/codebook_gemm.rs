//! Decoded panels give the bits of `gemm_f32` on the decoded weights; looked-up products equal their documented order bit for bit.

use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::codebook_gemm::{CodebookGemm, CodedWeights, Decoding, naive};
use lowbit_kernels::error::{ErrorCode, Op, What};
use lowbit_kernels::gemm_f32::GemmF32;
use lowbit_kernels::quantize::decode;
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::testing::{ROWS, Random, SIZES, pack_codes};
use lowbit_kernels::tier::Tier;
use proptest::prelude::*;

const FREE: (f32, f32) = (f32::NEG_INFINITY, f32::INFINITY);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Sign,
    Affine,
    AffinePerGroup,
    Table,
    Product(usize),
    Offset,
    Bases,
    Additive { dimension: usize, count: usize },
    Hashed,
}

struct Case {
    rows: usize,
    n: usize,
    k: usize,
    kind: Kind,
    bits: usize,
    group: usize,
    scale_rows: usize,
    x: Vec<f32>,
    codes: Vec<u8>,
    codebook: Vec<f32>,
    zeros: Vec<i32>,
    scales: Vec<f32>,
    bias: Vec<f32>,
}

impl Case {
    fn random(rows: usize, n: usize, k: usize, kind: Kind, bits: usize, group: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let (bits, dimension) = match kind {
            Kind::Sign => (1, 1),
            Kind::Product(dimension) | Kind::Additive { dimension, .. } => (bits, dimension),
            Kind::Hashed => (0, 1),
            _ => (bits, 1),
        };
        let groups = k.div_ceil(group);
        let scale_rows = if random.int(0, 3) == 0 { 1 } else { n };
        // Sometimes fewer levels than the bits could name.
        let levels = (1 << bits) - random.int(0, (1 << bits) / 4) as usize;
        let chosen = matches!(kind, Kind::Table | Kind::Product(_) | Kind::Additive { .. });
        let levels = if chosen { levels } else { 1 << bits };
        let cells = scale_rows * groups;
        let (positions, floats) = match kind {
            Kind::Offset => (k, cells),
            Kind::Bases => (k, cells * bits),
            Kind::Additive { count, .. } => (k / dimension * count, count * levels * dimension),
            Kind::Hashed => (0, random.int(1, 50) as usize),
            _ => (k / dimension, levels * dimension),
        };
        let zeros = match kind {
            Kind::AffinePerGroup => scale_rows * groups,
            _ => 1,
        };
        Self {
            rows,
            n,
            k,
            kind,
            bits,
            group,
            scale_rows,
            x: random.many(rows * k, Random::float),
            codes: random.many(n * positions, |r| r.int(0, levels as i32 - 1) as u8),
            codebook: random.many(floats, Random::float),
            zeros: random.many(zeros, |r| r.int(-2, 9)),
            scales: random.many(scale_rows * groups, Random::float),
            bias: random.many(n, Random::float),
        }
    }

    fn decoding(&self) -> Decoding<'_> {
        match self.kind {
            Kind::Sign => Decoding::Sign,
            Kind::Affine | Kind::AffinePerGroup => Decoding::Affine { zero_points: &self.zeros },
            Kind::Table => Decoding::Table { codebook: &self.codebook },
            Kind::Product(dimension) => Decoding::Product { codebook: &self.codebook, dimension },
            Kind::Offset => Decoding::Offset { offsets: &self.codebook },
            Kind::Bases => Decoding::Bases { coefficients: &self.codebook },
            Kind::Additive { dimension, count } => {
                Decoding::Additive { codebooks: &self.codebook, dimension, count }
            }
            Kind::Hashed => Decoding::Hashed { values: &self.codebook, seed: 0xfeed_beef, first: 12 },
        }
    }

    fn positions(&self) -> usize {
        self.codes.len() / self.n
    }

    /// Codes as a file holds them.
    fn packed(&self) -> Vec<u8> {
        if self.bits == 0 { vec![] } else { pack_codes(&self.codes, self.positions(), self.bits) }
    }

    fn coded<'a>(&'a self, codes: &'a [u8]) -> CodedWeights<'a> {
        CodedWeights {
            columns: self.n,
            depth: self.k,
            bits: self.bits,
            codes,
            decoding: self.decoding(),
            scales: &self.scales,
            scale_rows: self.scale_rows,
            group_size: self.group,
        }
    }

    fn gemm(&self, tier: Tier, clamp: (f32, f32)) -> CodebookGemm {
        CodebookGemm::new(tier, &self.coded(&self.packed()), &self.bias, clamp).expect("valid")
    }

    fn run(&self, tier: Tier, clamp: (f32, f32)) -> Vec<f32> {
        let gemm = self.gemm(tier, clamp);
        let mut scratch = Scratch::new();
        scratch.reserve(Op::CodebookGemm, gemm.scratch_lines(self.rows)).expect("memory");
        let mut y = vec![f32::NAN; self.rows * self.n];
        gemm.run(&self.x, self.rows, &mut y, scratch.arena()).expect("valid");
        y
    }

    /// Index of the scale of (n, k).
    fn cell(&self, n: usize, k: usize) -> usize {
        let groups = self.k.div_ceil(self.group);
        (if self.scale_rows == 1 { 0 } else { n * groups }) + k / self.group
    }

    /// By the definition, which `quantize::decode` has to agree with.
    fn weights(&self) -> Vec<f32> {
        let packed = self.packed();
        let naive = naive::decode(&self.coded(&packed));
        let mut decoded = vec![f32::NAN; self.n * self.k];
        decode(&self.coded(&packed), &mut decoded).expect("valid");
        assert_eq!(bits_of(&decoded), bits_of(&naive), "{:?}", self.kind);
        naive
    }

    /// The order that `codebook_gemm` documents for lookups.
    fn looked_up(&self, dimension: usize, clamp: (f32, f32)) -> Vec<f32> {
        let one = |x: &[f32], n: usize| {
            let mut y = 0.0_f32;
            for group in 0..self.k.div_ceil(self.group) {
                let mut part = 0.0_f32;
                let end = self.k.min((group + 1) * self.group);
                for start in (group * self.group..end).step_by(dimension) {
                    let code = usize::from(self.codes[n * self.positions() + start / dimension]);
                    let centroid = &self.codebook[code * dimension..][..dimension];
                    part += x[start..][..dimension].iter().zip(centroid).fold(0.0, |dot, (x, c)| dot + x * c);
                }
                y += part * self.scales[self.cell(n, group * self.group)];
            }
            (y + self.bias[n]).max(clamp.0).min(clamp.1)
        };
        self.x
            .chunks_exact(self.k)
            .flat_map(|x| (0..self.n).map(move |n| (x, n)))
            .map(|(x, n)| one(x, n))
            .collect()
    }

    fn assert_exact(&self, tier: Tier, seed: u64) {
        let clamp = if seed.is_multiple_of(2) { FREE } else { (-0.25, 0.75) };
        let expected = match self.kind {
            Kind::Product(dimension) if self.gemm(tier, clamp).looks_up() => self.looked_up(dimension, clamp),
            _ => {
                let mut y = vec![0.0; self.rows * self.n];
                let gemm = GemmF32::new(Tier::Scalar, self.n, self.k, &self.weights(), &self.bias, clamp);
                let gemm = gemm.expect("valid");
                let mut scratch = Scratch::new();
                scratch.reserve(Op::GemmF32, gemm.scratch_lines(self.rows)).expect("memory");
                gemm.run(&self.x, self.rows, &mut y, scratch.arena()).expect("valid");
                y
            }
        };
        let Self { rows, n, k, kind, bits: b, group, .. } = self;
        assert_eq!(
            bits_of(&self.run(tier, clamp)),
            bits_of(&expected),
            "{tier} {rows}x{n}x{k} {kind:?} {b} bits g{group} seed {seed}"
        );
    }
}

fn bits_of(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

pub(crate) fn check(tier: Tier) {
    let mut seed = 0;
    for &n in SIZES {
        for &k in SIZES {
            seed += 1;
            let rows = ROWS[seed as usize % ROWS.len()];
            let bits = [1, 2, 3, 4, 5, 8][seed as usize % 6];
            for kind in [
                Kind::Sign,
                Kind::Affine,
                Kind::AffinePerGroup,
                Kind::Table,
                Kind::Product(1),
                Kind::Offset,
                Kind::Bases,
                Kind::Additive { dimension: 1, count: 2 },
                Kind::Hashed,
            ] {
                Case::random(rows, n, k, kind, bits, k, seed).assert_exact(tier, seed);
                Case::random(rows, n, k, kind, bits, k.min(16), seed).assert_exact(tier, seed);
            }
        }
    }
    // More depth than one panel, more rows than one block, and sub-vectors of every common length.
    Case::random(2, 17, 700, Kind::Table, 4, 700, 1).assert_exact(tier, 1);
    Case::random(300, 5, 9, Kind::Sign, 1, 9, 2).assert_exact(tier, 2);
    for (seed, dimension) in [2, 3, 4, 8, 16].into_iter().enumerate() {
        for n in [3, 16, 40] {
            for bits in [2, 4, 5, 8] {
                let k = 16 * 3 * 10;
                Case::random(3, n, k, Kind::Product(dimension), bits, 48, seed as u64)
                    .assert_exact(tier, seed as u64);
                Case::random(3, n, k, Kind::Product(dimension), bits, k, seed as u64)
                    .assert_exact(tier, seed as u64);
                Case::random(3, n, k, Kind::Additive { dimension, count: 3 }, bits, 48, seed as u64)
                    .assert_exact(tier, seed as u64);
            }
        }
    }
    ways(tier);
    refusals(tier);
    properties(tier);
}

/// Lookups where the centroids are shared by at least as many columns, decoded panels otherwise; weights stay packed.
fn ways(tier: Tier) {
    let looks_up = |n, bits| {
        let case = Case {
            codebook: vec![0.5; 4_usize << bits],
            ..Case::random(1, n, 64, Kind::Product(4), bits, 64, 0)
        };
        case.gemm(tier, FREE).looks_up()
    };
    assert!(looks_up(16, 4) && !looks_up(15, 4) && looks_up(256, 8) && !looks_up(255, 8));
    let gemm = Case::random(1, 64, 1024, Kind::Table, 4, 1024, 0).gemm(tier, FREE);
    assert!(gemm.byte_len() < 64 * 1024 / 2 + 1024, "4 bits a weight: {} bytes", gemm.byte_len());
}

fn refusals(tier: Tier) {
    let good = CodedWeights {
        columns: 2,
        depth: 8,
        bits: 4,
        codes: &[0; 8],
        decoding: Decoding::Table { codebook: &[0.5; 16] },
        scales: &[],
        scale_rows: 1,
        group_size: 8,
    };
    let refused =
        |w: CodedWeights<'_>| CodebookGemm::new(tier, &w, &[], FREE).err().map(|e| (e.code, e.what));
    let table = |codebook| CodedWeights { decoding: Decoding::Table { codebook }, ..good };
    let product =
        |codebook, dimension| CodedWeights { decoding: Decoding::Product { codebook, dimension }, ..good };
    assert_eq!(refused(good), None);
    assert_eq!(refused(CodedWeights { columns: 0, ..good }), Some((ErrorCode::Range, What::Columns)));
    assert_eq!(refused(CodedWeights { bits: 0, ..good }), Some((ErrorCode::Range, What::Bits)));
    assert_eq!(refused(CodedWeights { codes: &[0; 7], ..good }), Some((ErrorCode::Shape, What::Codes)));
    assert_eq!(
        refused(CodedWeights { codes: &[9; 8], ..table(&[0.5; 9]) }),
        Some((ErrorCode::Range, What::Code))
    );
    assert_eq!(refused(table(&[])), Some((ErrorCode::Range, What::Codebook)));
    assert_eq!(refused(table(&[0.5; 17])), Some((ErrorCode::Range, What::Codebook)));
    assert_eq!(refused(CodedWeights { scales: &[1.0; 3], ..good }), Some((ErrorCode::Shape, What::Scale)));
    assert_eq!(refused(CodedWeights { group_size: 9, ..good }), Some((ErrorCode::Range, What::GroupSize)));
    assert_eq!(refused(product(&[0.0; 3], 3)), Some((ErrorCode::Shape, What::Depth)));
    assert_eq!(refused(product(&[0.0; 3], 2)), Some((ErrorCode::Shape, What::Codes)));
    assert_eq!(refused(product(&[0.0; 3], 0)), Some((ErrorCode::Range, What::Codebook)));
    let no_zero = CodedWeights { decoding: Decoding::Affine { zero_points: &[] }, ..good };
    assert_eq!(refused(no_zero), Some((ErrorCode::Shape, What::ZeroPoint)));
    let with = |decoding| refused(CodedWeights { decoding, ..good });
    assert_eq!(with(Decoding::Offset { offsets: &[0.0; 2] }), Some((ErrorCode::Shape, What::ZeroPoint)));
    assert_eq!(with(Decoding::Bases { coefficients: &[0.0; 5] }), Some((ErrorCode::Shape, What::Codebook)));
    let additive = |codebooks, count| Decoding::Additive { codebooks, dimension: 1, count };
    assert_eq!(with(additive(&[0.0; 3], 2)), Some((ErrorCode::Shape, What::Codes)));
    assert_eq!(with(additive(&[0.0; 3], 0)), Some((ErrorCode::Shape, What::Codes)));
    let hashed = Decoding::Hashed { values: &[], seed: 1, first: 0 };
    let none = CodedWeights { bits: 0, codes: &[], decoding: hashed, ..good };
    assert_eq!(refused(none), Some((ErrorCode::Range, What::Codebook)));
    assert_eq!(with(hashed), Some((ErrorCode::Shape, What::Codes)));
}

fn properties(tier: Tier) {
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(rows in 1_usize..9, n in 1_usize..40, s in 1_usize..60, d in 1_usize..6, bits in 1_usize..=8, g in 1_usize..9, seed: u64)| {
        for (kind, d) in [(Kind::Table, 1), (Kind::AffinePerGroup, 1), (Kind::Product(d), d), (Kind::Offset, 1), (Kind::Bases, 1), (Kind::Additive { dimension: d, count: 2 }, d)] {
            Case::random(rows, n, s * d, kind, bits, g.min(s) * d, seed).assert_exact(tier, seed);
        }
    });
}
