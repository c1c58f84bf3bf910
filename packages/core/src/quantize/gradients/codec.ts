/** `gradientCodec`: one worker's end of the wire. */
import { kernelGradientLoops } from "../../kernels/gradients.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { kernelsOf } from "../engine.ts";
import { Random } from "../random.ts";
import { checkGradient, type GradientQuantizer, GradientState } from "./types.ts";

export interface GradientOptions {
  /** 32-bit seed of what is drawn at random; another one for each worker. Default 0. */
  readonly seed?: number;
  /** The WASM instance to run on; absent: one of this package's own, shared by all such calls. */
  readonly kernels?: KernelInstance;
}

/** Encodes the gradients of one worker, in order, and decodes anyone's. */
export class GradientCodec {
  readonly quantizer: GradientQuantizer;
  readonly #state: GradientState;

  constructor(quantizer: GradientQuantizer, state: GradientState) {
    this.quantizer = quantizer;
    this.#state = state;
  }

  /** What earlier messages have lost and later ones will say; undefined without feedback. A view: not to be written to. */
  get residual(): Float32Array | undefined {
    return this.#state.residual;
  }

  /**
   * Bytes of `gradient`, and of what is left of earlier ones. The same seed and gradients give the same bytes in every engine and tier.
   * @throws NotFiniteError, ShapeError (no number, or another length than before with feedback), OutOfRangeError (beyond f32)
   */
  encode(gradient: Float32Array): Uint8Array {
    checkGradient(`encode ${this.quantizer.scheme}`, gradient, this.#state.loops);
    return this.quantizer.encode(gradient, this.#state);
  }

  /** The vector that a message of the same method stands for. @throws WireError */
  decode(bytes: Uint8Array): Float32Array {
    return this.quantizer.decode(bytes, this.#state.loops);
  }
}

/**
 * A codec with a residual and a seed of its own.
 *
 * ```ts
 * const worker = await gradientCodec(qsgd({ levels: 4 }), { seed: 7 });
 * const bytes = worker.encode(gradient);
 * const received = worker.decode(bytes);
 * ```
 */
export async function gradientCodec(
  quantizer: GradientQuantizer,
  { seed = 0, kernels }: GradientOptions = {},
): Promise<GradientCodec> {
  const loops = kernelGradientLoops(await kernelsOf(kernels));
  return new GradientCodec(quantizer, new GradientState(loops, new Random(seed)));
}
