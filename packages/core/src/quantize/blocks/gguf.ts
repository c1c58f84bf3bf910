/** Quantized constants as the bytes of GGUF tensors, and back. */
import { OutOfRangeError, ShapeError } from "../../errors.ts";
import { matrixSize } from "../../graph/constants.ts";
import type { Decoding, QuantizedConstant } from "../../graph/types.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { innerLoops } from "../engine.ts";
import { matrixOf } from "../weights.ts";
import { type BlockLayout, type BlockType, blockLayouts } from "./layout.ts";

/** Weights that are unpacked at a time. */
const PART = 2 ** 24;

/**
 * The blocks of a constant, row after row, as a GGUF tensor of type `type` holds them (crates/kernels/src/blocks/layout.rs says them byte by byte). For what
 * the quantizer of that name made they are llama.cpp's to the byte. One exception: where the d of a Q4_K block has rounded to 0, its 6-bit scales are written
 * as 0; the floats are the same.
 *
 * Others with the type's decoding fit as well (ternary weights in groups of 256, say) where their scales are numbers of f16; where scales are integers by a d, d is
 * taken as small as it can be.
 *
 * @throws ShapeError where a row is no multiple of the block or bits, decoding or group size are not the type's; OutOfRangeError with the position of a scale
 * that the type does not hold
 */
export async function toBlocks(
  constant: QuantizedConstant,
  type: BlockType,
  kernels?: KernelInstance,
): Promise<Uint8Array> {
  const op = `toBlocks ${type}`;
  const { bits, group, weights, decoding: wanted } = blockLayouts[type];
  const { decoding, scale, scaleShape, groupSize } = constant;
  const { n, k } = matrixSize(constant);
  if (k % weights !== 0) throw new ShapeError(op, "weights of a row", `a multiple of ${weights}`, k);
  const expect = (what: string, expected: unknown, got: unknown): void => {
    if (got !== expected) throw new ShapeError(op, what, expected, got);
  };
  expect("bits", bits, constant.bits);
  expect("decoding", String(wanted), decodingName(decoding));
  expect("weights of a group", group, groupSize);
  expect("scales", (n * k) / group, scaleShape === undefined ? undefined : scaleShape[0] * scaleShape[1]);
  const loops = await innerLoops(kernels);
  const codes = loops.unpack(constant.codes, n, k, bits);
  const coded = { codes, scale: scale!, ...(decoding.kind === "offset" ? { offset: decoding.offset } : {}) };
  const blocks = loops.writeBlocks(type, coded);
  if (typeof blocks === "number") {
    const expected =
      group < weights ? "a number of f16 by the type's integers" : "a number of f16 and codes of the type";
    throw new OutOfRangeError(
      op,
      `scale ${blocks}`,
      type === "mxfp4" ? "a power of two of 2^-128 to 2^127" : expected,
      scale![blocks],
    );
  }
  return blocks;
}

/** As `BlockLayout.decoding` has it. */
function decodingName(decoding: Decoding): string {
  if (decoding.kind === "affine") return String(decoding.zeroPoint);
  return decoding.kind === "table" ? decoding.codebook.join(",") : decoding.kind;
}

function decodingOf(wanted: BlockLayout["decoding"], offset: Float32Array | undefined): Decoding {
  if (offset !== undefined) return { kind: "offset", offset };
  if (typeof wanted === "number") return { kind: "affine", zeroPoint: wanted };
  return { kind: "table", codebook: Float32Array.from(wanted as readonly number[]) };
}

/**
 * A tensor of a GGUF file as a constant: the floats it stands for (`dequantize`) are those of llama.cpp's reference, bit for bit.
 * @param shape row-major, axis 0 the output channel: GGUF's dimensions in reverse order
 * @throws ShapeError for another number of bytes or rows that are no multiple of the block; OutOfRangeError where a scale is infinite or NaN
 */
export async function fromBlocks(
  bytes: Uint8Array,
  type: BlockType,
  shape: readonly number[],
  kernels?: KernelInstance,
): Promise<QuantizedConstant> {
  const op = `fromBlocks ${type}`;
  const { bits, group, weights, bytes: size, decoding } = blockLayouts[type];
  if (shape.length < 1 || !shape.every((length) => Number.isSafeInteger(length) && length >= 1))
    throw new ShapeError(op, "shape", "sizes >= 1", [...shape]);
  const { rows, columns } = matrixOf(shape);
  if (columns % weights !== 0) throw new ShapeError(op, "weights of a row", `a multiple of ${weights}`, columns);
  const length = ((rows * columns) / weights) * size;
  if (bytes.length !== length) throw new ShapeError(op, "bytes", length, bytes.length);
  const loops = await innerLoops(kernels);
  const [rowBytes, rowGroups] = [(columns / weights) * size, columns / group];
  const packedRow = Math.ceil((columns * bits) / 8);
  const codes = new Uint8Array(rows * packedRow);
  const scale = new Float32Array(rows * rowGroups);
  const offset = decoding === "offset" ? new Float32Array(scale.length) : undefined;
  // Some rows at a time: unpacked codes of a whole tensor would stay in the kernels' memory, which never shrinks.
  const step = Math.max(1, Math.floor(PART / columns));
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const part = loops.readBlocks(type, bytes.subarray(row * rowBytes, (row + count) * rowBytes));
    codes.set(loops.pack(part.codes, count, columns, bits), row * packedRow);
    scale.set(part.scale, row * rowGroups);
    offset?.set(part.offset!, row * rowGroups);
  }
  for (const [what, values] of [
    ["scale", scale],
    ["offset", offset],
  ] as const) {
    const position = values === undefined ? -1 : loops.firstNonFinite(values);
    if (position >= 0) throw new OutOfRangeError(op, `${what} ${position}`, "finite", values![position]);
  }
  return {
    kind: "quantized",
    scheme: type,
    shape,
    bits,
    codes,
    decoding: decodingOf(decoding, offset),
    scale,
    scaleShape: [rows, rowGroups],
    groupSize: group,
  };
}
