/**
 * Scales that move between a layer and the one before it: cross-layer equalization, SmoothQuant, AWQ's scales. All of them are numbers s > 0, one for each channel between
 * the two layers, and leave what the network computes as it is (to the rounding of f32): the layer before gives x / s, this one has W diag(s).
 *
 * Between the layers there may be what commutes with a positive scale per channel: ReLU, max and average pooling, flattening. A channel that is all zero on either
 * side keeps s = 1. A convolution's channels are its last axis: weight k of a row belongs to channel k mod C.
 */
import { OutOfRangeError, ShapeError } from "../../errors.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { innerLoops } from "../engine.ts";
import type { Method, TrainedLayer } from "../method.ts";
import { AWQ, DFQ, SMOOTHQUANT } from "../papers.ts";
import { quantize } from "../quantize.ts";
import { uniform } from "../rounding/uniform.ts";
import type { Solver } from "../solve.ts";
import type { Calibration, DecodingKind, FloatTensor, Quantizer } from "../types.ts";
import { matrixOf } from "../weights.ts";
import { checkInputs, outputError } from "./output-error.ts";

/** The factors, and the layer's weights times them. */
export interface Scaled {
  /** s per channel: the layer before is divided by them ({@link divideOutputs}). */
  readonly factors: Float64Array;
  /** W diag(s), shaped as W. */
  readonly weights: Float32Array;
}

/**
 * SmoothQuant: s_j = max|X_j|^α / max|W_j|^(1-α) divides the activations, so that their outliers move into the weights (α = 1) or stay (α = 0).
 * @param inputMax max|X_j| of every input channel on calibration samples
 * @param alpha 0..1, in the paper 0.5
 * @returns factors to divide the layer before by (the activations get x / s), and W diag(s)
 * @throws ShapeError, OutOfRangeError
 */
export async function smoothQuant(
  weights: FloatTensor,
  inputMax: ArrayLike<number>,
  { alpha = 0.5, kernels }: { readonly alpha?: number; readonly kernels?: KernelInstance } = {},
): Promise<Scaled> {
  if (!(alpha >= 0 && alpha <= 1)) throw new OutOfRangeError("smoothQuant", "alpha", "0..1", alpha);
  const { solver } = await innerLoops(kernels);
  const channels = inputMax.length;
  const weightMax = channelMax("smoothQuant", solver, weights, channels);
  const x = solver.powers(Float64Array.from(inputMax), alpha);
  const w = solver.powers(weightMax, 1 - alpha);
  const factors = x.map((value, j) => (inputMax[j]! > 0 && weightMax[j]! > 0 ? value / w[j]! : 1));
  return { factors, weights: timesChannels(solver, weights, factors) };
}

/** Two layers and the channels between them. */
export interface Equalized {
  readonly factors: Float64Array;
  readonly first: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly second: Float32Array;
}

/**
 * Cross-layer equalization: with the ranges r1_i = max|W1_i| of output channel i and r2_i = max|W2_i| of the weights that read it, s_i = sqrt(r1_i r2_i) / r2_i, W1_i and b1_i are
 * divided by it and W2_i is multiplied, after which both ranges are sqrt(r1_i r2_i). Needs no data. Published: MobileNetV2, 8 bits per tensor, 0.1 % top-1 before, 69.9 after it
 * (without bias correction and absorption), float 71.7.
 * @throws ShapeError where the second's rows are not a multiple of the first's outputs
 */
export async function equalizeLayers(
  first: FloatTensor,
  second: FloatTensor,
  { bias, kernels }: { readonly bias?: Float32Array | undefined; readonly kernels?: KernelInstance } = {},
): Promise<Equalized> {
  const { solver, load } = await innerLoops(kernels);
  const { rows, columns } = matrixOf(first.shape);
  using resident = load(first.data);
  const r1 = resident.absMax({ rows, columns, groupSize: columns });
  const r2 = channelMax("equalizeLayers", solver, second, rows);
  const factors = Float64Array.from(r1, (range, i) => (range > 0 && r2[i]! > 0 ? Math.sqrt(range / r2[i]!) : 1));
  return {
    factors,
    ...(await divideOutputs(first, bias, factors, kernels)),
    second: timesChannels(solver, second, factors),
  };
}

/**
 * The layer before, so that its outputs are divided by s: rows and bias.
 * @throws ShapeError unless there is a factor for each output channel
 */
export async function divideOutputs(
  layer: FloatTensor,
  bias: Float32Array | undefined,
  factors: Float64Array,
  kernels?: KernelInstance,
): Promise<{ first: Float32Array; bias: Float32Array | undefined }> {
  const { solver } = await innerLoops(kernels);
  const { rows, columns } = matrixOf(layer.shape);
  if (factors.length !== rows) throw new ShapeError("divideOutputs", "factors", rows, factors.length);
  const inverse = factors.map((s) => 1 / s);
  return {
    first: solver.scale(layer.data, columns, inverse, Float64Array.of(1)),
    bias: bias?.map((b, i) => b * inverse[i]!),
  };
}

export interface AwqScaled extends Scaled {
  /** The exponent that was found, 0..1. */
  readonly alpha: number;
}

/**
 * AWQ's scales: s = mean|X_j|^a / sqrt(max · min of these), a in {0, 0.05 ... 1} of least ‖Q(W diag(s)) diag(s)⁻¹ X - W X‖²; the lower a on a tie, and a = 0 is no scaling at all.
 * @param channels input channels; a convolution has several weights of a row for each
 * @throws ShapeError, and what `quantize` throws
 */
