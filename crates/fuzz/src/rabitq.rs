use arbitrary::Arbitrary;
use lowbit_kernels::pq_tables::Metric;
use lowbit_kernels::rabitq::{RabitqCodes, RabitqQuery, encode, naive, query_bytes, rabitq_scan, row_bytes};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::top_k::{NO_ID, Selection, clear, finish};

/// Vectors of bytes, any bits.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    n: u8,
    dimension: u16,
    bits: u8,
    k: u8,
    l2: bool,
    rows: &'a [u8],
}

impl Case<'_> {
    /// Scores of every tier are those of the definition on the codes that `encode` wrote.
    pub fn check(&self) {
        let (n, d, k) = (usize::from(self.n % 64), usize::from(self.dimension % 600) + 1, usize::from(self.k) + 1);
        let bits = usize::from(self.bits % 8) + 1;
        let bytes: Vec<i8> = crate::cycle(self.rows, (n + 1) * d, 1).map(|byte| byte as i8).collect();
        let (query, x) = bytes.split_at(d);
        let x: Vec<f32> = x.iter().map(|x| f32::from(*x) / 5.0).collect();
        let row = row_bytes(d, bits);
        let (mut codes, mut factors) = (vec![0; n * row], vec![0.0; 2 * n]);
        encode(&x, d, bits, &mut codes, &mut factors).expect("valid lengths");
        let mut padded = query.to_vec();
        padded.resize(query_bytes(d), 0);
        let metric = if self.l2 { Metric::L2 } else { Metric::InnerProduct };
        let held = RabitqCodes {
            codes: &codes,
            factors: &factors,
            n,
            dimension: d,
            bits,
            selection: Selection::default(),
        };
        let scanned = RabitqQuery { codes: &padded, step: 0.125, base: 3.0 };
        let mut expected: Vec<(f32, u32)> = (0..n)
            .map(|i| {
                let t = naive::direction(&codes[i * row..][..row], d, bits);
                let integer = 2.0 * t.iter().zip(query).map(|(t, q)| t * f64::from(*q)).sum::<f64>();
                let estimate = factors[2 * i + 1] * (0.0625 * integer as f32);
                let score = if self.l2 { (factors[2 * i] + 3.0) - 2.0 * estimate } else { 3.0 - estimate };
                (score + 0.0, i as u32)
            })
            .collect();
        expected.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        expected.resize(expected.len().max(k), (f32::INFINITY, NO_ID));
        for tier in Tier::ALL {
            let mut keys = vec![0; k];
            clear(&mut keys);
            rabitq_scan(tier, &held, metric, &scanned, &mut keys).expect("valid lengths");
            let (mut ids, mut scores) = (vec![0; k], vec![0.0_f32; k]);
            finish(&mut keys, &mut ids, &mut scores).expect("of one length");
            assert_eq!(scores.into_iter().zip(ids).collect::<Vec<_>>(), expected[..k], "{tier}: {self:?}");
        }
    }
}
