/** What goes into a model and comes out of it. */
import { DTypeError, ShapeError } from "./errors.ts";
import type { DataOf } from "./graph/types.ts";

/** Element types of tensors; bits and trits stay inside a model. */
export type TensorDType = keyof DataOf;

/** Backing array of each dtype: f16 is kept as its 16-bit pattern, bool as 0 / 1. */
export const arrayOf = {
  f32: Float32Array,
  f16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  f64: Float64Array,
  int16: Int16Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
} as const;

/** Bytes of one element. */
export const bytesOf = /* @__PURE__ */ Object.fromEntries(
  /* @__PURE__ */ Object.entries(arrayOf).map(([dtype, { BYTES_PER_ELEMENT }]) => [dtype, BYTES_PER_ELEMENT]),
) as Readonly<Record<TensorDType, 1 | 2 | 4 | 8>>;

/**
 * A dense array, row-major. It does not copy: `data` is the caller's.
 *
 * @example
 * const image = new Tensor("uint8", [1, 28, 28, 1], pixels);
 */
export class Tensor<D extends TensorDType = TensorDType> {
  readonly dtype: D;
  /** Sizes, outermost first; [] is one element. */
  readonly shape: readonly number[];
  readonly data: DataOf[D];

  /**
   * @param data one element per entry of the shape, in the array type of `dtype`; zeros where it is absent
   * @throws ShapeError, DTypeError
   */
  constructor(dtype: D, shape: readonly number[], data?: DataOf[D]) {
    const size = sizeOf(shape);
    if (!(Number.isSafeInteger(size) && shape.every((d) => Number.isInteger(d) && d >= 0)))
      throw new ShapeError("Tensor", "shape", "sizes of 0 or more", shape);
    const Data = arrayOf[dtype];
    if (!Data) throw new DTypeError("Tensor", "dtype", Object.keys(arrayOf).join(", "), dtype);
    data ??= new Data(size) as DataOf[D];
    if (!(data instanceof Data)) throw new DTypeError("Tensor", `array of ${dtype}`, Data.name, kindOf(data));
    if (data.length !== size) throw new ShapeError("Tensor", `elements of shape [${shape}]`, size, data.length);
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  /** Elements. */
  get size(): number {
    return this.data.length;
  }
}

/** Elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Name of an array's constructor, for messages. */
export const kindOf = (value: unknown): string =>
  typeof value === "object" && value !== null ? (value.constructor?.name ?? "object") : typeof value;

/**
 * The number that a half-precision pattern stands for; exact.
 * @param bits 0..0xffff: sign, 5 bits of exponent (bias 15), 10 of fraction
 */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * powerOfTwo(-24);
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + fraction) * powerOfTwo(exponent - 25);
}

/** Exact for whole exponents, in every engine: it is the bit pattern itself. */
const words = new DataView(new ArrayBuffer(4));
function powerOfTwo(exponent: number): number {
  words.setUint32(0, (exponent + 127) << 23);
  return words.getFloat32(0);
}

/** The half-precision pattern nearest to `value`, ties to even; NaN becomes 0x7e00. */
export function toHalf(value: number): number {
  words.setFloat32(0, value);
  const single = words.getUint32(0);
  const sign = (single >>> 16) & 0x8000;
  const magnitude = single & 0x7fffffff;
  if (magnitude > 0x7f800000) return 0x7e00;
  // From 65520 on, the nearest is infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: multiples of 2^-24. Adding 0.5 makes the adder round at that place.
    words.setFloat32(0, Math.fround(Math.abs(words.getFloat32(0)) + 0.5));
    return sign | (words.getUint32(0) - 0x3f000000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}
