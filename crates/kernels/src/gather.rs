//! Rows of a convolution out of its images (im2col of a few output pixels), for elements of any type: they are moved as bytes, so that all types share this code.

use crate::buffer::{Element, bytes_of};
use crate::geometry::Geometry;

/// What a gathering needs; sizes are in bytes.
pub(crate) struct Gather<'a> {
    pub(crate) geometry: &'a Geometry,
    /// Groups of the convolution.
    pub(crate) groups: usize,
    /// An input pixel, all groups together.
    pub(crate) pixel: usize,
    /// A pixel's channels of one group.
    pub(crate) channels: usize,
    pub(crate) fill: Fill,
}

impl Gather<'_> {
    /// Writes the rows of the output pixels from `first` on (over all images) for one group: `rows [count][taps][channels]`.
    #[inline(never)]
    pub(crate) fn rows(&self, x: &[u8], group: usize, first: usize, rows: &mut [u8]) {
        let &Self { geometry: g, groups, pixel, channels, ref fill } = self;
        let [kernel_h, kernel_w] = g.window.kernel;
        let image_len = g.input_pixels() * pixel;
        // Neighbouring taps lie side by side in the image, so that a row of taps is one run.
        let joined = groups == 1 && g.window.dilations[1] == 1;
        let mut at = Position::of(g, first);
        let mut start = 0;
        while start < rows.len() {
            let x = &x[at.image * image_len..][..image_len];
            let (inside_y, inside_x) = (g.inside(0, at.y), g.inside(1, at.x));
            // In ascending order, for a copied run may write some elements behind its end.
            for ky in 0..kernel_h {
                let taps = &mut rows[start..];
                start += kernel_w * channels;
                if !inside_y.contains(&ky) || inside_x.is_empty() {
                    fill.write(&mut taps[..kernel_w * channels]);
                    continue;
                }
                let line = g.source(0, at.y, ky) * g.input[1];
                if inside_x.start > 0 {
                    fill.write(&mut taps[..inside_x.start * channels]);
                }
                if joined {
                    let from = (line + g.source(1, at.x, inside_x.start)) * pixel;
                    copy_run(&mut taps[inside_x.start * channels..], &x[from..], inside_x.len() * channels);
                } else {
                    for kx in inside_x.clone() {
                        let from = (line + g.source(1, at.x, kx)) * pixel + group * channels;
                        copy_run(&mut taps[kx * channels..], &x[from..], channels);
                    }
                }
                if inside_x.end < kernel_w {
                    fill.write(&mut taps[inside_x.end * channels..kernel_w * channels]);
                }
            }
            at.advance(g.output);
        }
    }
}

/// The bytes of the element that a missing tap counts as.
pub(crate) struct Fill {
    bytes: [u8; 16],
    /// Bytes of the element.
    size: usize,
}

impl Fill {
    pub(crate) fn of<T: Element>(element: T) -> Self {
        let mut bytes = [0; 16];
        bytes[..size_of::<T>()].copy_from_slice(bytes_of(&[element]));
        Self { bytes, size: size_of::<T>() }
    }

    fn write(&self, to: &mut [u8]) {
        let element = &self.bytes[..self.size];
        // Nearly always: bytes, 0.0, words of 0.
        if element.iter().all(|byte| *byte == element[0]) {
            to.fill(element[0]);
        } else {
            for to in to.chunks_exact_mut(element.len()) {
                to.copy_from_slice(element);
            }
        }
    }
}

/// An output pixel. Divisions find the first one of a block, and the others follow without.
pub(crate) struct Position {
    pub(crate) image: usize,
    pub(crate) y: usize,
    pub(crate) x: usize,
}

impl Position {
    /// Where output pixel `at` lies, counted over all images.
    pub(crate) fn of(geometry: &Geometry, at: usize) -> Self {
        let [height, width] = geometry.output;
        Self { image: at / (height * width), y: at / width % height, x: at % width }
    }

    /// The next pixel.
    pub(crate) fn advance(&mut self, [height, width]: [usize; 2]) {
        self.x += 1;
        if self.x == width {
            (self.x, self.y) = (0, self.y + 1);
        }
        if self.y == height {
            (self.y, self.image) = (0, self.image + 1);
        }
    }
}

/// Copies `len` bytes from one start to the other, and some behind them where both have any: 16 at a time as plain loads and stores, without a library call.
#[inline(always)]
fn copy_run(to: &mut [u8], from: &[u8], len: usize) {
    const STEP: usize = 16;
    const STEPS: usize = 8;
    let whole = len.next_multiple_of(STEP);
    if whole > STEPS * STEP || whole > to.len() || whole > from.len() {
        to[..len].copy_from_slice(&from[..len]);
        return;
    }
    for at in (0..STEPS * STEP).step_by(STEP) {
        if at == whole {
            return;
        }
        to[at..at + STEP].copy_from_slice(&from[at..at + STEP]);
    }
}
