//! Every tier builds the graph of the paper's algorithms and finds what they find, wherever distances are exact; and the scalar tier's where they are not.

use lowbit_kernels::flat_scan::Rows;
use lowbit_kernels::hnsw::naive::Naive;
use lowbit_kernels::hnsw::{
    Graph, GraphMut, Insertion, Metric, Nodes, Sought, Stored, draw_levels, insert, search,
};
use lowbit_kernels::pq_tables::{PqShape, PqTables};
use lowbit_kernels::rabitq;
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;
use lowbit_kernels::top_k::NO_ID;

use crate::pq_scan::collect;

/// A graph as plain lists.
#[derive(Clone, Debug, PartialEq)]
struct Built {
    links: usize,
    places: Vec<u32>,
    base: Vec<u32>,
    upper: Vec<u32>,
    entry: u32,
}

impl Built {
    /// In two steps, the second of new nodes behind old ones.
    fn new(tier: Tier, links: usize, breadth: usize, nodes: &Nodes<'_>, vectors: &[f32]) -> Self {
        let mut built = Self { links, places: vec![0], base: Vec::new(), upper: Vec::new(), entry: 0 };
        for (first, end) in [(0, nodes.n / 3), (nodes.n / 3, nodes.n)] {
            built.places.resize(end + 1, 0);
            draw_levels(7, links, first, &mut built.places).expect("valid sizes");
            built.base.resize(end * 2 * links, 0);
            built.upper.resize(built.places[end] as usize * links, 0);
            let d = nodes.dimension;
            let vectors = if vectors.is_empty() { vectors } else { &vectors[first * d..end * d] };
            let new = Insertion { first, vectors, entry: built.entry, breadth };
            let mut graph =
                GraphMut { links, places: &built.places, base: &mut built.base, upper: &mut built.upper };
            built.entry = insert(tier, &mut graph, &cut(nodes, end), &new).expect("valid sizes");
        }
        assert_eq!(built.graph().check(built.entry), Ok(()));
        built
    }

    fn graph(&self) -> Graph<'_> {
        Graph { links: self.links, places: &self.places, base: &self.base, upper: &self.upper }
    }
}

/// The first `n` nodes.
fn cut<'a>(nodes: &Nodes<'a>, n: usize) -> Nodes<'a> {
    let d = nodes.dimension;
    let stored = match nodes.stored {
        Stored::Flat(Rows::Floats(x)) => Stored::Flat(Rows::Floats(&x[..n * d])),
        Stored::Flat(Rows::Bytes(x, scales)) => Stored::Flat(Rows::Bytes(&x[..n * d], &scales[..n])),
        Stored::Pq { codes, tables, codebooks, subspaces } => {
            Stored::Pq { codes: &codes[..n * subspaces], tables, codebooks, subspaces }
        }
        Stored::Rabitq { codes, factors, bits, mean } => {
            let row = rabitq::row_bytes(d, bits);
            Stored::Rabitq { codes: &codes[..n * row], factors: &factors[..2 * n], bits, mean }
        }
    };
    Nodes { stored, n, ..*nodes }
}

/// Small integers: every sum is exact, in whatever order.
fn integers(random: &mut Random, len: usize) -> Vec<f32> {
    random.many(len, |random| random.int(-9, 9) as f32)
}

fn distance(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| match metric {
            Metric::L2 => (a - b) * (a - b),
            Metric::InnerProduct => -a * b,
        })
        .sum::<f32>()
        + 0.0
}

/// `decoded`: what codes stand for, `[n, D]`; `vectors`: what is added.
fn against_naive(
    tier: Tier,
    nodes: &Nodes<'_>,
    decoded: &[f32],
    vectors: &[f32],
    links: usize,
    breadth: usize,
) {
    let (d, metric) = (nodes.dimension, nodes.metric);
    let of = |id: u32| &decoded[id as usize * d..][..d];
    let built = Built::new(tier, links, breadth, nodes, vectors);
    let mut naive = Naive { links, ..Naive::default() };
    for pair in built.places.windows(2) {
        naive.insert((pair[1] - pair[0]) as usize, breadth, &|a, b| distance(metric, of(a), of(b)));
    }
    assert_eq!(naive.entry, built.entry);
    for (&(node, level), neighbours) in &naive.neighbours {
        let width = if level == 0 { 2 * links } else { links };
        let row = match level {
            0 => &built.base[node as usize * width..][..width],
            _ => &built.upper[(built.places[node as usize] as usize + level - 1) * width..][..width],
        };
        let mut expected = neighbours.clone();
        expected.resize(width, NO_ID);
        assert_eq!(row, expected, "{tier}: node {node}, level {level}");
    }
    let mut random = Random::new(3);
    let queries = integers(&mut random, 5 * d);
    let filter: Vec<u32> = random.many(nodes.n.div_ceil(32), |random| random.next() as u32);
    for (k, breadth, filter) in [(1, 1, None), (10, 20, None), (7, 40, Some(&filter[..]))] {
        let sought = Sought { queries: &queries, count: 5, entry: built.entry, breadth, filter };
        let found = collect(5, k, |keys| {
            search(tier, &built.graph(), nodes, &sought, keys).expect("valid sizes");
        });
        for (query, found) in queries.chunks_exact(d).zip(found) {
            let near = naive.search(&|id| distance(metric, query, of(id)), breadth.max(k));
            let allowed = |id: u32| filter.is_none_or(|words| words[id as usize / 32] >> (id % 32) & 1 == 1);
            let mut expected: Vec<_> = near
                .into_iter()
                .filter(|near| allowed(near.1))
                .map(|(score, id)| (id, score.to_bits()))
                .collect();
            expected.resize(expected.len().max(k), (NO_ID, f32::INFINITY.to_bits()));
            assert_eq!(found, expected[..k], "{tier}: k = {k}, ef = {breadth}");
        }
    }
}

