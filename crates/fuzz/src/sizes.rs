//! Windows of any geometry, for the families that slide one.

use arbitrary::Arbitrary;
use lowbit_kernels::error::Op;
use lowbit_kernels::geometry::{Geometry, Window};

/// Sizes of an image and of a window.
#[derive(Arbitrary, Debug)]
pub(crate) struct Sizes {
    input: [u8; 2],
    kernel: [u8; 2],
    strides: [u8; 2],
    dilations: [u8; 2],
    pads: [u8; 4],
}

impl Sizes {
    /// The geometry, where the window fits.
    pub(crate) fn geometry(&self) -> Option<(Geometry, Window)> {
        let sizes = |pair: [u8; 2], limit: u8| pair.map(|size| usize::from(size % limit) + 1);
        let window = Window {
            kernel: sizes(self.kernel, 5),
            strides: sizes(self.strides, 3),
            dilations: sizes(self.dilations, 3),
            pads: self.pads.map(|pad| usize::from(pad % 4)),
        };
        Geometry::new(Op::Conv, sizes(self.input, 12), window).ok().map(|geometry| (geometry, window))
    }
}
