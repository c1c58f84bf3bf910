//! Tables equal the oracle's bit for bit.

use lowbit_kernels::pq_tables::{Metric, PqShape, PqTables, naive};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

pub(crate) fn check(tier: Tier) {
    for (subspaces, centroids, dimension) in
        [(1, 16, 1), (3, 16, 4), (2, 256, 3), (16, 256, 8), (5, 16, 17), (1, 256, 129), (1024, 16, 1)]
    {
        let shape = PqShape { subspaces, centroids, dimension };
        let mut random = Random::new((subspaces * dimension) as u64);
        let codebooks = random.many(subspaces * centroids * dimension, Random::float);
        let tables = PqTables::new(tier, shape, &codebooks).expect("a valid shape");
        for count in [0, 1, 3] {
            let queries = random.many(count * tables.query_len(), Random::float);
            for metric in [Metric::L2, Metric::InnerProduct] {
                let mut got = vec![f32::NAN; count * tables.table_len()];
                tables.run(metric, &queries, count, &mut got).expect("valid lengths");
                let expected: Vec<u32> = queries
                    .chunks_exact(dimension)
                    .enumerate()
                    .flat_map(|(at, part)| {
                        let codebook =
                            &codebooks[at % subspaces * centroids * dimension..][..centroids * dimension];
                        codebook
                            .chunks_exact(dimension)
                            .map(move |c| naive::distance(metric, part, c).to_bits())
                    })
                    .collect();
                let got: Vec<u32> = got.iter().map(|t| t.to_bits()).collect();
                assert_eq!(got, expected, "{tier} differs from naive: {shape:?}, {metric:?}");
            }
        }
    }
}

#[test]
fn refusals_are_named() {
    let refused = |subspaces, centroids, dimension, codebooks: &[f32]| {
        PqTables::new(Tier::Scalar, PqShape { subspaces, centroids, dimension }, codebooks)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let error = |text: &str| Err(text.to_owned());
    assert_eq!(refused(0, 16, 1, &[]), error("Range: pq_tables: subspaces (M), expected 1, got 0"));
    assert_eq!(refused(1025, 16, 1, &[]), error("Range: pq_tables: subspaces (M), expected 1024, got 1025"));
    assert_eq!(
        refused(1, 64, 1, &[0.0; 64]),
        error("Range: pq_tables: codebook entries, expected 256, got 64")
    );
    assert_eq!(
        refused(1, 16, 1, &[0.0; 15]),
        error("Shape: pq_tables: codebook entries, expected 16, got 15")
    );
    let mut codebooks = [0.0; 16];
    codebooks[3] = f32::NAN;
    assert_eq!(
        refused(1, 16, 1, &codebooks),
        error("Range: pq_tables: finite value at position, expected 0, got 3")
    );

    let shape = PqShape { subspaces: 1, centroids: 16, dimension: 2 };
    let tables = PqTables::new(Tier::Scalar, shape, &[0.0; 32]).unwrap();
    let run = |query: &[f32], count, tables_len| {
        tables.run(Metric::L2, query, count, &mut vec![0.0; tables_len]).map_err(|error| error.to_string())
    };
    assert_eq!(run(&[0.0; 3], 1, 16), error("Shape: pq_tables: queries, expected 2, got 3"));
    assert_eq!(run(&[0.0; 2], 1, 15), error("Shape: pq_tables: distance tables, expected 16, got 15"));
    let nan = [0.0, 0.0, 0.0, f32::NAN];
    assert_eq!(run(&nan, 2, 32), error("Range: pq_tables: finite value at position, expected 0, got 3"));
}
