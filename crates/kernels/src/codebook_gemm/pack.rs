//! Codes into panels, and tables that decode them.

use super::OP;
use super::composed::{self, Composed};
use crate::buffer::Buffer;
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape, checked_area};
use crate::layout::{code_at, code_row_bytes};

/// Columns of a panel.
pub(super) const COLUMNS: usize = 16;

/// How a code becomes a weight, before its scale.
#[derive(Clone, Copy, Debug)]
pub enum Decoding<'a> {
    /// 1 is -1, 0 is +1; one bit.
    Sign,
    /// code - zero point
    Affine {
        /// One for the tensor, or as many as there are scales.
        zero_points: &'a [i32],
    },
    /// An entry per code.
    Table {
        /// 1..=2^bits entries.
        codebook: &'a [f32],
    },
    /// A sub-vector per code.
    Product {
        /// `[centroids, dimension]`, 1..=2^bits centroids.
        codebook: &'a [f32],
        /// d, which divides K and the group size.
        dimension: usize,
    },
    /// code * scale + offset
    Offset {
        /// As many as there are scales, or one for the tensor.
        offsets: &'a [f32],
    },
    /// Sum of ±coefficient * scale, plus where bit i of the code is 0.
    Bases {
        /// `[scales, bits]`
        coefficients: &'a [f32],
    },
    /// A sum of sub-vectors, one of each codebook.
    Additive {
        /// `[count, centroids, dimension]`, 1..=2^bits centroids.
        codebooks: &'a [f32],
        /// d, which divides K and the group size.
        dimension: usize,
        /// Codes of a sub-vector, one after another.
        count: usize,
    },
    /// No codes: ±value, index and sign by a hash of the position in the tensor.
    Hashed {
        /// At least 1.
        values: &'a [f32],
        /// Of the hash.
        seed: u32,
        /// Position of the first weight in its tensor.
        first: usize,
    },
}

impl Decoding<'_> {
    /// Weights of a sub-vector; 1 where codes are of single weights.
    pub fn dimension(&self) -> usize {
        match *self {
            Decoding::Product { dimension, .. } | Decoding::Additive { dimension, .. } => dimension,
            _ => 1,
        }
    }

    /// Codes of a row of `depth` weights, a multiple of the dimension.
    pub fn codes_of_row(&self, depth: usize) -> usize {
        match *self {
            Decoding::Product { dimension, .. } => depth / dimension,
            Decoding::Additive { dimension, count, .. } => depth / dimension * count,
            Decoding::Hashed { .. } => 0,
            _ => depth,
        }
    }
}

/// Weights as a file holds them.
#[derive(Clone, Copy, Debug)]
pub struct CodedWeights<'a> {
    /// Output columns N, at least 1.
    pub columns: usize,
    /// K, at least 1.
    pub depth: usize,
    /// Per code, 1..=8; kept at 1, 2, 4 or 8.
    pub bits: usize,
    /// `[N, ceil(codes of a row * bits / 8)]`, least significant bit first.
    pub codes: &'a [u8],
    /// What codes stand for.
    pub decoding: Decoding<'a>,
    /// `[N or 1, groups]`, or empty for 1.
    pub scales: &'a [f32],
    /// Rows of `scales`: N or 1.
    pub scale_rows: usize,
    /// Weights of a row that share a scale, 1..=K.
    pub group_size: usize,
}

/// The level of every code of the width, as floats, and how vector code finds them faster.
pub(super) struct Levels {
    pub(super) values: Buffer<f32>,
    #[cfg_attr(
        all(target_arch = "wasm32", not(target_feature = "simd128")),
        expect(dead_code, reason = "a build without vectors decodes by `values`")
    )]
    pub(super) way: Way,
}

