use arbitrary::Arbitrary;
use lowbit_kernels::flat_scan::Rows;
use lowbit_kernels::hnsw::naive::Naive;
use lowbit_kernels::hnsw::{Graph, GraphMut, Insertion, Metric, Nodes, Sought, Stored, draw_levels, insert, search};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::top_k::{NO_ID, clear, finish};

/// Vectors of small integers, whose distances are exact, and many of them the same.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    n: u8,
    dimension: u8,
    links: u8,
    construction: u8,
    breadth: u8,
    k: u8,
    seed: u32,
    l2: bool,
    rows: &'a [u8],
}

impl Case<'_> {
    /// Every tier builds the graph of the paper's algorithms, and finds what they find.
    pub fn check(&self) {
        let (n, d) = (usize::from(self.n % 64) + 1, usize::from(self.dimension % 40) + 1);
        let (links, construction) = (usize::from(self.links % 6) + 2, usize::from(self.construction % 48) + 1);
        let (breadth, k) = (usize::from(self.breadth % 48) + 1, usize::from(self.k % 20) + 1);
        let x: Vec<f32> = crate::cycle(self.rows, (n + 1) * d, 0).map(|byte| f32::from(byte as i8 / 8)).collect();
        let (query, x) = x.split_at(d);
        let metric = if self.l2 { Metric::L2 } else { Metric::InnerProduct };
        let distance = |a: &[f32], b: &[f32]| {
            let terms = a.iter().zip(b).map(|(a, b)| if self.l2 { (a - b) * (a - b) } else { -a * b });
            terms.sum::<f32>() + 0.0
        };
        let of = |id: u32| &x[id as usize * d..][..d];
        let mut places = vec![0; n + 1];
        draw_levels(self.seed, links, 0, &mut places).expect("valid sizes");
        let mut naive = Naive { links, ..Naive::default() };
        for pair in places.windows(2) {
            naive.insert((pair[1] - pair[0]) as usize, construction, &|a, b| distance(of(a), of(b)));
        }
        let near = naive.search(&|id| distance(query, of(id)), breadth.max(k));
        let mut expected: Vec<_> = near.into_iter().map(|(score, id)| (score.to_bits(), id)).collect();
        expected.resize(expected.len().max(k), (f32::INFINITY.to_bits(), NO_ID));
        let nodes = Nodes { stored: Stored::Flat(Rows::Floats(x)), n, dimension: d, metric };
        for tier in Tier::ALL {
            let (mut base, mut upper) = (vec![0; n * 2 * links], vec![0; places[n] as usize * links]);
            let mut graph = GraphMut { links, places: &places, base: &mut base, upper: &mut upper };
            let new = Insertion { first: 0, vectors: x, entry: 0, breadth: construction };
            let entry = insert(tier, &mut graph, &nodes, &new).expect("valid sizes");
            assert_eq!(entry, naive.entry, "{tier}: {self:?}");
            let graph = Graph { links, places: &places, base: &base, upper: &upper };
            assert_eq!(graph.check(entry), Ok(()), "{tier}: {self:?}");
            let mut keys = vec![0; k];
            clear(&mut keys);
            let sought = Sought { queries: query, count: 1, entry, breadth, filter: None };
            search(tier, &graph, &nodes, &sought, &mut keys).expect("valid sizes");
            let (mut ids, mut scores) = (vec![0; k], vec![0.0_f32; k]);
            finish(&mut keys, &mut ids, &mut scores).expect("of one length");
            let found: Vec<_> = scores.into_iter().map(f32::to_bits).zip(ids).collect();
            assert_eq!(found, expected[..k], "{tier}: {self:?}");
        }
    }
}
