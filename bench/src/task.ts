/** What a case asks for, without saying how: every engine reads the same description and the same tensors. */
import type { Values } from "./values.ts";

/**
 * What the sums of a product become, and with it the type of an exact answer.
 * - `int32`: the sums
 * - `f32`: the sums as f32. Of float tensors they are one chain over ascending k, every product and sum rounded
 * - `int8`: clamp(roundTiesToEven(fround(fround(sum) * (1 / step))), -128, 127), step a power of two, so one unit of y stands for `step` of the sum
 * - `bits`: bit n of a row is sum < thresholds[n], least significant bit first in little-endian 32-bit words, each row on a new word
 */
export type Result =
  | { readonly kind: "int32" }
  | { readonly kind: "f32" }
  | { readonly kind: "int8"; readonly step: number }
  | { readonly kind: "bits" };

/**
 * y[m, n] = result(sum over k of x[m, k] * w[n, k]).
 * Tensors: `x` [m, k], `w` [n, k], and `thresholds` int32 [n] where the result is bits.
 */
export interface Gemm {
  readonly op: "gemm";
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly x: Values;
  readonly w: Values;
  readonly y: Result;
  /** Every run reads other weights: {@link coldCopies} of them in turn, as the layers of a network are walked. */
  readonly cold?: true;
}

/**
 * A convolution of one NHWC image: y[h', w', o] = result(sum over kh, kw, c of x * w). A tap outside the image counts 0.
 * Tensors: `x` [height, width, channels], `w` [outputs, kh, kw, channels / groups], `thresholds` int32 [outputs] for bits.
 * Depthwise: groups = channels = outputs.
 */
export interface Conv {
  readonly op: "conv";
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly kernel: readonly [height: number, width: number];
  readonly outputs: number;
  readonly stride: number;
  readonly groups: number;
  /** As TensorFlow's SAME makes them. */
  readonly pads: readonly [top: number, left: number, bottom: number, right: number];
  readonly x: Values;
  readonly w: Values;
  readonly y: Result;
}

/** A whole network; `net` names it, the family that owns it knows the rest. Tensors: as that family documents. */
export interface Network {
  readonly op: "network";
  readonly net: string;
  /** Of the input image. */
  readonly input: readonly [height: number, width: number, channels: number];
  /** Channels between the layers are this much of the published ones: 1, but in tests. */
  readonly width: number;
}

/**
 * For each query the `top` best of `rows` codes, smallest score first, ties to the lowest id. The exact answer is their ids, int32 [queries, top].
 * - `pq8`, `pq4`: a code is [parts] centroids of 256 or 16; its score is the sum of its entries in the query's `tables`, f32 [queries, parts, 256 or 16].
 *   Tensors: `codes` uint8 [rows, parts], `tables`
 * - `hamming`: a code is [parts] bits in whole 32-bit words; its score is the number of bits that differ from the query's.
 *   Tensors: `codes` uint8 [rows, bytes], `queries` uint8 [queries, bytes]
 */
export interface Scan {
  readonly op: "scan";
  readonly codes: "pq8" | "pq4" | "hamming";
  readonly queries: number;
  readonly rows: number;
  readonly parts: number;
  readonly top: number;
}

/**
 * For each of `vectors` the index of the nearest of `centroids`: of the least ((0 + (x_0 - c_0)²) + (x_1 - c_1)²) + ..., every step rounded to f32, ties to the
 * lowest. The exact answer is uint32 [vectors]. Tensors: `x` f32 [vectors, dimension], `centroids` f32 [centroids, dimension]
 */
export interface Assign {
  readonly op: "assign";
  readonly vectors: number;
  readonly centroids: number;
  readonly dimension: number;
}

/** Searches are not products: most runtimes have none. */
export const isSearch = (task: Task): task is Scan | Assign => task.op === "scan" || task.op === "assign";

export type Task = Gemm | Conv | Network | Scan | Assign;

/** Bytes of weights that no cache of a machine of today holds. */
export const COLD_BYTES = 64 * 2 ** 20;

/** How many copies of weights of so many bytes a cold task rotates over: more than {@link COLD_BYTES} of them. */
export const coldCopies = (bytes: number): number => Math.floor(COLD_BYTES / bytes) + 1;

/** Height and width of a convolution's output. */
export function outputSize({ height, width, kernel, stride, pads }: Conv): [height: number, width: number] {
  const along = (size: number, kernel: number, before: number, after: number) =>
    Math.floor((size + before + after - kernel) / stride) + 1;
  return [along(height, kernel[0], pads[0], pads[2]), along(width, kernel[1], pads[1], pads[3])];
}

/** Pads [top, left, bottom, right] of TensorFlow's SAME: the output has ceil(size / stride), the surplus is at the end. */
export function samePads(
  [height, width]: readonly [number, number],
  kernel: readonly [number, number],
  stride: number,
): Conv["pads"] {
  const total = (size: number, kernel: number) => Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
  const [vertical, horizontal] = [total(height, kernel[0]), total(width, kernel[1])];
  const [top, left] = [vertical >> 1, horizontal >> 1];
  return [top, left, vertical - top, horizontal - left];
}
