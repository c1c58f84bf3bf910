//! Broadcasting by index arithmetic on every element.

/// `a op b` where the shapes are already aligned to the same rank; axes of size 1 are repeated.
#[must_use]
pub fn binary(op: fn(f32, f32) -> f32, a: (&[f32], &[usize]), b: (&[f32], &[usize])) -> Vec<f32> {
    let shape: Vec<usize> = a.1.iter().zip(b.1).map(|(&a, &b)| if a == 1 { b } else { a }).collect();
    let at = |(data, dims): (&[f32], &[usize]), index: &[usize]| {
        data[dims.iter().zip(index).fold(0, |sum, (&dim, &i)| sum * dim + if dim == 1 { 0 } else { i })]
    };
    (0..shape.iter().product())
        .map(|mut flat: usize| {
            let mut index = vec![0; shape.len()];
            for (i, &dim) in index.iter_mut().zip(&shape).rev() {
                *i = flat % dim;
                flat /= dim;
            }
            op(at(a, &index), at(b, &index))
        })
        .collect()
}