pub(crate) fn check(tier: Tier) {
    for (n, d, links, breadth) in
        [(0, 3, 4, 8), (1, 3, 2, 8), (2, 5, 2, 1), (150, 6, 2, 20), (300, 17, 4, 16), (200, 4, 8, 3)]
    {
        let mut random = Random::new((n + d) as u64);
        for metric in [Metric::L2, Metric::InnerProduct] {
            let x = integers(&mut random, n * d);
            let node = |stored| Nodes { stored, n, dimension: d, metric };
            if n == 0 {
                let nodes = node(Stored::Flat(Rows::Floats(&x)));
                Built::new(tier, links, breadth, &nodes, &[]);
                continue;
            }
            against_naive(tier, &node(Stored::Flat(Rows::Floats(&x))), &x, &x, links, breadth);
            let codes: Vec<i8> = x.iter().map(|x| *x as i8).collect();
            let scales = vec![2.0; n];
            let twice: Vec<f32> = x.iter().map(|x| 2.0 * x).collect();
            let bytes = node(Stored::Flat(Rows::Bytes(&codes, &scales)));
            against_naive(tier, &bytes, &twice, &twice, links, breadth);
            against_naive(tier, &bytes, &twice, &[], links, breadth);
        }
    }
    product_codes(tier);
    rabitq_codes(tier);
}

fn product_codes(tier: Tier) {
    let (n, subspaces, part) = (250, 3, 2);
    let d = subspaces * part;
    let mut random = Random::new(11);
    let codebooks = integers(&mut random, subspaces * 256 * part);
    let codes: Vec<u8> = random.many(n * subspaces, |random| random.int(0, 255) as u8);
    let decoded: Vec<f32> = codes
        .iter()
        .enumerate()
        .flat_map(|(i, code)| {
            let at = (i % subspaces * 256 + usize::from(*code)) * part;
            codebooks[at..at + part].to_vec()
        })
        .collect();
    let shape = PqShape { subspaces, centroids: 256, dimension: part };
    let tables = PqTables::new(tier, shape, &codebooks).expect("valid sizes");
    for metric in [Metric::L2, Metric::InnerProduct] {
        let stored = Stored::Pq { codes: &codes, tables: &tables, codebooks: &codebooks, subspaces };
        let nodes = Nodes { stored, n, dimension: d, metric };
        against_naive(tier, &nodes, &decoded, &[], 4, 16);
    }
}

/// Estimates are not exact sums: what is owed is the scalar tier's graph, and most of the nearest.
fn rabitq_codes(tier: Tier) {
    let (n, d) = (400, 40);
    let mut random = Random::new(5);
    let vectors: Vec<f32> = random.many(n * d, |random| random.int(-1000, 1000) as f32 / 777.0);
    let mean: Vec<f32> = random.many(d, |random| random.int(-100, 100) as f32 / 777.0);
    let less: Vec<f32> = vectors.iter().enumerate().map(|(i, x)| x - mean[i % d]).collect();
    for (bits, metric) in [(1, Metric::L2), (3, Metric::InnerProduct), (4, Metric::L2), (8, Metric::L2)] {
        let mut codes = vec![0; n * rabitq::row_bytes(d, bits)];
        let mut factors = vec![0.0; 2 * n];
        rabitq::encode(&less, d, bits, &mut codes, &mut factors).expect("valid lengths");
        let stored = Stored::Rabitq { codes: &codes, factors: &factors, bits, mean: &mean };
        let nodes = Nodes { stored, n, dimension: d, metric };
        let built = Built::new(tier, 8, 32, &nodes, &vectors);
        assert_eq!(built, Built::new(Tier::Scalar, 8, 32, &nodes, &vectors), "{tier}: {bits} bits");
        let sought = Sought { queries: &vectors, count: n, entry: built.entry, breadth: 64, filter: None };
        let find = |tier| {
            collect(n, 1, |keys| search(tier, &built.graph(), &nodes, &sought, keys).expect("valid sizes"))
        };
        assert_eq!(find(tier), find(Tier::Scalar), "{tier}: {bits} bits");
        if metric == Metric::L2 && bits > 1 {
            let own = find(tier).iter().enumerate().filter(|(i, found)| found[0].0 == *i as u32).count();
            assert!(own > n * 95 / 100, "{tier}: {bits} bits find {own} of {n} vectors by themselves");
        }
    }
}

