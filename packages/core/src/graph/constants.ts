/** What a constant must hold, plain or quantized, and the sizes that follow from its shape. */
import { GraphError } from "../errors.ts";
import { arrayOf, sizeOf } from "../tensor.ts";
import type { Constant, Decoding, PlainConstant, QuantizedConstant, ValueInfo } from "./types.ts";

/** Rows and row lengths of a quantized tensor seen as [N, K] (axis 0 by the rest). */
export interface MatrixSize {
  /** Output channels. */
  readonly n: number;
  /** Weights of a row. */
  readonly k: number;
  /** Codes of a row: K, K / dimension for sub-vectors, that times `count` for sums of them, none for hashed weights. */
  readonly codesPerRow: number;
  /** Bytes of a row of codes. */
  readonly rowBytes: number;
}

/** Codes that a row of `k` weights has. */
export function codesPerRow(decoding: QuantizedConstant["decoding"], k: number): number {
  switch (decoding.kind) {
    case "product":
      return k / decoding.dimension;
    case "additive":
      return (k / decoding.dimension) * decoding.count;
    case "hashed":
      return 0;
    default:
      return k;
  }
}

/** The decoding of a part of the rows: `part` takes its share of an array that has `width` numbers for every scale. */
export function decodingOfCells(
  decoding: Decoding,
  part: <T extends Float32Array | Int32Array>(values: T, width: number) => Float32Array | Int32Array,
  bits: number,
): Decoding {
  switch (decoding.kind) {
    case "affine": {
      const { zeroPoint } = decoding;
      return typeof zeroPoint === "number" ? decoding : { kind: "affine", zeroPoint: part(zeroPoint, 1) as Int32Array };
    }
    case "offset":
      return { kind: "offset", offset: part(decoding.offset, 1) as Float32Array };
    case "bases":
      return { kind: "bases", coefficients: part(decoding.coefficients, bits) as Float32Array };
    default:
      return decoding;
  }
}

export function matrixSize({
  shape,
  bits,
  decoding,
}: Pick<QuantizedConstant, "shape" | "bits" | "decoding">): MatrixSize {
  const n = shape[0] ?? 1;
  const k = sizeOf(shape.slice(1));
  const perRow = codesPerRow(decoding, k);
  return { n, k, codesPerRow: perRow, rowBytes: Math.ceil((perRow * bits) / 8) };
}

/** Type and shape as a value has them; codes stand for floats. */
export const constantInfo = (constant: Constant): ValueInfo => ({
  dtype: constant.kind === "plain" ? constant.dtype : "f32",
  shape: constant.shape,
});

/** Bytes that a constant takes, codes and all that its decoding needs. */
export function constantBytes(constant: Constant): number {
  if (constant.kind === "plain") return constant.data.byteLength;
  const { codes, scale, decoding } = constant;
  // Whatever arrays a decoding has: codebook, zero points, offsets, coefficients, values.
  const levels = Object.values(decoding).reduce(
    (sum, part) => sum + (ArrayBuffer.isView(part) ? part.byteLength : 0),
    0,
  );
  return codes.byteLength + (scale?.byteLength ?? 0) + levels;
}

/** @throws GraphError naming the constant */
export function checkConstant(name: string, constant: Constant): void {
  const fail = (what: string, expected: unknown, got: unknown): never => {
    throw new GraphError(`constant "${name}"`, what, expected, got);
  };
  const { shape } = constant;
  if (!Array.isArray(shape) || shape.length > 16 || !shape.every((d) => Number.isInteger(d) && d >= 0))
    fail("shape", "at most 16 sizes of 0 or more", shape);
  if (constant.kind === "plain") checkPlain(constant, fail);
  else checkQuantized(constant, fail);
}

type Fail = (what: string, expected: unknown, got: unknown) => never;

function checkPlain({ dtype, shape, data }: PlainConstant, fail: Fail): void {
  if (!Object.hasOwn(arrayOf, dtype)) fail("dtype", Object.keys(arrayOf), dtype);
  if (!(data instanceof arrayOf[dtype])) fail(`array of ${dtype}`, arrayOf[dtype].name, typeof data);
  if (data.length !== sizeOf(shape)) fail("elements", sizeOf(shape), data.length);
  if (dtype === "f32") {
    const at = (data as Float32Array).findIndex(Number.isNaN);
    if (at >= 0) fail("elements", "no NaN", `NaN at ${at}`);
  }
}

