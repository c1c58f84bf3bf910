/** Options and results of this package's functions; each function's own file says what it does. */
import type { Graph, PlainConstant, QuantizedConstant, Tensor } from "lowbit";
import type { ActivationRange, Calibration as Inputs, ErrorFigures as WeightFigures } from "lowbit/quantize";

/** One set of inputs by name, as `model.run` takes them. */
export type Feed = Readonly<Record<string, Tensor>>;

/**
 * `packed` is a file that {@link writeModel} made, `tensors` any other safetensors file: constants without a network, for
 * {@link quantizeTensors}.
 */
export type ModelFormat = "onnx" | "tflite" | "packed" | "tensors";

export interface ImportOptions {
  /** Found in the file where it is absent. */
  readonly format?: ModelFormat;
  /** The Graph's name; the source's own where it is absent (`tensors` where it has none). */
  readonly name?: string;
  /** Of quantized TFLite files; `nearest` where it is absent. */
  readonly rounding?: Rounding;
}

/**
 * How sums of a quantized TFLite network become codes.
 *
 * - `nearest`: the real number rounded once to the nearest code, ties to even, as LiteRT's XNNPACK does; fused into the layers' kernels, in the smallest module.
 * - `reference`: by integers alone with two roundings, as TensorFlow Lite's reference kernels and integer-only hardware do: every code of convolutions, dense layers, additions and means
 *   is theirs. For who must have the same answers; slower, and in the module of `lowbit/ops`.
 *
 * A code differs between the two in some of a hundred to a thousand places, by 1.
 */
export type Rounding = "nearest" | "reference";

/** What one pass did, for `--explain`. */
export interface PassRecord {
  /** File name of the pass, e.g. `fold-batch-norm`. */
  readonly pass: string;
  /** One sentence per change, naming the node: `conv1: batch normalization bn1 folded into weights and bias`. */
  readonly changes: readonly string[];
}

export interface PassOptions {
  /** Called after every pass that changed something. */
  readonly explain?: (record: PassRecord) => void;
}

/** Range of a float value over all calibration samples. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface CalibrateOptions {
  /** Where ranges end; `minmax` where it is absent. */
  readonly range?: ActivationRange;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a float graph did on the calibration samples. */
export interface Calibration {
  /** By value name: every float value that a node writes, and every float input. */
  readonly ranges: ReadonlyMap<string, Range>;
  /** The samples themselves, for the parity check. */
  readonly feeds: readonly Feed[];
  /** Where the ranges end; `minmax` where it is absent. */
  readonly range?: ActivationRange;
}

/** Floors that a quantized model must reach; see docs/decisions/2026-11-23-gate.md for the defaults. */
export interface Gate {
  /** Share of samples, 0..1, on which the quantized model's first output has its largest entry where float has it. */
  readonly minAgreement?: number;
  /** Cosine of float and quantized logits over all samples, 0..1. */
  readonly minCosine?: number;
  /** Signal to noise of every layer's own output in dB. */
  readonly minSqnr?: number;
}

/** Weights to quantize: plain data, which a thread can be sent. */
export interface LayerTask {
  /** Of the layer, or of the tensor. */
  readonly name: string;
  readonly weight: Pick<PlainConstant, "shape"> & { readonly data: Float32Array };
  readonly scheme: string;
  /** Whether a rule named the layer, rather than all of them. */
  readonly named: boolean;
  /** Bytes that the weights take unquantized. */
  readonly stored: number;
}

/** Quantized weights and what that cost them. */
export interface LayerCodes {
  readonly constant: QuantizedConstant;
  readonly error: WeightFigures;
}

/** Has layers quantized somewhere else than in this thread. */
export interface Quantizing {
  /** Layers that may be begun before the first of them is done, 1 or more. */
  readonly atOnce: number;
  /**
   * Must give what `quantizeLayer(task, await inputs())` gives, so that the file does not depend on where its layers were made.
   * @param inputs of the layer, for a scheme that needs them; asking takes a run of the float network
   */
  readonly quantize: (task: LayerTask, inputs: () => Promise<Inputs | undefined>) => Promise<LayerCodes | undefined>;
}

