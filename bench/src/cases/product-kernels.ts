/** The kernel object that a product's or a convolution's value kinds call for, made and run. */
import {
  AffineGemm,
  Columns,
  Convolution,
  DepthwiseAffine,
  DepthwiseF32,
  GemmF32,
  type KernelInstance,
  type KernelObject,
  type Output,
  TernaryGemm,
  XnorGemm,
} from "lowbit/kernels";
import type { Case, Kernels, Tensors } from "../case.ts";
import type { Prepared } from "../engine.ts";
import { type Conv, coldCopies, type Gemm } from "../task.ts";
import type { TypedArray, Values } from "../values.ts";
import { columns, rowLength, rows } from "./product.ts";

interface Running {
  run(x: number, rows: number, y: number): void;
  dispose(): void;
}
type Runs = KernelObject & Running;

const activations = { dtype: "int8", zeroPoint: 0 } as const;

/** Bits of a weight as a file keeps it, and what is added to make its code. */
const codes: Partial<Record<Values, readonly [bits: number, zeroPoint: number]>> = {
  trit: [2, 1],
  int2: [2, 2],
  int4: [4, 8],
  weight8: [8, 128],
};

/** Codes of `bits` bits (8, 4, 2 or 1), least significant first, each row of `k` on a new byte. */
export function packCodes(values: TypedArray, k: number, bits: number, code: (value: number) => number): Uint8Array {
  const rowBytes = Math.ceil((k * bits) / 8);
  const packed = new Uint8Array((values.length / k) * rowBytes);
  for (let row = 0, i = 0; i < values.length; row++)
    for (let j = 0; j < k; j++, i++)
      packed[row * rowBytes + ((j * bits) >> 3)]! |= code(values[i] as number) << ((j * bits) & 7);
  return packed;
}

/** Signs in runs of `channels` that each start a new 32-bit word; 1 stands for -1. */
export function packSignWords(values: TypedArray, channels: number): Uint32Array {
  const words = Math.ceil(channels / 32);
  const packed = new Uint32Array((values.length / channels) * words);
  for (let run = 0, i = 0; i < values.length; run++)
    for (let c = 0; c < channels; c++, i++)
      if ((values[i] as number) < 0) packed[run * words + (c >> 5)]! |= 1 << (c & 31);
  return packed;
}

function output(task: Gemm | Conv, { thresholds }: Tensors): Output {
  const n = columns(task);
  switch (task.y.kind) {
    case "int32":
      return { kind: "int32" };
    case "f32":
      return { kind: "f32", scale: new Float32Array(n).fill(1) };
    case "bits":
      return { kind: "bits", thresholds: thresholds as Int32Array };
    case "int8":
      return {
        ...{ kind: "int8", zeroPoint: 0, clamp: [-128, 127] },
        multiplier: new Float32Array(n).fill(1 / task.y.step),
      };
  }
}

/**
 * Packs the weights once and makes a product of them at every call, for a cold case wants many.
 * @throws Error where no family of ours takes these values
 */
function products(instance: KernelInstance, task: Gemm | Conv, tensors: Tensors): () => Runs {
  const [n, k] = [columns(task), rowLength(task)];
  const w = tensors.w as TypedArray;
  if (task.x === "f32" && task.w === "f32") return () => new GemmF32(instance, { n, k, weights: w as Float32Array });
  if (task.x === "sign" && task.w === "sign") {
    const taps = task.op === "conv" ? task.kernel[0] * task.kernel[1] : 1;
    const bits = packCodes(w, k, 1, (value) => (value < 0 ? 1 : 0));
    const options = { n, channels: k / taps, taps, codes: bits, output: output(task, tensors) };
    return () => new XnorGemm(instance, options);
  }
  const coded = codes[task.w];
  if (task.x !== "int8" || !coded) throw new Error(`no kernel for ${task.x} by ${task.w}`);
  const [bits, zeroPoint] = coded;
  const packed = packCodes(w, k, bits, (value) => value + zeroPoint);
  const options = { n, k, bits, codes: packed, zeroPoint, x: activations, output: output(task, tensors) };
  return () => (task.w === "trit" ? new TernaryGemm(instance, options) : new AffineGemm(instance, options));
}

