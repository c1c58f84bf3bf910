/**
 * Quantizers of activations: f32 tensors that come and go, unlike weights. One that is ready ({@link ActivationQuantizer}) turns each of them into codes;
 * a {@link ActivationCalibrator} has to see samples first and then gives a ready one.
 */
import type { ActivationQuantization } from "../../graph/types.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import type { ErrorFigures } from "../figures.ts";
import type { FloatTensor, Paper } from "../types.ts";

export type ActivationBits = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

interface Traits {
  /** Its name, such as `int8:kl` or `pact4`. */
  readonly scheme: string;
  /** Bits of a code. */
  readonly bits: ActivationBits;
  readonly paper: Paper;
}

/** Codes of one tensor: real = (code - zeroPoint) * scale, or levels[code] * scale where there are levels. */
export interface QuantizedActivations {
  readonly scheme: string;
  readonly shape: readonly number[];
  readonly bits: ActivationBits;
  /** Unsigned, one byte each, row-major. */
  readonly codes: Uint8Array;
  /** One for the tensor, or one for each row of the last axis (a token). */
  readonly scale: Float32Array;
  /** As many as scales. */
  readonly zeroPoint: Int32Array;
  /** In code order, where they are not evenly spaced. */
  readonly levels: Float32Array | undefined;
  /** Against what was given. */
  readonly error: ErrorFigures;
  /** fround((code - zeroPoint) * scale); a new array. */
  dequantize(): Float32Array;
}

export interface ActivationOptions {
  /** Of the tensor, for messages. */
  readonly name?: string | undefined;
  readonly kernels?: KernelInstance | undefined;
  /** 32-bit seed of those that draw; 0 where absent. */
  readonly seed?: number | undefined;
}

/** Ready to quantize. */
export interface ActivationQuantizer extends Traits {
  /**
   * Scale and zero point of unsigned codes where every tensor has the same: what the Graph's `quantize` takes for uint8 (for int8 subtract 128 from codes and zero point). Absent
   * where they follow the tensor or the levels are not evenly spaced.
   */
  readonly quantization: ActivationQuantization | undefined;
  /** @throws ShapeError, NotFiniteError */
  quantize(x: FloatTensor, options?: ActivationOptions): Promise<QuantizedActivations>;
}

/** Watches batches, in any number and size: what it keeps does not grow with them, and no order of them gives another result. */
export interface ActivationObserver {
  /** @throws ShapeError, NotFiniteError */
  observe(batch: FloatTensor, options?: ActivationOptions): Promise<void>;
  /** The quantizer for what was seen so far. @throws InputError where that is nothing */
  freeze(): ActivationQuantizer;
}

/** Has to see samples before it can quantize. */
export interface ActivationCalibrator extends Traits {
  watch(): ActivationObserver;
  /** Watches one batch or several, and freezes. */
  calibrate(batches: FloatTensor | Iterable<FloatTensor>, options?: ActivationOptions): Promise<ActivationQuantizer>;
}