/// How vectors of levels are found.
#[cfg_attr(
    all(target_arch = "wasm32", not(target_feature = "simd128")),
    expect(dead_code, reason = "a build without vectors decodes by the values")
)]
pub(super) enum Way {
    /// `[tables][4][16]`, 1 to 4 tables: byte b of level 16 t + i.
    Swizzle(Buffer<[u8; 16]>),
    /// The level is code - zero.
    Convert(f32),
    /// Too many levels, and no rule.
    Load,
}

/// Codes of consecutive positions in one panel.
pub(super) struct Run<'a> {
    blocks: &'a [[u8; COLUMNS]],
    /// Of the first position.
    shift: u32,
    width: u32,
}

impl<'a> Run<'a> {
    #[inline(always)]
    pub(super) fn positions(&self) -> impl Iterator<Item = Position<'a>> {
        let width = self.width;
        let (mut blocks, mut shift) = (self.blocks.iter(), self.shift);
        let mut current = blocks.next();
        core::iter::from_fn(move || {
            if shift == 8 {
                (current, shift) = (blocks.next(), 0);
            }
            let position = Position { bytes: current?, shift, width };
            shift += width;
            Some(position)
        })
    }
}

/// The codes of one position in one panel.
pub(super) struct Position<'a> {
    /// One byte for each of 16 columns.
    pub(super) bytes: &'a [u8; COLUMNS],
    pub(super) shift: u32,
    pub(super) width: u32,
}

impl Position<'_> {
    /// The code of a column.
    #[inline(always)]
    pub(super) fn code(&self, column: usize) -> usize {
        usize::from(self.bytes[column] >> self.shift) & ((1 << self.width) - 1)
    }
}

/// Packed weights.
pub(super) struct Packed {
    pub(super) columns: usize,
    pub(super) depth: usize,
    pub(super) group_size: usize,
    /// Weights of a position: 1, or the dimension of a product decoding.
    pub(super) dimension: usize,
    width: usize,
    /// `[panel][block]`
    codes: Buffer<[u8; COLUMNS]>,
    pub(super) levels: Levels,
    /// `[dimension][padded centroids]`; empty but for product decodings.
    pub(super) centroids: Buffer<f32>,
    /// Entries of `centroids`, a multiple of 4.
    pub(super) padded_centroids: usize,
    /// `[panel][group][16]`
    pub(super) scales: Buffer<f32>,
    /// As `scales`, or empty.
    pub(super) zeros: Buffer<f32>,
    /// Codes of a row.
    positions: usize,
    /// What decodings that are more than a level by a scale keep.
    pub(super) composed: Option<Composed>,
}

/// Where each column finds what its group shares: numbers as a file holds them, `[N or 1, groups]`, and as panels do, `[panel][group][16]`.
pub(super) struct Cells {
    columns: usize,
    groups: usize,
    /// One row of numbers for all columns.
    shared: bool,
}

impl Cells {
    /// Numbers in a file.
    pub(super) fn sources(&self) -> usize {
        if self.shared { self.groups } else { self.columns * self.groups }
    }

    /// Numbers in panels.
    pub(super) fn padded(&self) -> usize {
        self.columns.next_multiple_of(COLUMNS) * self.groups
    }

    /// `value(i)` for number i of a file, where the panels want it; 0 for columns beyond the last.
    pub(super) fn spread(&self, value: &dyn Fn(usize) -> f32) -> Result<Buffer<f32>> {
        let mut cells =
            Buffer::zeroed(OP, checked_area(OP, self.columns.next_multiple_of(COLUMNS), self.groups)?)?;
        for n in 0..self.columns {
            for group in 0..self.groups {
                let source = if self.shared { group } else { n * self.groups + group };
                cells[(n / COLUMNS * self.groups + group) * COLUMNS + n % COLUMNS] = value(source);
            }
        }
        Ok(cells)
    }
}

