//! By index arithmetic on every element, one chain an output.

use super::Lines;

/// The groups of elements that an output is made of, as positions in x, in ascending order.
#[must_use]
pub fn groups(shape: &[usize], over: &[bool]) -> Vec<Vec<usize>> {
    let outputs: usize = shape.iter().zip(over).filter(|(_, over)| !**over).map(|(size, _)| size).product();
    let mut groups = vec![Vec::new(); outputs];
    for at in 0..shape.iter().product() {
        let (mut rest, mut output, mut stride) = (at, 0, 1);
        for (&size, &over) in shape.iter().zip(over).rev() {
            if !over {
                output += rest % size * stride;
                stride *= size;
            }
            rest /= size;
        }
        groups[output].push(at);
    }
    groups
}

/// The positions in x of each line's elements.
#[must_use]
pub fn lines(lines: Lines) -> Vec<Vec<usize>> {
    let Lines { outer, size, inner } = lines;
    (0..outer * inner)
        .map(|line| (0..size).map(|i| (line / inner * size + i) * inner + line % inner).collect())
        .collect()
}