/// By the definition in f64, from both sides of a rounding.
#[test]
fn queries_are_coded_as_defined() {
    let (query, mean) = ([3.0, -1.5, 0.25, 127.0], [1.0, 0.5, 0.25, 0.0]);
    let mut codes = vec![9; 128];
    let (step, base) = rabitq::prepare(&query, &mean, Metric::L2, &mut codes).expect("valid lengths");
    assert_eq!((step, base), (1.0, 4.0 + 4.0 + 0.0 + 127.0 * 127.0));
    assert_eq!(codes[..5], [2, -2, 0, 127, 0]);
    let (step, base) =
        rabitq::prepare(&query, &mean, Metric::InnerProduct, &mut codes).expect("valid lengths");
    assert_eq!((step, base), (1.0, -(3.0 - 0.75 + 0.0625)));
    assert_eq!(codes[..5], [3, -2, 0, 127, 0]);
    assert_eq!(rabitq::prepare(&[0.0; 4], &[0.0; 4], Metric::L2, &mut codes), Ok((1.0, 0.0)));
    assert!(rabitq::prepare(&[f32::NAN; 4], &mean, Metric::L2, &mut codes).is_err());
}

#[test]
fn levels_fall_by_m() {
    let n = 100_000;
    let mut places = vec![0; n + 1];
    draw_levels(1, 16, 0, &mut places).expect("valid sizes");
    let above = |level| places.windows(2).filter(|pair| pair[1] - pair[0] >= level).count() as f64;
    assert!((above(1) / n as f64 * 16.0 - 1.0).abs() < 0.05, "{}", above(1));
    assert!((above(2) / n as f64 * 256.0 - 1.0).abs() < 0.2, "{}", above(2));
    let mut other = vec![0; n + 1];
    draw_levels(2, 16, 0, &mut other).expect("valid sizes");
    assert_ne!(places, other);
}

#[test]
fn a_graph_from_outside_is_checked() {
    let mut random = Random::new(2);
    let x = integers(&mut random, 100 * 4);
    let nodes = Nodes { stored: Stored::Flat(Rows::Floats(&x)), n: 100, dimension: 4, metric: Metric::L2 };
    let built = Built::new(Tier::Scalar, 4, 8, &nodes, &x);
    let refused = |change: &dyn Fn(&mut Built)| {
        let mut other = built.clone();
        change(&mut other);
        other.graph().check(other.entry).map_err(|error| error.to_string())
    };
    let error = |text: &str| Err(text.to_owned());
    assert_eq!(refused(&|_| ()), Ok(()));
    assert_eq!(refused(&|built| built.base[8] = 100), error("Range: hnsw: ids, expected 99, got 100"));
    assert_eq!(refused(&|built| built.links = 5), error("Shape: hnsw: ids, expected 1000, got 800"));
    assert_eq!(refused(&|built| built.entry = 100), error("Range: hnsw: ids, expected 99, got 100"));
    assert!(refused(&|built| built.places[50] = 1000).is_err());
    // A neighbour behind a free place, and one in a level that it is not in.
    assert!(refused(&|built| built.base[0] = NO_ID).is_err());
    let low =
        (0..100).find(|i| built.places[i + 1] == built.places[*i]).expect("most are in level 0 alone") as u32;
    assert!(refused(&|built| built.upper[0] = low).is_err());
    let sought = Sought { queries: &[0.0; 4], count: 1, entry: 100, breadth: 8, filter: None };
    let run = |sought: &Sought<'_>| {
        search(Tier::Scalar, &built.graph(), &nodes, sought, &mut [0]).map_err(|error| error.to_string())
    };
    assert_eq!(run(&sought), error("Range: hnsw: ids, expected 99, got 100"));
    let sought = Sought { entry: built.entry, ..sought };
    assert_eq!(run(&sought), Ok(()));
    assert_eq!(
        run(&Sought { breadth: 1 << 17, ..sought }),
        error("Range: hnsw: breadth (ef), expected 65536, got 131072")
    );
    assert_eq!(
        run(&Sought { queries: &[f32::NAN; 4], ..sought }),
        error("Range: hnsw: finite value at position, expected 0, got 0")
    );
}
