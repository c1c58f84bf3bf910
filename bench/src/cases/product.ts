/** Matrix products and convolutions: their tensors, naive sums and results, for every family that is made of them. */
import type { Case, Tensors } from "../case.ts";
import { type Conv, type Gemm, outputSize, type Result, samePads } from "../task.ts";
import { draw, type TypedArray, type Values } from "../values.ts";

/** Seeds are one per case, so that cases share no data: FNV-1a of the id, 32 bits. */
export function seedOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Standard deviation of a value, for the step of int8 results. */
const deviation: Record<Values, number> = {
  sign: 1,
  trit: 0.8,
  int2: 1.1,
  int4: 4.6,
  int8: 74,
  uint8: 74,
  weight8: 74,
  odd2: 2.2,
  odd3: 4.6,
  f32: 0.58,
};

/** A power of two: four standard deviations of the sum reach the end of int8. */
export const stepFor = (x: Values, w: Values, k: number): number =>
  2 ** Math.ceil(Math.log2((deviation[x] * deviation[w] * Math.sqrt(k)) / 32));

interface Types {
  readonly x: Values;
  readonly w: Values;
  readonly y: Result["kind"];
}

const result = ({ x, w, y }: Types, k: number): Result =>
  y === "int8" ? { kind: "int8", step: stepFor(x, w, k) } : { kind: y };

/** `shapes`: MxNxK; those with `!` are part of `--quick`. */
export function gemmCases(family: string, types: Types & { cold?: true; wBits?: number }, shapes: readonly string[]) {
  return shapes.map((entry): Case & { task: Gemm } => {
    const shape = entry.replace("!", "");
    const [m = 0, n = 0, k = 0] = shape.split("x").map(Number);
    const { x, w, cold, wBits } = types;
    const id = `${family}/${shape}`;
    const task: Gemm = { op: "gemm", m, n, k, x, w, y: result(types, k), ...(cold && { cold }) };
    return {
      ...{ id, family, shape, task, seed: seedOf(id), checksum: undefined, quick: entry.endsWith("!") },
      work: { amount: m * n * k, unit: "MAC" },
      ...(cold && { coldBytes: (n * k * (wBits ?? 32)) / 8 }),
    };
  });
}

/** `shapes`: HxWxC-kRxS-O; those with `!` are part of `--quick`. */
export function convCases(
  family: string,
  types: Types & { depthwise?: true; stride?: number },
  shapes: readonly string[],
) {
  return shapes.map((entry): Case & { task: Conv } => {
    const shape = entry.replace("!", "");
    const match = /^(\d+)x(\d+)x(\d+)-k(\d+)x(\d+)-(\d+)$/.exec(shape);
    if (!match) throw new Error(`${family}: shape ${shape}, expected HxWxC-kRxS-O`);
    const [height = 0, width = 0, channels = 0, kh = 0, kw = 0, outputs = 0] = match.slice(1, 7).map(Number);
    const { stride = 1 } = types;
    const groups = types.depthwise ? channels : 1;
    const k = (kh * kw * channels) / groups;
    const id = `${family}/${shape}`;
    const pads = samePads([height, width], [kh, kw], stride);
    const { x, w } = types;
    const task: Conv = {
      ...{ op: "conv", height, width, channels, kernel: [kh, kw], outputs, stride, groups, pads, x, w },
      y: result(types, k),
    };
    const [h, v] = outputSize(task);
    return {
      ...{ id, family, shape, task, seed: seedOf(id), checksum: undefined, quick: entry.endsWith("!") },
      work: { amount: h * v * outputs * k, unit: "MAC" },
    };
  });
}

const productTask = (of: Case): Gemm | Conv => {
  if (of.task.op !== "gemm" && of.task.op !== "conv") throw new Error(`${of.id}: not a product`);
  return of.task;
};

/** Elements of one row of w: k of a product, taps * channels of a group of a convolution. */
export const rowLength = (task: Gemm | Conv): number =>
  task.op === "gemm" ? task.k : (task.kernel[0] * task.kernel[1] * task.channels) / task.groups;

/** Rows of w, which are the columns of y. */
export const columns = (task: Gemm | Conv): number => (task.op === "gemm" ? task.n : task.outputs);

/** Rows of y: m of a product, output pixels of a convolution. */
export function rows(task: Gemm | Conv): number {
  if (task.op === "gemm") return task.m;
  const [height, width] = outputSize(task);
  return height * width;
}

export const productOutputs = (of: Case): number => rows(productTask(of)) * columns(productTask(of));