impl Packed {
    /// Checks and packs.
    pub(super) fn new(weights: &CodedWeights<'_>) -> Result<Self> {
        let CodedWeights { columns, depth, bits, codes, decoding, scales, scale_rows, group_size } = *weights;
        check_range(OP, What::Columns, 1, i64::from(i32::MAX), columns as i64)?;
        check_range(OP, What::Depth, 1, i64::from(i32::MAX), depth as i64)?;
        check_range(OP, What::GroupSize, 1, depth as i64, group_size as i64)?;
        let hashed = matches!(decoding, Decoding::Hashed { .. });
        check_range(OP, What::Bits, i64::from(!hashed), 8, bits as i64)?;
        let dimension = decoding.dimension();
        check_range(OP, What::Codebook, 1, depth as i64, dimension as i64)?;
        check_shape(OP, What::Depth, 0, depth % dimension)?;
        let groups = depth.div_ceil(group_size);
        // One group may end with the row; more of them have to end with a sub-vector.
        check_shape(OP, What::GroupSize, 0, if groups > 1 { group_size % dimension } else { 0 })?;
        let positions = decoding.codes_of_row(depth);
        let row = code_row_bytes(positions, bits);
        check_shape(OP, What::Codes, checked_area(OP, columns, row)?, codes.len())?;
        if !scales.is_empty() {
            let rows = if scale_rows == 1 { 1 } else { columns };
            check_shape(OP, What::Scale, rows, scale_rows)?;
            check_shape(OP, What::Scale, checked_area(OP, rows, groups)?, scales.len())?;
        }

        // Hashed weights have no codes, of any width.
        let width = bits.next_power_of_two();
        let fields = 8 / width;
        let blocks = positions.div_ceil(fields);
        let panels = columns.div_ceil(COLUMNS);
        let mut packed = Buffer::zeroed(OP, checked_area(OP, panels, blocks)?)?;
        let levels = level_count(&decoding, bits, dimension)?;
        for (n, row) in codes.chunks_exact(row.max(1)).enumerate() {
            let panel: &mut [[u8; COLUMNS]] = &mut packed[n / COLUMNS * blocks..][..blocks];
            for position in 0..positions {
                let code = code_at(row, bits, position);
                check_range(OP, What::Code, 0, levels as i64 - 1, i64::from(code))?;
                panel[position / fields][n % COLUMNS] |= code << (position % fields * width);
            }
        }

        let cells = Cells { columns, groups, shared: scale_rows == 1 };
        let zeros = match decoding {
            Decoding::Affine { zero_points } if zero_points.len() != 1 => {
                check_shape(OP, What::ZeroPoint, scales.len(), zero_points.len())?;
                cells.spread(&|i| zero_points[i] as f32)?
            }
            _ => Buffer::zeroed(OP, 0)?,
        };
        let padded_centroids = levels.next_multiple_of(4);
        let mut centroids = Buffer::zeroed(OP, 0)?;
        if let Decoding::Product { codebook, .. } = decoding {
            centroids = Buffer::zeroed(OP, checked_area(OP, dimension, padded_centroids)?)?;
            for (i, &value) in codebook.iter().enumerate() {
                centroids[i % dimension * padded_centroids + i / dimension] = value;
            }
        }
        Ok(Self {
            columns,
            depth,
            group_size,
            dimension,
            width,
            codes: packed,
            levels: Levels::new(&decoding, width)?,
            centroids,
            padded_centroids,
            scales: cells.spread(&|i| scales.get(i).copied().unwrap_or(1.0))?,
            zeros,
            positions,
            composed: Composed::new(&decoding, bits, scales, &cells)?,
        })
    }

    pub(super) fn groups(&self) -> usize {
        self.depth.div_ceil(self.group_size)
    }

    pub(super) fn panels(&self) -> usize {
        self.columns.div_ceil(COLUMNS)
    }

    /// Codes of a row.
    pub(super) fn positions(&self) -> usize {
        self.positions
    }

    /// Sub-vectors of a row.
    pub(super) fn vectors(&self) -> usize {
        self.depth / self.dimension
    }