export interface QuantizeModelOptions {
  /**
   * Scheme of every conv2d and dense weight, e.g. `int8`, `kmeans:16`; absent: only what is already low-bit is packed.
   */
  readonly weights?: string;
  /**
   * `int8`: activations run in integers too (needs calibration), over the ranges that the calibration has; `int8:p99.9`, `int8:kl` and `int8:mse`: over ranges cut by that rule, for which
   * the float network is run once more. `int8:dynamic`: dense layers of integer weights quantize each row of their input when it comes, by its own largest magnitude; what transformers
   * want. Absent or `float`: they stay float.
   */
  readonly activations?: string;
  /**
   * Later entries win. The glob is over node names: `*` any run of characters, `?` one. `float` leaves a layer alone.
   */
  readonly layers?: readonly (readonly [glob: string, scheme: string])[];
  /**
   * Moves factors per channel between layers first, in this order: `equalize`, `smooth`, `smooth:0.7`, `awq` (see `rescale`). The last two need calibration. Absent: none.
   */
  readonly rescale?: readonly string[];
  /** Called for every rescaling that changed something or had to leave a layer as it is. */
  readonly explain?: PassOptions["explain"];
  /** Without it nothing is measured: figures of the reports are of the weights, and there is no gate. */
  readonly calibration?: Calibration;
  /**
   * Takes the mean error of each quantized layer's output out of its bias (DFQ's bias correction; needs calibration). Grouped convolutions stay as they are. Default false.
   */
  readonly correctBias?: boolean;
  /** Floor for every layer in dB; overrides the gate's own. */
  readonly minSqnr?: number;
  /** `false` measures without refusing. */
  readonly gate?: Gate | false;
  /** Absent: in this thread, one layer after another. */
  readonly quantizing?: Quantizing;
  readonly signal?: AbortSignal;
  readonly onProgress?: (stage: "quantize" | "measure", done: number, total: number) => void;
}

/** As for a network, but that globs are over the names of tensors, and only `minSqnr` refuses. */
export type QuantizeTensorsOptions = Pick<
  QuantizeModelOptions,
  "weights" | "layers" | "minSqnr" | "quantizing" | "signal" | "onProgress"
>;

/** Float against quantized, over all elements of one value and all samples. */
export interface ErrorFigures {
  /** 10 log10(sum float² / sum (float - quantized)²) in dB; Infinity where equal. */
  readonly sqnr: number;
  readonly cosine: number;
  readonly maxError: number;
}

/** One layer with weights. */
export interface LayerReport extends ErrorFigures {
  readonly name: string;
  /** The operator; `tensor` where there is no network. */
  readonly op: string;
  /** As the command line spells it; `float` where the weights stayed as they were. */
  readonly scheme: string;
  /** Bits of a weight, everything that its decoding needs (scales, codebooks) included. */
  readonly bitsPerWeight: number;
  /** Weights of the layer. */
  readonly weights: number;
  /** Their bytes in the file. */
  readonly bytes: number;
  /** What the inherited figures compare: the layer's output with float inputs, or (without calibration) its weights. */
  readonly measured: "output" | "weights";
  /** The same output inside the quantized model, where the layers before it are quantized too. */
  readonly inModel?: ErrorFigures;
}

/** Why a model was refused: the gate's floor that it missed. */
export interface Refusal {
  readonly figure: "agreement" | "cosine" | "sqnr";
  readonly value: number;
  readonly floor: number;
  /** The layer with the lowest SQNR: where to start. */
  readonly layer: string;
  readonly layerSqnr: number;
  /** One line, with layer, figures and what to try. */
  readonly message: string;
}

/** First output of the quantized model against float on the calibration samples. */
export interface Agreement extends ErrorFigures {
  readonly samples: number;
  /** Share of samples whose largest entry is in the same place, 0..1. */
  readonly top1: number;
}

export interface QuantizeModelResult {
  readonly graph: Graph;
  readonly layers: readonly LayerReport[];
  /** Bits per weight over all layers with weights. */
  readonly bitsPerWeight: number;
  /** Absent without calibration. */
  readonly agreement: Agreement | undefined;
  readonly refused: Refusal | undefined;
}
