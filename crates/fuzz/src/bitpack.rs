use arbitrary::Arbitrary;
use lowbit_kernels::bitpack::{naive, pack_planes, pack_signs, pack_trits};
use lowbit_kernels::layout::words_per_row;
use lowbit_kernels::testing::pack_signs as pack;
use lowbit_kernels::tier::Tier;

/// Rows of any floats.
#[derive(Arbitrary, Debug)]
pub struct Case {
    channels: u8,
    values: Vec<f32>,
    codes: Vec<u8>,
}

impl Case {
    /// Bits, trits and planes of every tier against the oracle.
    pub fn check(&self) {
        let channels = usize::from(self.channels) + 1;
        let rows = self.values.len() / channels;
        let x = &self.values[..rows * channels];
        let words = rows * words_per_row(channels);
        let signs: Vec<i32> = x.iter().map(|x| naive::sign_bit(*x)).collect();
        let trits: Vec<i32> = x.iter().map(|x| naive::sign(*x)).collect();
        for tier in Tier::ALL {
            let mut y = vec![u32::MAX; 2 * words];
            pack_signs(tier, x, rows, channels, &mut y[..words]).expect("valid lengths");
            assert_eq!(y[..words], pack(&signs, channels, false), "{tier}: {self:?}");
            let zeros = pack_trits(tier, x, rows, channels, &mut y).expect("valid lengths");
            let packed = pack(&trits, channels, zeros > 0);
            assert_eq!(y[..packed.len()], packed, "{tier}: {self:?}");
        }
        let (bits, rows) = (channels % 8 + 1, self.codes.len() / channels);
        let codes = &self.codes[..rows * channels];
        let plane = |row: &[u8], bit| row.iter().map(|x| naive::plane_bit(*x, bit)).collect::<Vec<i32>>();
        let planes: Vec<i32> =
            codes.chunks_exact(channels).flat_map(|x| (0..bits).flat_map(|bit| plane(x, bit))).collect();
        for tier in Tier::ALL {
            let mut y = vec![u32::MAX; rows * bits * words_per_row(channels)];
            pack_planes(tier, codes, bits, rows, channels, &mut y).expect("valid lengths");
            assert_eq!(y, pack(&planes, channels, false), "{tier}: {self:?}");
        }
    }
}
