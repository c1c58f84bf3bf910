//! Index arithmetic on every element.

/// `y[i0, i1, ...] = x[...]` with axis j of y being axis `permutation[j]` of x.
#[must_use]
pub fn transpose<T: Copy>(x: &[T], shape: &[usize], permutation: &[usize]) -> Vec<T> {
    let out: Vec<usize> = permutation.iter().map(|&axis| shape[axis]).collect();
    (0..x.len())
        .map(|mut flat| {
            let mut index = vec![0; shape.len()];
            for (j, &size) in out.iter().enumerate().rev() {
                index[permutation[j]] = flat % size;
                flat /= size;
            }
            x[index.iter().zip(shape).fold(0, |sum, (&i, &size)| sum * size + i)]
        })
        .collect()
}

/// Constant padding by asking, for each element of y, whether it lies in x.
#[must_use]
pub fn pad<T: Copy>(x: &[T], shape: &[usize], before: &[usize], after: &[usize], value: T) -> Vec<T> {
    let out: Vec<usize> = shape.iter().zip(before).zip(after).map(|((s, b), a)| s + b + a).collect();
    (0..out.iter().product())
        .map(|mut flat: usize| {
            let mut at = Some(0);
            let mut stride = 1;
            for axis in (0..shape.len()).rev() {
                let i = (flat % out[axis]).checked_sub(before[axis]).filter(|&i| i < shape[axis]);
                flat /= out[axis];
                at = at.zip(i).map(|(at, i)| at + i * stride);
                stride *= shape[axis];
            }
            at.map_or(value, |at| x[at])
        })
        .collect()
}
