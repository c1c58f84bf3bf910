/** What a report shows. Everything here was measured; a figure that was not is absent, never zero. */

/** One quantized layer against the float one. */
export interface LayerFigures {
  readonly name: string;
  readonly scheme: string;
  /** Bits stored per weight, codebooks and scales included. */
  readonly bitsPerWeight: number;
  readonly bytes: number;
  /** What the figures below compare: the layer's output on calibration inputs (where absent), or its weights. */
  readonly measured?: "output" | "weights";
  /** Signal to quantization noise ratio, dB: 10 log10(sum y² / sum (y - ŷ)²). */
  readonly sqnr?: number;
  /** Cosine of the angle between float and quantized output, -1..1. */
  readonly cosine?: number;
  readonly maxError?: number;
}

/** Why a gate refused a model: the layer it saw fail first, and the figure. */
export interface Refusal {
  readonly layer: string;
  readonly reason: string;
}

/** One way to store and run the same task. */
export interface SchemeFigures {
  readonly name: string;
  /** `reference`: the float model; `cut`: quantized after training; `trained`: trained at these bits; `peer`: another runtime. */
  readonly kind: "reference" | "cut" | "trained" | "peer";
  readonly bitsPerWeight: number;
  readonly bytes: number;
  /** Share of samples whose largest output is the labelled class, 0..1. */
  readonly top1: number;
  /** Share of samples with the same largest output as the float model, 0..1. */
  readonly agreement?: number;
  readonly imagesPerSecond?: number;
  readonly refused?: Refusal;
  readonly layers: readonly LayerFigures[];
}

/** How many of a layer's weights lie in each of equal bins from `low` to `high`, the range of its float weights. */
export interface WeightSpread {
  readonly layer: string;
  readonly low: number;
  readonly high: number;
  readonly bins: readonly number[];
}