/** The product in slices of its columns, which threads share out where there is but one row; as a model's dense layers are made. */
function sliced(instance: KernelInstance, task: Gemm, tensors: Tensors): () => Runs {
  const whole = products(instance, task, tensors);
  const probe = whole();
  const counts = instance.threads?.slices(task.n, probe.cost) ?? [];
  probe.dispose();
  if (counts.length <= 1) return whole;
  let first = 0;
  const slices = counts.map((count) => {
    const [from, to] = [first, first + count];
    first = to;
    const { thresholds } = tensors;
    const w = (tensors.w as TypedArray).subarray(from * task.k, to * task.k);
    const part = { w, ...(thresholds && { thresholds: thresholds.subarray(from, to) }) };
    return products(instance, { ...task, n: count }, part);
  });
  return () =>
    new Columns(
      instance,
      slices.map((make) => make()),
    );
}

function convolution(instance: KernelInstance, task: Conv, tensors: Tensors): Runs {
  const { height, width, kernel, stride, pads, channels, groups } = task;
  const window = { kernel, strides: [stride, stride], dilations: [1, 1], pads } as const;
  const input = [height, width] as const;
  if (groups === 1) {
    const padding = task.x === "sign" ? "zero bits" : 0;
    return new Convolution(instance, [products(instance, task, tensors)()], { input, window, padding });
  }
  if (groups !== channels) throw new Error(`no benchmark of ${groups} groups over ${channels} channels`);
  if (task.x === "f32")
    return new DepthwiseF32(instance, { input, window, channels, weights: tensors.w as Float32Array });
  return new DepthwiseAffine(instance, {
    ...{ input, window, channels, n: channels, k: rowLength(task), bits: 8, zeroPoint: 128 },
    codes: packCodes(tensors.w as TypedArray, rowLength(task), 8, (value) => value + 128),
    ...{ x: activations, output: output(task, tensors) },
  });
}

/** Bytes of a copy of the weights as our kernels hold them, about. */
const packedBytes = (task: Gemm): number =>
  (task.n * task.k * (task.w === "sign" ? 1 : task.w === "f32" ? 32 : (codes[task.w]?.[0] ?? 8))) / 8;

function resultArray(instance: KernelInstance, task: Gemm | Conv, y: number): TypedArray {
  const [m, n] = [rows(task), columns(task)];
  switch (task.y.kind) {
    case "int32":
      return instance.i32(y, m * n).slice();
    case "f32":
      return instance.f32(y, m * n).slice();
    case "int8":
      return instance.i8(y, m * n).slice();
    case "bits":
      return instance.u32(y, m * Math.ceil(n / 32)).slice();
  }
}

/** {@link Family.kernel} of every family whose task is a product or a convolution. */
export function productKernel({ instance }: Pick<Kernels, "instance">, of: Case, tensors: Tensors): Prepared {
  const task = of.task as Gemm | Conv;
  const x = tensors.x as TypedArray;
  const input = task.x === "sign" ? packSignWords(x, task.op === "conv" ? task.channels : task.k) : x;
  if (task.op === "conv") return running(instance, [convolution(instance, task, tensors)], task, input);
  const make = instance.threads ? sliced(instance, task, tensors) : products(instance, task, tensors);
  const copies = task.cold ? coldCopies(packedBytes(task)) : 1;
  return running(instance, Array.from({ length: copies }, make), task, input);
}

/** Runs the kernels in turn, one a run, over one input. */
export function running(
  instance: KernelInstance,
  kernels: readonly Running[],
  task: Gemm | Conv,
  input: TypedArray,
): Prepared {
  const outputBytes = rows(task) * columns(task) * 4;
  const [x, y] = [instance.upload(input), instance.alloc(outputBytes)];
  // A convolution counts images, a product rows.
  const batch = task.op === "conv" ? 1 : task.m;
  let next = 0;
  return {
    run() {
      kernels[next]!.run(x, batch, y);
      next = next + 1 === kernels.length ? 0 : next + 1;
    },
    answer: () => ({ kind: "exact", data: resultArray(instance, task, y) }),
    dispose() {
      for (const kernel of kernels) kernel.dispose();
      instance.free(x, input.byteLength);
      instance.free(y, outputBytes);
    },
  };
}
