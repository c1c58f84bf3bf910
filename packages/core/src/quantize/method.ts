/** A row of `docs/methods.md`: what a method is called in the literature, where it stands here, and a figure that can be compared. */
import type { Calibration, FloatTensor, Paper } from "./types.ts";

/** Where the survey has the method, or that it came later. */
export type Section =
  | "deterministic: rounding"
  | "deterministic: vector quantization"
  | "deterministic: quantization as optimization"
  | "stochastic: random rounding"
  | "stochastic: probabilistic"
  | "activations"
  | "gradients"
  | "since 2018";

/** A trained layer with everything that a method may ask for. */
export interface TrainedLayer {
  /** f32 [N, K]. */
  readonly weights: FloatTensor;
  /** Its inputs on calibration samples, f32 [samples, K]. */
  readonly calibration: Calibration;
  /** Diagonal Hessian of the layer's squared output error, f32 [N, K]: 2/samples Σ x_k² in every row. */
  readonly curvature: Float32Array;
}

interface Row {
  /** Its name in the literature. */
  readonly method: string;
  readonly section: Section;
  /** The file of its formula, below `src/quantize`. */
  readonly file: string;
  readonly paper: Paper;
  /** The published or theoretical figure that stands beside the measured one, and where it is from. */
  readonly published: string;
  /** Methods that give equal codes on the trained layer, each with the reason why their formulas must agree there. */
  readonly agrees?: Readonly<Record<string, string>>;
}

/** Measured through `quantize` with this scheme. */
interface SchemeRow extends Row {
  readonly scheme: string;
}

/** Not a quantizer of a tensor (gradients, activations, transformations): says itself what it measured. */
interface MeasuredRow extends Row {
  /** Laws that its tests hold it to, in words. */
  readonly laws: readonly string[];
  /** What runs its result. */
  readonly kernel: string;
  /** One figure with its unit, deterministic. */
  readonly measure: (layer: TrainedLayer) => Promise<string>;
}

export type Method = SchemeRow | MeasuredRow;