function checkQuantized(constant: QuantizedConstant, fail: Fail): void {
  const { shape, bits, codes, decoding, scale, scaleShape, groupSize } = constant;
  if (shape.length < 2 || shape.includes(0))
    fail("shape of a quantized constant", "two axes or more, none empty", shape);
  const least = decoding.kind === "hashed" ? 0 : 1;
  const most = decoding.kind === "hashed" ? 0 : 8;
  if (!(Number.isInteger(bits) && bits >= least && bits <= most)) fail("bits", `${least} to ${most}`, bits);
  const { n, k, codesPerRow, rowBytes } = matrixSize(constant);
  if ("dimension" in decoding && !(decoding.dimension >= 1 && Number.isInteger(k / decoding.dimension)))
    fail("dimension of the sub-vectors", `a divisor of ${k}`, decoding.dimension);
  if (decoding.kind === "additive" && !(Number.isInteger(decoding.count) && decoding.count >= 1))
    fail("codes of a sub-vector", "1 or more", decoding.count);
  if (!(codes instanceof Uint8Array)) fail("codes", "Uint8Array", typeof codes);
  if (codes.length !== n * rowBytes) fail("bytes of codes", n * rowBytes, codes.length);
  const groups = checkScale(n, k, scale, scaleShape, groupSize, fail);
  switch (decoding.kind) {
    case "sign":
      if (bits !== 1) fail("bits of a sign", 1, bits);
      break;
    case "affine": {
      const { zeroPoint } = decoding;
      const entries = typeof zeroPoint === "number" ? [zeroPoint] : zeroPoint;
      if (typeof zeroPoint !== "number" && zeroPoint.length !== (groups ?? 1))
        fail("zero points", groups ?? 1, zeroPoint.length);
      // Beyond a code's range plus one it is no zero point, and sums could leave 32 bits.
      for (const z of entries)
        if (!(Number.isInteger(z) && z >= -256 && z <= 256)) fail("zero point", "an integer of -256 to 256", z);
      break;
    }
    case "offset":
      checkFloats("offset", decoding.offset, groups ?? 1, fail);
      break;
    case "bases":
      checkFloats("coefficients", decoding.coefficients, (groups ?? 1) * bits, fail);
      break;
    case "hashed":
      checkFloats("values", decoding.values, undefined, fail);
      if (decoding.values.length >= 2 ** 22) fail("length of values", "below 4194304", decoding.values.length);
      if (!(Number.isInteger(decoding.seed) && decoding.seed >= 0 && decoding.seed < 2 ** 32))
        fail("seed", "an integer of 0 to 4294967295", decoding.seed);
      break;
    case "table":
    case "product":
    case "additive": {
      const { codebook } = decoding;
      if (!(codebook instanceof Float32Array)) fail("codebook", "Float32Array", typeof codebook);
      const width =
        decoding.kind === "table" ? 1 : decoding.dimension * (decoding.kind === "additive" ? decoding.count : 1);
      const entries = codebook.length / width;
      if (!(Number.isInteger(entries) && entries >= 1 && entries <= 2 ** bits))
        fail("codebook entries", `1 to ${2 ** bits}`, entries);
      // Only where a code could point past the end: one look at each.
      if (entries < 2 ** bits) {
        const highest = highestCode(codes, n, codesPerRow, rowBytes, bits);
        if (highest >= entries) fail("code (at most)", entries - 1, highest);
      }
      for (let i = 0; i < codebook.length; i++)
        if (!Number.isFinite(codebook[i])) fail("codebook", "finite numbers", codebook[i]);
      break;
    }
    default:
      fail(
        "decoding",
        "sign, affine, offset, bases, table, product, additive or hashed",
        (decoding as { kind: unknown }).kind,
      );
  }
}

/** @param length undefined: any but 0 */
function checkFloats(what: string, data: Float32Array, length: number | undefined, fail: Fail): void {
  if (!(data instanceof Float32Array)) fail(what, "Float32Array", typeof data);
  if (length === undefined ? data.length === 0 : data.length !== length)
    fail(`length of ${what}`, length ?? "1 or more", data.length);
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) fail(what, "finite numbers", data[i]);
}

/** @returns scales, or undefined where there are none */
function checkScale(
  n: number,
  k: number,
  scale: Float32Array | undefined,
  scaleShape: readonly [number, number] | undefined,
  groupSize: number | undefined,
  fail: Fail,
): number | undefined {
  if (scale === undefined) {
    if (scaleShape !== undefined) fail("scale", "one, as there is a scale shape", "none");
    return undefined;
  }
  if (!(scale instanceof Float32Array)) fail("scale", "Float32Array", typeof scale);
  const size = groupSize ?? k;
  if (!(Number.isInteger(size) && size >= 1)) fail("group size", "1 or more", size);
  const [rows, groups] = scaleShape ?? [n, Math.ceil(k / size)];
  if ((rows !== n && rows !== 1) || groups !== Math.ceil(k / size))
    fail("scale shape", `[${n} or 1, ${Math.ceil(k / size)}]`, scaleShape);
  if (scale.length !== rows * groups) fail("scales", rows * groups, scale.length);
  for (let i = 0; i < scale.length; i++) if (!Number.isFinite(scale[i])) fail("scale", "finite numbers", scale[i]);
  return scale.length;
}

function highestCode(codes: Uint8Array, n: number, perRow: number, rowBytes: number, bits: number): number {
  let highest = 0;
  for (let row = 0; row < n; row++)
    for (let i = 0; i < perRow; i++) highest = Math.max(highest, codeAt(codes, row * rowBytes, i, bits));
  return highest;
}

/** Code `i` of the row that starts at byte `start`: least significant bit first. */
export function codeAt(codes: Uint8Array, start: number, i: number, bits: number): number {
  const bit = i * bits;
  const at = start + (bit >>> 3);
  const pair = codes[at]! | ((codes[at + 1] ?? 0) << 8);
  return (pair >>> (bit & 7)) & ((1 << bits) - 1);
}
