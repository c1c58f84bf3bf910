//! The places by arithmetic on one number each.

use super::{Axis, Coordinate};

/// Where in the data each block of the dense side lies; `None` where an index leaves its axis.
#[must_use]
pub fn places(indices: &[i64], axes: &[Axis], coordinates: &[Coordinate]) -> Vec<Option<usize>> {
    (0..axes.iter().map(|axis| axis.count).product())
        .map(|mut flat: usize| {
            let (mut at, mut index) = (0, 0);
            for axis in axes.iter().rev() {
                at += flat % axis.count * axis.stride;
                index += flat % axis.count * axis.index_stride;
                flat /= axis.count;
            }
            coordinates.iter().enumerate().try_fold(at, |at, (j, coordinate)| {
                let size = coordinate.size as i64;
                let given = indices[index + j];
                let inside = (-size..size).contains(&given);
                inside.then(|| at + given.rem_euclid(size) as usize * coordinate.stride)
            })
        })
        .collect()
}
