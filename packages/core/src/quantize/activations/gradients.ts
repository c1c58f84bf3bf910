/** What flows back through clipped quantizers of activations. */
import { ShapeError } from "../../errors.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { innerLoops } from "../engine.ts";
import type { Clip, ClipGradients } from "../inner.ts";

/**
 * Straight through inside, nothing outside: ∂L/∂x = ∂L/∂x̂ where low < x < high, else 0. With [0, 1] DoReFa's and WRPN's, with [0, q_max] HWGQ's clipped ReLU, with
 * [-1, 1] that of a sign (BNN), in whose papers the ends themselves may belong to the inside.
 *
 * @param x what was quantized
 * @param gradient ∂L/∂x̂, as many
 * @throws ShapeError
 */
export async function clippedGradients(
  x: Float32Array,
  gradient: Float32Array,
  low: number,
  high: number,
  kernels?: KernelInstance,
): Promise<Float32Array> {
  return (await clip("clippedGradients", x, gradient, { low, high, step: 1 }, kernels)).dx;
}

/** The same with the sums that gradients of parameters are made of. */
export async function clip(
  op: string,
  x: Float32Array,
  gradient: Float32Array,
  ends: Clip,
  kernels: KernelInstance | undefined,
): Promise<ClipGradients> {
  if (x.length !== gradient.length) throw new ShapeError(op, "length of the gradient", x.length, gradient.length);
  return (await innerLoops(kernels)).clipGradients(x, gradient, ends);
}
