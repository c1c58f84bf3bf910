//! Index arithmetic on every element.

use super::Axis;

/// As [`super::Strided`], of axes that are valid.
#[must_use]
pub fn strided<T: Copy>(x: &[T], axes: &[Axis], fill: T) -> Vec<T> {
    let places: Vec<Vec<Option<i64>>> = axes
        .iter()
        .map(|Axis { stride, segments }| {
            let place = |index: i64| index * *stride as i64;
            let of_segment = segments.iter().flat_map(|segment| {
                (0..i64::from(segment.count)).map(move |i| {
                    (segment.start >= 0).then(|| i64::from(segment.start) + i * i64::from(segment.step))
                })
            });
            of_segment.map(|index| index.map(place)).collect()
        })
        .collect();
    (0..places.iter().map(Vec::len).product())
        .map(|mut flat: usize| {
            let mut at = Some(0);
            for axis in places.iter().rev() {
                at = at.zip(axis[flat % axis.len()]).map(|(at, place)| at + place);
                flat /= axis.len();
            }
            at.map_or(fill, |at| x[at as usize])
        })
        .collect()
}
