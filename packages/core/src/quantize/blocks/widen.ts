/** Floats of files as f32. */
import { ShapeError } from "../../errors.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { innerLoops } from "../engine.ts";
import { type StoredFloat, storedBytes } from "./stored.ts";

export type { StoredFloat } from "./stored.ts";

/** Bytes that are taken into the kernels' memory at a time, which never shrinks. */
const PART = 2 ** 24;

/**
 * Floats of another width as f32: each exactly, but for f64, which is rounded to nearest, ties to even. NaNs stay NaNs.
 * @param bytes little-endian elements
 * @throws ShapeError where the bytes are no whole number of elements
 */
export async function widenFloats(
  bytes: Uint8Array,
  stored: StoredFloat,
  kernels?: KernelInstance,
): Promise<Float32Array<ArrayBuffer>> {
  const size = storedBytes[stored];
  if (bytes.length % size !== 0)
    throw new ShapeError(`widenFloats ${stored}`, "bytes", `a multiple of ${size}`, bytes.length);
  const loops = await innerLoops(kernels);
  const floats = new Float32Array(bytes.length / size);
  for (let from = 0; from < bytes.length; from += PART)
    floats.set(loops.widen(stored, bytes.subarray(from, from + PART)), from / size);
  return floats;
}
