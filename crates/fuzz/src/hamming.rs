use arbitrary::Arbitrary;
use lowbit_kernels::hamming::{BinaryCodes, hamming_range, hamming_scan, naive, row_bytes};
use lowbit_kernels::top_k::{NO_ID, Selection, clear, finish};

/// Rows of any bits.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    n: u8,
    bits: u16,
    k: u8,
    radius: u16,
    rows: &'a [u8],
    filter: Option<Vec<u32>>,
}

impl Case<'_> {
    /// Nearest codes and codes within a radius against the oracle.
    pub fn check(&self) {
        let (n, k) = (usize::from(self.n), usize::from(self.k) + 1);
        let row = row_bytes(usize::from(self.bits % 2000) + 1);
        // Every bit counts.
        let bits = 8 * row;
        let rows: Vec<u8> = crate::cycle(self.rows, (n + 1) * row, 0).collect();
        let (query, data) = rows.split_at(row);
        let selection = Selection { filter: self.filter.as_deref(), ..Selection::default() };
        let codes = BinaryCodes { codes: data, n, bits, selection };
        let all: Vec<(i32, u32)> = (0..n as u32)
            .filter(|id| selection.find(*id as usize).is_some())
            .map(|id| (naive::distance(&data[id as usize * row..][..row], query, bits), id))
            .collect();
        let mut keys = vec![0; k];
        clear(&mut keys);
        hamming_scan(&codes, query, 1, &mut keys).expect("valid lengths");
        let (mut ids, mut distances) = (vec![0; k], vec![0_i32; k]);
        finish(&mut keys, &mut ids, &mut distances).expect("of one length");
        let mut expected = all.clone();
        expected.sort_unstable();
        expected.resize(expected.len().max(k), (i32::MAX, NO_ID));
        assert_eq!(distances.into_iter().zip(ids).collect::<Vec<_>>(), expected[..k], "{self:?}");

        let radius = i32::from(self.radius);
        let (mut ids, mut distances) = (vec![0; n], vec![0; n]);
        let count = hamming_range(&codes, query, radius, &mut ids, &mut distances).expect("valid lengths");
        let within: Vec<_> = all.into_iter().filter(|(distance, _)| *distance <= radius).collect();
        assert_eq!(distances.into_iter().zip(ids).take(count).collect::<Vec<_>>(), within, "{self:?}");
    }
}