    /// The codes of a position; of additive decodings the codes of a sub-vector are neighbours.
    #[inline(always)]
    pub(super) fn position(&self, panel: usize, position: usize) -> Position<'_> {
        let fields = 8 / self.width;
        let blocks = self.positions().div_ceil(fields);
        Position {
            bytes: &self.codes[panel * blocks + position / fields],
            shift: (position % fields * self.width) as u32,
            width: self.width as u32,
        }
    }

    /// The codes from a position on.
    pub(super) fn run(&self, panel: usize, position: usize) -> Run<'_> {
        let fields = 8 / self.width;
        let blocks = self.positions().div_ceil(fields);
        Run {
            blocks: &self.codes[panel * blocks..][..blocks][position / fields..],
            shift: (position % fields * self.width) as u32,
            width: self.width as u32,
        }
    }

    /// Scales and zeros (or none) of a group.
    pub(super) fn cell(&self, panel: usize, group: usize) -> (&[f32], &[f32]) {
        let start = (panel * self.groups() + group) * COLUMNS;
        let zeros = if self.zeros.is_empty() { &[] } else { &self.zeros[start..][..COLUMNS] };
        (&self.scales[start..][..COLUMNS], zeros)
    }

    pub(super) fn byte_len(&self) -> usize {
        let composed = self.composed.as_ref().map_or(0, Composed::byte_len);
        self.codes.byte_len()
            + self.scales.byte_len()
            + self.zeros.byte_len()
            + self.centroids.byte_len()
            + composed
    }
}

/// Codes that have a meaning.
fn level_count(decoding: &Decoding<'_>, bits: usize, dimension: usize) -> Result<usize> {
    let entries = match decoding {
        Decoding::Sign => 2,
        Decoding::Affine { zero_points } => {
            for &zero in *zero_points {
                // So that code - zero point is exact in f32.
                check_range(OP, What::ZeroPoint, -(1 << 20), 1 << 20, i64::from(zero))?;
            }
            if zero_points.is_empty() {
                return Err(KernelError::new(ErrorCode::Shape, OP, What::ZeroPoint, 1, 0));
            }
            1 << bits
        }
        Decoding::Table { codebook } => codebook.len(),
        Decoding::Product { codebook, .. } => {
            check_shape(OP, What::Codebook, 0, codebook.len() % dimension)?;
            codebook.len() / dimension
        }
        other => composed::level_count(other, bits),
    };
    check_range(OP, What::Codebook, 1, 1 << bits, entries as i64)?;
    Ok(entries)
}

impl Levels {
    fn new(decoding: &Decoding<'_>, width: usize) -> Result<Self> {
        let mut values = Buffer::zeroed(OP, 1 << width)?;
        match decoding {
            Decoding::Sign => values[..2].copy_from_slice(&[1.0, -1.0]),
            Decoding::Affine { zero_points } => {
                let zero = if let [zero] = zero_points { *zero } else { 0 };
                for (code, value) in values.iter_mut().enumerate() {
                    *value = (code as i32 - zero) as f32;
                }
            }
            Decoding::Table { codebook } => values[..codebook.len()].copy_from_slice(codebook),
            _ => {}
        }
        let way = match decoding {
            Decoding::Affine { zero_points } if width == 8 => {
                Way::Convert(if let [zero] = zero_points { *zero as f32 } else { 0.0 })
            }
            Decoding::Table { codebook } => Way::of(codebook)?,
            _ => Way::of(&values)?,
        };
        Ok(Self { values, way })
    }
}

impl Way {
    fn of(levels: &[f32]) -> Result<Self> {
        if levels.len() > 64 {
            return Ok(Self::Load);
        }
        let mut tables = Buffer::<[u8; 16]>::zeroed(OP, 4 * levels.len().div_ceil(16))?;
        for (code, level) in levels.iter().enumerate() {
            for (table, byte) in tables[code / 16 * 4..].iter_mut().zip(level.to_le_bytes()) {
                table[code % 16] = byte;
            }
        }
        Ok(Self::Swizzle(tables))
    }
}