export async function awqScales<D extends DecodingKind>(
  weights: FloatTensor,
  calibration: Calibration,
  quantizer: Quantizer<D, false, "weights">,
  { channels, kernels }: { readonly channels?: number; readonly kernels?: KernelInstance } = {},
): Promise<AwqScaled> {
  const { columns } = matrixOf(weights.shape);
  checkInputs("awqScales", calibration, columns);
  const { solver } = await innerLoops(kernels);
  const count = channels ?? columns;
  checkChannels("awqScales", columns, count);
  const { sumAbs } = solver.columnFigures(calibration.inputs, columns);
  const mean = new Float64Array(count);
  for (const [k, sum] of sumAbs.entries()) mean[k % count]! += sum;
  using gram = solver.gram(calibration, columns);
  let best: AwqScaled | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let step = 0; step <= 20; step++) {
    const factors = centred(solver.powers(mean, step / 20), mean);
    const scaled = timesChannels(solver, weights, factors);
    const quantized = await quantize({ shape: weights.shape, data: scaled }, quantizer, kernels ? { kernels } : {});
    const rows = new Float64Array(weights.data.length / columns).fill(1);
    const back = solver.scale(
      quantized.dequantize(),
      columns,
      rows,
      factors.map((s) => 1 / s),
    );
    const error = gram.errors(weights.data, back).reduce((sum, form) => sum + form, 0);
    if (error < least) {
      least = error;
      best = { alpha: step / 20, factors, weights: scaled };
    }
  }
  return best!;
}

/** Divided by sqrt(max · min) of those whose channel has any input; the others get 1. */
function centred(powers: Float64Array, mean: Float64Array): Float64Array {
  const live = powers.filter((_, j) => mean[j]! > 0);
  if (live.length === 0) return powers.fill(1);
  const [low, high] = live.reduce(([min, max], s) => [Math.min(min, s), Math.max(max, s)], [live[0]!, live[0]!]);
  const middle = Math.sqrt(low) * Math.sqrt(high);
  return powers.map((s, j) => (mean[j]! > 0 ? s / middle : 1));
}

/** max|W_j| over all weights of every input channel. */
function channelMax(op: string, solver: Solver, { shape, data }: FloatTensor, channels: number): Float64Array {
  checkChannels(op, matrixOf(shape).columns, channels);
  return solver.columnFigures(data, channels).maxAbs;
}

function checkChannels(op: string, columns: number, channels: number): void {
  if (!(Number.isInteger(channels) && channels >= 1 && columns % channels === 0))
    throw new ShapeError(op, "input channels", `a divisor of ${columns}`, channels);
}

function timesChannels(solver: Solver, { shape, data }: FloatTensor, factors: Float64Array): Float32Array {
  const { rows, columns } = matrixOf(shape);
  return solver.scale(data, columns, new Float64Array(rows).fill(1), factors);
}

const signed = (value: number): string => value.toExponential(2);

/** Relative output error of int4 over the tensor: as it is, and scaled. */
async function before(layer: TrainedLayer, scaled: Scaled): Promise<string> {
  const by = uniform({ bits: 4, per: "tensor" });
  const plain = await quantize(layer.weights, by);
  const quantized = await quantize({ shape: layer.weights.shape, data: scaled.weights }, by);
  const inverse = scaled.factors.map((s) => 1 / s);
  const { solver } = await innerLoops();
  const { rows, columns } = matrixOf(layer.weights.shape);
  const back = solver.scale(quantized.dequantize(), columns, new Float64Array(rows).fill(1), inverse);
  const [a, b] = [
    await outputError(layer.weights, plain.dequantize(), layer.calibration),
    await outputError(layer.weights, back, layer.calibration),
  ];
  return `output error of int4:tensor ${signed(a)} → ${signed(b)}`;
}

const common = {
  section: "since 2018",
  file: "calibrated/equalization.ts",
  laws: ["the float function stays"],
  kernel: "that of the scheme behind it",
} as const;

export const equalizationMethods: readonly Method[] = [
  {
    ...common,
    method: "Cross-layer equalization (DFQ)",
    paper: DFQ,
    published:
      "MobileNetV2, 8 bits, as jakc4103/DFQ on GitHub reproduces it: 0.1 % top-1 without, 70.3 with it, float 71.8; both ranges become sqrt(r1 r2)",
    laws: ["the float function stays", "equal ranges", "a second time changes nothing"],
    async measure(layer) {
      // Against a layer before it with ranges of 1.
      const { columns } = matrixOf(layer.weights.shape);
      const first = { shape: [columns, 1], data: new Float32Array(columns).fill(1) };
      const { factors, second } = await equalizeLayers(first, layer.weights);
      return before(layer, { factors, weights: second });
    },
  },
  {
    ...common,
    method: "SmoothQuant",
    paper: SMOOTHQUANT,
    published: "OPT-175B, 8-bit weights and activations: as float16",
    laws: ["the float function stays", "α = 0.5 gives both sides equal ranges"],
    async measure(layer) {
      const { solver } = await innerLoops();
      const { maxAbs } = solver.columnFigures(layer.calibration.inputs, matrixOf(layer.weights.shape).columns);
      return before(layer, await smoothQuant(layer.weights, maxAbs));
    },
  },
  {
    ...common,
    method: "AWQ, scaled channels",
    paper: AWQ,
    published: "Llama-2-7B, 4 bits, groups of 128: perplexity 5.60, float 5.47",
    laws: ["the float function stays", "output error at most that without scales"],
    async measure(layer) {
      return before(layer, await awqScales(layer.weights, layer.calibration, uniform({ bits: 4, per: "tensor" })));
    },
  },
];
