use arbitrary::Arbitrary;
use lowbit_kernels::flat_scan::{FlatRows, Rows, flat_scan, naive};
use lowbit_kernels::pq_tables::Metric;
use lowbit_kernels::tier::Tier;
use lowbit_kernels::top_k::{Selection, clear, finish};

/// Rows of bytes with scales, or of the floats that they stand for.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    n: u8,
    dimension: u8,
    k: u8,
    floats: bool,
    l2: bool,
    rows: &'a [u8],
    filter: Option<Vec<u32>>,
}

impl Case<'_> {
    /// Every tier finds the same, and scores are those of f64 but for rounding.
    pub fn check(&self) {
        let (n, d, k) = (usize::from(self.n), usize::from(self.dimension) + 1, usize::from(self.k) + 1);
        let bytes: Vec<i8> = crate::cycle(self.rows, (n + 1) * d, 1).map(|byte| byte as i8).collect();
        let (query, codes) = bytes.split_at(d);
        let query: Vec<f32> = query.iter().map(|q| f32::from(*q) / 3.0).collect();
        let scales: Vec<f32> = (0..n).map(|i| i as f32 / 7.0).collect();
        let x: Vec<f32> = codes.iter().enumerate().map(|(i, code)| scales[i / d] * f32::from(*code)).collect();
        let rows = if self.floats { Rows::Floats(&x) } else { Rows::Bytes(codes, &scales) };
        let metric = if self.l2 { Metric::L2 } else { Metric::InnerProduct };
        let selection = Selection { filter: self.filter.as_deref(), ..Selection::default() };
        let flat = FlatRows { rows, n, dimension: d, selection };
        let found = Tier::ALL.map(|tier| {
            let mut keys = vec![0; k];
            clear(&mut keys);
            flat_scan(tier, &flat, metric, &query, 1, &mut keys).expect("valid lengths");
            let (mut ids, mut scores) = (vec![0; k], vec![0.0_f32; k]);
            finish(&mut keys, &mut ids, &mut scores).expect("of one length");
            ids.into_iter().zip(scores.into_iter().map(f32::to_bits)).collect::<Vec<_>>()
        });
        assert!(found[0] == found[1] && found[0] == found[2], "{self:?}");
        for (id, score) in &found[0] {
            if (*id as usize) < n {
                let exact = naive::score(metric, &query, rows, *id as usize);
                let size = 1.0 + exact.abs() + d as f64 * 43.0 * 128.0 * 37.0;
                assert!((f64::from(f32::from_bits(*score)) - exact).abs() < 1e-4 * size, "{self:?}");
            }
        }
    }
}
