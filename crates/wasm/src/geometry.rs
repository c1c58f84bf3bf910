//! The window of a convolution or pooling, in parameters.

use lowbit_kernels::error::{Op, Result, What};
use lowbit_kernels::geometry::{Geometry, Window};

use crate::params::Params;

/// Height and width of the image, then of kernel, strides and dilations, then pads top, left, bottom, right.
pub(crate) fn read_geometry(op: Op, params: &mut Params<'_>) -> Result<Geometry> {
    let mut pair = || Ok([params.size(What::Geometry)?, params.size(What::Geometry)?]);
    let (input, kernel, strides, dilations) = (pair()?, pair()?, pair()?, pair()?);
    let [[top, left], [bottom, right]] = [pair()?, pair()?];
    Geometry::new(op, input, Window { kernel, strides, dilations, pads: [top, left, bottom, right] })
}