/** Streams: 0 is x, 1 is w, 2 the thresholds, which lie within about one standard deviation of the sums. */
export function productTensors(of: Case): Tensors {
  const task = productTask(of);
  const inputs = task.op === "gemm" ? task.m * task.k : task.height * task.width * task.channels;
  const x = draw(task.x, inputs, of.seed, 0);
  const w = draw(task.w, columns(task) * rowLength(task), of.seed, 1);
  if (task.y.kind !== "bits") return { x, w };
  const spread = Math.max(1, Math.round(128 / (deviation[task.x] * deviation[task.w] * Math.sqrt(rowLength(task)))));
  return { x, w, thresholds: Int32Array.from(draw("int8", columns(task), of.seed, 2), (t) => Math.trunc(t / spread)) };
}

/** Sums of a product or a convolution; of f32 values every product and every addition is rounded to f32. */
export function productSums(of: Case, { x, w }: Tensors, positions?: readonly number[]): Float64Array {
  const task = productTask(of);
  const dot = task.x === "f32" || task.w === "f32" ? dotF32 : dotInteger;
  const n = columns(task);
  const k = rowLength(task);
  const count = positions?.length ?? rows(task) * n;
  const sums = new Float64Array(count);
  const row = task.op === "gemm" ? undefined : window(task, x as TypedArray);
  for (let i = 0; i < count; i++) {
    const position = positions?.[i] ?? i;
    const [pixel, column] = [Math.floor(position / n), position % n];
    sums[i] = row
      ? dot(row(pixel, Math.floor(column / (n / (task as Conv).groups))), 0, w as TypedArray, column * k, k)
      : dot(x as TypedArray, pixel * k, w as TypedArray, column * k, k);
  }
  return sums;
}

function dotInteger(a: TypedArray, i: number, b: TypedArray, j: number, k: number): number {
  let sum = 0;
  for (let l = 0; l < k; l++) sum = (sum + (a[i + l] as number) * (b[j + l] as number)) | 0;
  return sum;
}

function dotF32(a: TypedArray, i: number, b: TypedArray, j: number, k: number): number {
  let sum = 0;
  for (let l = 0; l < k; l++) sum = Math.fround(sum + Math.fround((a[i + l] as number) * (b[j + l] as number)));
  return sum;
}

/** The taps of an output pixel in a group, in the order of a row of w; taps outside the image are 0. The last one made is kept. */
function window(task: Conv, x: TypedArray): (pixel: number, group: number) => TypedArray {
  const { height, width, channels, kernel, stride, groups, pads } = task;
  const [, outWidth] = outputSize(task);
  const each = channels / groups;
  const taps = new (x.constructor as Float32ArrayConstructor)(kernel[0] * kernel[1] * each) as TypedArray;
  let [lastPixel, lastGroup] = [-1, -1];
  return (pixel, group) => {
    if (pixel === lastPixel && group === lastGroup) return taps;
    [lastPixel, lastGroup] = [pixel, group];
    const [top, left] = [Math.floor(pixel / outWidth) * stride - pads[0], (pixel % outWidth) * stride - pads[1]];
    for (let r = 0, at = 0; r < kernel[0]; r++)
      for (let s = 0; s < kernel[1]; s++, at += each) {
        const inside = top + r >= 0 && top + r < height && left + s >= 0 && left + s < width;
        const from = ((top + r) * width + left + s) * channels + group * each;
        for (let c = 0; c < each; c++) taps[at + c] = inside ? (x[from + c] as number) : 0;
      }
    return taps;
  };
}

/** As {@link Result} says. */
export function productResult(of: Case, { thresholds }: Tensors, sums: Float64Array): TypedArray {
  const task = productTask(of);
  switch (task.y.kind) {
    case "int32":
      return Int32Array.from(sums);
    case "f32":
      return Float32Array.from(sums);
    case "int8": {
      const multiplier = Math.fround(1 / task.y.step);
      return Int8Array.from(sums, (sum) => {
        const real = Math.fround(Math.fround(sum) * multiplier);
        return Math.max(-128, Math.min(127, roundTiesToEven(real)));
      });
    }
    case "bits": {
      const n = columns(task);
      const words = Math.ceil(n / 32);
      const bits = new Uint32Array((sums.length / n) * words);
      sums.forEach((sum, i) => {
        const [row, column] = [Math.floor(i / n), i % n];
        if (sum < (thresholds as Int32Array)[column]!) bits[row * words + (column >> 5)]! |= 1 << (column & 31);
      });
      return bits;
    }
  }
}

const roundTiesToEven = (value: number): number => {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
};
