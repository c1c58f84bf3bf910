/** Between numbers and packed signs, along the last axis; see crates/kernels/src/bitpack. Every function takes pointers. */
import type { Window2d } from "../graph/types.ts";
import { writeWindow } from "./convolution.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

/** Bits: x < 0, so -0 and NaN are +1. @param x f32 [rows, channels] @param y u32 [rows, ceil(channels / 32)] */
export function packSigns(instance: KernelInstance, x: number, rows: number, channels: number, y: number): void {
  instance.check(instance.exports.bitpack_signs(x, y, rows, channels));
}

/**
 * Trits: ±0 and NaN are 0, as ONNX `Sign` has it.
 * @param x f32 [rows, channels]
 * @param y u32 [rows, 2 * ceil(channels / 32)]; where no value is 0, its first half holds **bits** [rows, ceil(channels / 32)] instead
 * @returns how many values are 0
 */
export function packTrits(instance: KernelInstance, x: number, rows: number, channels: number, y: number): number {
  return instance.check(instance.exports.bitpack_trits(x, y, rows, channels));
}

/**
 * Bits: x < zeroPoint.
 * @param x int8 or uint8 [rows, channels] @param y u32 [rows, ceil(channels / 32)]
 * @throws OutOfRangeError where the zero point is not a value of the dtype
 */
export function packSignsInt8(
  instance: KernelInstance,
  x: number,
  rows: number,
  channels: number,
  y: number,
  { dtype, zeroPoint }: { readonly dtype: "int8" | "uint8"; readonly zeroPoint: number },
): void {
  instance.check(instance.exports.bitpack_signs_int8(x, y, rows, channels, zeroPoint, dtype === "uint8" ? 1 : 0));
}

/**
 * Planes of unsigned codes, for `MultibitGemm`: a value of plane j is +1 where bit j of the code is set, so code = (2^bits - 1) / 2 + sum of 2^(j - 1) a_j.
 * Higher bits are ignored.
 * @param x uint8 [rows, channels], a code to a byte @param y u32 [rows, bits, ceil(channels / 32)]
 * @throws OutOfRangeError where bits are not 1..8
 */
export function packPlanes(
  instance: KernelInstance,
  x: number,
  rows: number,
  channels: number,
  bits: number,
  y: number,
): void {
  instance.check(instance.exports.bitpack_planes(x, y, rows, channels, bits));
}

/** -1 or +1. @param x u32 [rows, ceil(channels / 32)] @param y f32 [rows, channels] */
export function unpackSigns(instance: KernelInstance, x: number, rows: number, channels: number, y: number): void {
  instance.check(instance.exports.bitpack_unpack_signs(x, y, rows, channels));
}

/** -1, 0 or +1. @param x u32 [rows, 2 * ceil(channels / 32)], each row sign words then non-zero words @param y f32 [rows, channels] */
export function unpackTrits(instance: KernelInstance, x: number, rows: number, channels: number, y: number): void {
  instance.check(instance.exports.bitpack_unpack_trits(x, y, rows, channels));
}

export interface BitMaxPoolOptions {
  /** [height, width] of an image. */
  readonly input: readonly [height: number, width: number];
  readonly channels: number;
  readonly window: Window2d;
}

/** The largest of ±1 over a window: -1 where all taps inside the image are. */
export class BitMaxPool extends KernelObject {
  /** @throws OutOfRangeError for an impossible window, or one that lies wholly in the padding */
  constructor(instance: KernelInstance, { input, channels, window }: BitMaxPoolOptions) {
    const parameters = writeWindow(new Parameters(instance), input, window).i32(channels);
    super(instance, parameters.call(instance.exports.bitpack_max_pool_new));
  }

  /** @param x u32 bits [batch, h, w, channels] @param y u32 bits [batch, h', w', channels] */
  run(x: number, batch: number, y: number): void {
    this.instance.check(this.instance.exports.bitpack_max_pool_run(this.handle, x, y, batch));
  }
}
