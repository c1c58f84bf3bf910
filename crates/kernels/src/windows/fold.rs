//! Images to rows of taps, and rows of taps added up to images.

use crate::buffer::Element;
use crate::error::{Result, What, check_range, check_shape, checked_area};

use super::{OP, Windows};

/// Sizes of a call, checked against the slices.
struct Sizes {
    /// Elements of an image and of its rows of taps.
    image: usize,
    rows: usize,
    /// Channels of a group.
    depth: usize,
}

impl Windows {
    fn sizes(
        &self,
        batch: usize,
        channels: usize,
        groups: usize,
        image: usize,
        rows: usize,
    ) -> Result<Sizes> {
        check_range(OP, What::Channels, 1, 1 << 24, channels as i64)?;
        check_range(OP, What::Groups, 1, channels as i64, groups as i64)?;
        check_shape(OP, What::Groups, 0, channels % groups)?;
        let of_image = checked_area(OP, self.pixels(), channels)?;
        let of_rows = checked_area(OP, checked_area(OP, self.places(), self.taps())?, channels)?;
        check_shape(OP, What::Length, checked_area(OP, batch, of_image)?, image)?;
        check_shape(OP, What::Length, checked_area(OP, batch, of_rows)?, rows)?;
        Ok(Sizes { image: of_image, rows: of_rows, depth: channels / groups })
    }

    /// `x [batch, pixels, channels]` to `y [batch, places, groups, taps, channels / groups]`; taps outside the image are `fill`.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length or the groups do not divide the channels, `Range` where one of them is 0.
    pub fn unfold<T: Element>(
        &self,
        x: &[T],
        [batch, channels, groups]: [usize; 3],
        fill: T,
        y: &mut [T],
    ) -> Result<()> {
        let Sizes { image, rows, depth } = self.sizes(batch, channels, groups, x.len(), y.len())?;
        let taps = self.taps();
        for (x, y) in x.chunks_exact(image).zip(y.chunks_exact_mut(rows)) {
            for (place, y) in y.chunks_exact_mut(taps * channels).enumerate() {
                y.fill(fill);
                self.visit(place, |tap, pixel| {
                    let pixel = &x[pixel * channels..][..channels];
                    for (group, from) in pixel.chunks_exact(depth).enumerate() {
                        y[(group * taps + tap) * depth..][..depth].copy_from_slice(from);
                    }
                });
            }
        }
        Ok(())
    }

    /// `x [batch, places, groups, taps, channels / groups]` to `y [batch, pixels, channels]`, from `bias [channels]` on where there is one.
    ///
    /// # Errors
    /// As [`Self::unfold`].
    pub fn fold(
        &self,
        x: &[f32],
        [batch, channels, groups]: [usize; 3],
        bias: Option<&[f32]>,
        y: &mut [f32],
    ) -> Result<()> {
        let Sizes { image, rows, depth } = self.sizes(batch, channels, groups, y.len(), x.len())?;
        check_shape(OP, What::Bias, channels, bias.map_or(channels, <[f32]>::len))?;
        let taps = self.taps();
        for (x, y) in x.chunks_exact(rows).zip(y.chunks_exact_mut(image)) {
            match bias {
                Some(bias) => y.chunks_exact_mut(channels).for_each(|y| y.copy_from_slice(bias)),
                None => y.fill(0.0),
            }
            for (place, x) in x.chunks_exact(taps * channels).enumerate() {
                self.visit(place, |tap, pixel| {
                    let pixel = &mut y[pixel * channels..][..channels];
                    for (group, to) in pixel.chunks_exact_mut(depth).enumerate() {
                        let from = &x[(group * taps + tap) * depth..][..depth];
                        to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                    }
                });
            }
        }
        Ok(())
    }
}
