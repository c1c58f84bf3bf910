import type { Constant, DataOf, PlainConstant } from "lowbit";

/** A plain f32 constant. */
export function floats(shape: readonly number[], data: Float32Array | readonly number[]): PlainConstant {
  return { kind: "plain", dtype: "f32", shape, data: data instanceof Float32Array ? data : Float32Array.from(data) };
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Row-major strides in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** A backing array of the same kind, with room for `length` elements. */
export function sameKind<T extends DataOf[keyof DataOf]>(data: T, length: number): T {
  return new (data.constructor as new (length: number) => T)(length);
}

/**
 * Elements as JavaScript numbers; int64 beyond 2^53 is refused, f16 is widened by the reader and does not arrive here.
 */
export function numberAt(constant: PlainConstant, index: number): number {
  return Number(constant.data[index]);
}

/** All elements of a small constant (shapes, axes, pads). */
export function numbersOf(constant: PlainConstant): number[] {
  return Array.from(constant.data as ArrayLike<number | bigint>, Number);
}

/** Row offsets of the source in the order in which the transposed tensor visits them. */
export function transposedIndex(shape: readonly number[], permutation: readonly number[]): Uint32Array {
  const strides = stridesOf(shape);
  const outShape = permutation.map((axis) => shape[axis]!);
  const steps = permutation.map((axis) => strides[axis]!);
  const order = new Uint32Array(elementCount(shape));
  // Runs along the last axis, in a loop of their own: what opening a file takes is for a good part this.
  const [run = 1, step = 0] = [outShape.at(-1), steps.at(-1)];
  const position = new Array<number>(shape.length).fill(0);
  let source = 0;
  for (let target = 0; target < order.length; ) {
    for (let i = 0; i < run; i++) order[target++] = source + i * step;
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      source += steps[axis]!;
      if (++position[axis]! < outShape[axis]!) break;
      source -= steps[axis]! * outShape[axis]!;
      position[axis] = 0;
    }
  }
  return order;
}

/** The constant with axis i of the result being axis permutation[i] of the source, as ONNX and numpy have it. */
export function transposed(constant: PlainConstant, permutation: readonly number[]): PlainConstant {
  if (permutation.length === 2 && permutation[0] === 1) return transposedMatrix(constant);
  const order = transposedIndex(constant.shape, permutation);
  const data = sameKind(constant.data, order.length);
  for (let i = 0; i < order.length; i++) data[i] = constant.data[order[i]!]!;
  return { ...constant, shape: permutation.map((axis) => constant.shape[axis]!), data };
}

/** The commonest case, a dense layer's weights, without an index array of the same size. */
function transposedMatrix(constant: PlainConstant): PlainConstant {
  const [rows, columns] = constant.shape as readonly [number, number];
  const source = constant.data;
  const data = sameKind(source, source.length);
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) data[column * rows + row] = source[row * columns + column]!;
  }
  return { ...constant, shape: [columns, rows], data };
}

/** Same elements under another shape. */
export function reshaped(constant: PlainConstant, shape: readonly number[]): PlainConstant {
  return { ...constant, shape };
}

export function isFloat(constant: Constant | undefined): constant is PlainConstant & { readonly data: Float32Array } {
  return constant?.kind === "plain" && constant.dtype === "f32";
}

/** numpy's broadcast of two shapes; undefined where they do not fit. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const x = a[a.length - rank + axis] ?? 1;
    const y = b[b.length - rank + axis] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    shape.push(x === 1 ? y : x);
  }
  return shape;
}

/** Element-wise a op b with broadcasting, every result rounded to f32. */
export function combine(
  a: PlainConstant,
  b: PlainConstant,
  operation: (x: number, y: number) => number,
): PlainConstant | undefined {
  const shape = broadcastShape(a.shape, b.shape);
  if (shape === undefined || a.dtype !== b.dtype) return undefined;
  const indexA = broadcastIndex(a.shape, shape);
  const indexB = broadcastIndex(b.shape, shape);
  const out = sameKind(a.data, elementCount(shape));
  const big = out instanceof BigInt64Array || out instanceof BigUint64Array;
  for (let i = 0; i < out.length; i++) {
    const value = operation(Number(a.data[indexA(i)]), Number(b.data[indexB(i)]));
    out[i] = big ? BigInt(Math.trunc(value)) : value;
  }
  return { ...a, shape, data: out };
}

/** Maps a flat index of the broadcast result to a flat index of the operand. */
export function broadcastIndex(operand: readonly number[], result: readonly number[]): (flat: number) => number {
  if (elementCount(operand) === elementCount(result)) return (flat) => flat;
  const strides = stridesOf(operand);
  const resultStrides = stridesOf(result);
  const offset = result.length - operand.length;
  return (flat) => {
    let index = 0;
    for (let axis = offset; axis < result.length; axis++) {
      if (operand[axis - offset] === 1) continue;
      index += (Math.floor(flat / resultStrides[axis]!) % result[axis]!) * strides[axis - offset]!;
    }
    return index;
  };
}

/** Channels for which one number is written out as many: a file may announce any size. */
const MOST_CHANNELS = 2 ** 18;

/**
 * The constant as one number per entry of the last axis (`channels` of them), where it is a scalar or varies along that
 * axis only; otherwise undefined. `rank` is that of the value it is combined with.
 */
export function perChannel(constant: Constant | undefined, channels: number, rank: number): Float32Array | undefined {
  if (!isFloat(constant)) return undefined;
  const { shape, data } = constant;
  if (shape.length > rank || channels > MOST_CHANNELS) return undefined;
  if (data.length === 1) return new Float32Array(channels).fill(data[0]!);
  return shape.at(-1) === channels && data.length === channels ? data : undefined;
}
