/** A drawn problem: how a kernel computes it, and what plain arithmetic gives. */
import type { Window2d } from "../../src/graph/types.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import type { Output } from "../../src/kernels/output.ts";
import { roundTiesToEven } from "../../src/runtime/lower/requantize.ts";
import { packSigns } from "../kernels/random.ts";
import type { Draw } from "./draw.ts";

export type Values = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array | Int8Array | Uint16Array;

export interface Problem {
  /** What was drawn, for the message. */
  readonly text: string;
  /** The kernel's answer; every tier owes the same bits. */
  run(kernels: KernelInstance): Values;
  /** The answer of plain arithmetic; with a tolerance, to that relative difference, else bit for bit (a NaN is a NaN). */
  expected(): ArrayLike<number>;
  readonly tolerance?: number;
}

/** A family: draws one of its problems. */
export type Fuzzer = (draw: Draw) => Problem;

type Read = "f32" | "i32" | "u32" | "u8" | "i8";

/** Uploads `inputs`, lets `run` write `count` elements and reads them; all memory is given back. */
export function call<T extends Read>(
  kernels: KernelInstance,
  inputs: readonly ArrayBufferView[],
  read: T,
  count: number,
  run: (y: number, ...inputs: number[]) => void,
): ReturnType<KernelInstance[T]> {
  const pointers = inputs.map((data) => kernels.upload(data));
  const bytes = count * (read === "u8" || read === "i8" ? 1 : 4);
  const y = kernels.alloc(bytes);
  try {
    run(y, ...pointers);
    return kernels[read](y, count).slice() as ReturnType<KernelInstance[T]>;
  } finally {
    if (!kernels.ended) {
      pointers.forEach((pointer, i) => {
        kernels.free(pointer, inputs[i]!.byteLength);
      });
      kernels.free(y, bytes);
    }
  }
}

/** How an output is read: elements of `rows` rows, and their type. */
export function readOf(output: Output, rows: number, n: number): readonly [Read, number] {
  if (output.kind === "bits") return ["u32", rows * Math.ceil(n / 32)];
  if (output.kind === "int8") return [output.clamp[0] < 0 ? "i8" : "u8", rows * n];
  return [output.kind === "f32" ? "f32" : "i32", rows * n];
}

const { fround } = Math;
/** A NaN stays. */
export const between = (low: number, high: number, x: number): number => Math.min(high, Math.max(low, x));

/** The output transform by its definition. */
export function finish(sums: ArrayLike<number>, n: number, output: Output): ArrayLike<number> {
  const list = Array.from(sums);
  switch (output.kind) {
    case "int32":
      return list;
    case "f32": {
      const [low, high] = output.clamp!;
      return list.map((sum, i) =>
        fround(between(low, high, fround(fround(fround(sum) * output.scale[i % n]!) + output.bias![i % n]!))),
      );
    }
    case "int8":
      return list.map((sum, i) => {
        const scaled = fround(fround(sum + output.bias![i % n]!) * output.multiplier[i % n]!);
        return between(output.clamp[0], output.clamp[1], roundTiesToEven(scaled) + output.zeroPoint);
      });
    case "bits":
      return packSigns(
        list.map((sum, i) => (sum < output.thresholds[i % n]! ? -1 : 1)),
        n,
        false,
      );
  }
}

/** Output size of a window over an image. */
export const windowed = ([height, width]: readonly [number, number], w: Window2d): readonly [number, number] => {
  const along = (size: number, axis: 0 | 1) =>
    Math.floor(
      (size + w.pads[axis] + w.pads[axis + 2]! - (w.kernel[axis] - 1) * w.dilations[axis] - 1) / w.strides[axis],
    ) + 1;
  return [along(height, 0), along(width, 1)];
};

/** For every output pixel: its taps in order, as the pixel of the image or undefined where they lie outside. */
export function* pixels(input: readonly [number, number], w: Window2d): Generator<(number | undefined)[]> {
  const [rows, columns] = windowed(input, w);
  for (let oy = 0; oy < rows; oy++)
    for (let ox = 0; ox < columns; ox++) {
      const taps: (number | undefined)[] = [];
      for (let ky = 0; ky < w.kernel[0]; ky++)
        for (let kx = 0; kx < w.kernel[1]; kx++) {
          const iy = oy * w.strides[0] + ky * w.dilations[0] - w.pads[0];
          const ix = ox * w.strides[1] + kx * w.dilations[1] - w.pads[1];
          taps.push(iy >= 0 && iy < input[0] && ix >= 0 && ix < input[1] ? iy * input[1] + ix : undefined);
        }
      yield taps;
    }
}
