use super::*;
use crate::testing::Random;

fn floats(seed: u64, len: usize) -> Vec<f32> {
    let mut random = Random::new(seed);
    random.many(len, |random| random.int(-1000, 1000) as f32 / 512.0)
}

#[test]
fn rows_that_no_score_can_hold_are_found() {
    let mut x = floats(1, 12);
    assert_eq!(first_unusable(&x, 3), Ok(4));
    x[7] = f32::NAN;
    assert_eq!(first_unusable(&x, 3), Ok(2));
    x[4] = 2e18;
    assert_eq!(first_unusable(&x, 3), Ok(1));
    assert_eq!(
        first_unusable(&x, 5).map_err(|error| error.to_string()),
        Err("Shape: vectors: length in elements, expected 10, got 12".into())
    );
}

#[test]
fn lengths_are_one_and_zeros_stay() {
    let mut x = floats(2, 30);
    x[10..20].fill(0.0);
    normalize(&mut x, 10).unwrap();
    assert!((squares(&x[..10]) - 1.0).abs() < 1e-6 && (squares(&x[20..]) - 1.0).abs() < 1e-6);
    assert!(x[10..20].iter().all(|x| *x == 0.0));
}

#[test]
fn bytes_are_within_half_a_scale() {
    let mut x = floats(3, 60);
    x[20..40].fill(0.0);
    x[40] = 1e-44;
    x[41..60].fill(0.0);
    let (mut codes, mut scales) = (vec![0; 60], vec![0.0; 3]);
    to_bytes(&x, 20, &mut codes, &mut scales).unwrap();
    for (i, (x, code)) in x.iter().zip(&codes).enumerate() {
        let scale = scales[i / 20];
        assert!((x - scale * f32::from(*code)).abs() <= scale * 0.5001 + 1e-44, "{i}");
    }
    assert_eq!((scales[1], &codes[20..40]), (0.0, &[0; 20][..]));
}

#[test]
fn codes_name_the_nearest_centroid_of_each_part() {
    for (subspaces, dimension, entries, four) in [(5, 3, 16, true), (4, 2, 256, false), (3, 1, 7, false)] {
        let whole = subspaces * dimension;
        let n = 300;
        let (x, books) = (floats(4, n * whole), floats(5, subspaces * entries * dimension));
        let row = if four { subspaces.div_ceil(2) } else { subspaces };
        let mut codes = vec![0xff; n * row];
        pq_encode(Tier::Scalar, &x, &books, subspaces, dimension, four, &mut codes).unwrap();
        let centroid = |at: usize| {
            let (codes, m) = (&codes[at / subspaces * row..], at % subspaces);
            let code = usize::from(if four { codes[m / 2] >> (m % 2 * 4) & 15 } else { codes[m] });
            &books[(m * entries + code) * dimension..][..dimension]
        };
        let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        for (at, x) in x.chunks_exact(dimension).enumerate() {
            let book = &books[at % subspaces * entries * dimension..][..entries * dimension];
            let least = book.chunks_exact(dimension).map(|c| distance(x, c)).fold(f32::INFINITY, f32::min);
            assert_eq!(distance(x, centroid(at)), least);
        }
        let mut other = vec![0; n * row];
        pq_encode(Tier::Simd128, &x, &books, subspaces, dimension, four, &mut other).unwrap();
        assert_eq!(codes, other);
    }
}

#[test]
fn means_are_of_the_rows_assigned() {
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 9.0];
    let mut centroids = [7.0; 6];
    let mut counts = [0; 3];
    means(&x, 2, &[2, 0, 2], &mut centroids, &mut counts).unwrap();
    assert_eq!((centroids, counts), ([3.0, 4.0, 7.0, 7.0, 3.0, 5.5], [1, 0, 2]));
    let mut x = x;
    subtract(&mut x, 2, &[2, 0, 2], &centroids).unwrap();
    assert_eq!(x, [-2.0, -3.5, 0.0, 0.0, 2.0, 3.5]);
    assert!(subtract(&mut x, 2, &[3, 0, 0], &centroids).is_err());
    assert!(means(&x, 2, &[3, 0, 0], &mut centroids, &mut counts).is_err());
}
