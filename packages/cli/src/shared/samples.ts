/**
 * From an array in a file to what a model takes: axis 0 is samples, the rest is reshaped where sizes agree, elements are
 * converted where nothing is lost, and a model of fixed batch is fed slice by slice.
 */

import {
  arrayOf,
  type Dim,
  type DType,
  DTypeError,
  OutOfRangeError,
  ShapeError,
  Tensor,
  type TensorDType,
} from "lowbit";

/** What is known of a model's input before it runs. */
export interface InputInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

export interface Samples {
  readonly count: number;
  /** Samples that the model takes at once: exactly that many, or any number where it is undefined. */
  readonly fixedBatch: number | undefined;
  /** The tensor of samples `from` until `from + count`, filled up with zeros to the fixed batch where the last ones do not fill it. */
  take(from: number, count: number): Tensor;
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
const allKnown = (shape: readonly Dim[]): shape is readonly number[] => shape.every((d) => typeof d === "number");

/**
 * Fits `x` to an input.
 * @throws ShapeError where a sample's elements do not fill the input, DTypeError or OutOfRangeError where an element has no exact counterpart
 */
export function fitSamples(x: Tensor, input: InputInfo): Samples {
  const count = x.shape[0] ?? 0;
  if (count === 0)
    throw new ShapeError("samples", `axis 0 of the array for input "${input.name}"`, "1 or more samples", x.shape);
  const size = x.data.length / count;
  const { shapeOf, fixedBatch } = layOut(x, size, input);
  return {
    count,
    fixedBatch,
    take(from, wanted) {
      const rows = fixedBatch ?? wanted;
      const end = Math.min(from + wanted, count);
      const chunk = convert(x.data.subarray(from * size, end * size), x.dtype, input);
      const shape = shapeOf(rows);
      if (end - from === rows) return new Tensor(chunk.dtype, shape, chunk.data);
      const padded = new Tensor(chunk.dtype, shape);
      // Both arrays have the element type of the same dtype; TypeScript cannot see that through the union.
      (padded.data as Float32Array).set(chunk.data as Float32Array);
      return padded;
    },
  };
}

interface Layout {
  /** Shape of that many samples. */
  readonly shapeOf: (rows: number) => readonly number[];
  readonly fixedBatch: number | undefined;
}

function layOut(x: Tensor, size: number, input: InputInfo): Layout {
  const [batch, ...rest] = input.shape;
  const fixedBatch = typeof batch === "number" ? batch : undefined;
  const refuse = () => {
    const wanted = allKnown(rest) ? ` (${product(rest)} values)` : "";
    return new ShapeError(
      "samples",
      `shape of a sample for input "${input.name}"`,
      `[${rest.join(", ")}]${wanted}`,
      `[${x.shape.slice(1).join(", ")}] (${size} values)`,
    );
  };
  if (!allKnown(rest)) {
    // A size known only at run time can be any: the array's own shape must fit around it.
    const own = x.shape.slice(1);
    if (own.length !== rest.length || own.some((d, i) => typeof rest[i] === "number" && rest[i] !== d)) throw refuse();
    return { shapeOf: (rows) => [rows, ...own], fixedBatch };
  }
  if (product(rest) === size) return { shapeOf: (rows) => [rows, ...rest], fixedBatch };
  // A model without a batch axis takes one sample at a time.
  const whole = input.shape;
  if (allKnown(whole) && product(whole) === size) return { shapeOf: () => whole, fixedBatch: 1 };
  throw refuse();
}

/** Inclusive ranges of the integer types that are backed by numbers. */
const RANGES: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  bool: [0, 1],
};

/**
 * The array as it is, in the input's element type.
 * @throws DTypeError or OutOfRangeError where an element has no exact counterpart
 */
export function convertTensor(x: Tensor, input: InputInfo): Tensor {
  const { dtype, data } = convert(x.data, x.dtype, input);
  return new Tensor(dtype, x.shape, data);
}

/** Elements in the input's type, where every one of them has an exact counterpart there (to f32: the nearest). */
function convert(
  data: Tensor["data"],
  from: TensorDType,
  input: InputInfo,
): { dtype: TensorDType; data: Tensor["data"] } {
  const to = input.dtype;
  if (from === to) return { dtype: to, data };
  if (to === "bit" || to === "trit" || to === "f16" || to === "int64" || to === "uint64" || from === "f16")
    throw new DTypeError("samples", `element type for input "${input.name}"`, to, from);
  const numbers =
    data instanceof BigInt64Array || data instanceof BigUint64Array ? Float64Array.from(data, Number) : data;
  if (to === "f32" || to === "f64") return { dtype: to, data: new arrayOf[to](numbers) };
  const [low, high] = RANGES[to] ?? [0, 0];
  for (const value of numbers)
    if (!(value >= low && value <= high && Number.isInteger(value)))
      throw new OutOfRangeError(
        "samples",
        `values for input "${input.name}" of ${to}`,
        `integers ${low} to ${high}`,
        value,
      );
  return { dtype: to, data: new arrayOf[to](numbers) };
}
