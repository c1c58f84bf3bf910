/** `checkLaws`: holds a quantizer, built-in or a user's, to the laws that it declares. */
import { LawError } from "./errors.ts";
import { quantize } from "./quantize.ts";
import type { Quantized } from "./quantized.ts";
import { Random } from "./random.ts";
import type { Calibration, FloatTensor, Law, QuantizeOptions, Quantizer } from "./types.ts";
import { groupingOf } from "./weights.ts";

export interface LawOptions {
  /** Shape of the sample weights, [N, K]; K must suit the quantizer. Default [6, 48]. */
  readonly shape?: readonly [number, number];
  /** Seed of the sample weights and of seeded quantizers. Default 1. */
  readonly seed?: number;
  /** For quantizers that need inputs of the layer: K numbers each. Default: seeded ones, some channels stronger than others. */
  readonly calibration?: Calibration;
  /** For quantizers that need a diagonal Hessian: one number per weight. Default: seeded positive ones. */
  readonly curvature?: Float32Array;
}

type Run = (tensor: FloatTensor, by?: Quantizer, seed?: number) => Promise<Quantized>;

/** What a law's check has to work with; it throws LawError by `fail`. */
interface Case {
  readonly quantizer: Quantizer;
  readonly tensor: FloatTensor;
  /** What each weight counts in sums over a group: its curvature where the quantizer needs that, else 1. */
  readonly counts: (weight: number) => number;
  readonly calibration: Calibration;
  readonly run: Run;
  readonly fail: (expected: unknown, got: unknown) => never;
}

/** Relative difference that two roundings to f32 (a scale, a product) make. */
const ROUNDING = 2 ** -22;

/**
 * Tests every law that `quantizer` declares on seeded sample weights: bell-shaped, heavy-tailed, one-sided, and few-valued with zeros.
 * @throws LawError at the first one that fails, with the numbers.
 */
export async function checkLaws(quantizer: Quantizer, options: LawOptions = {}): Promise<void> {
  const { shape = [6, 48], seed = 1 } = options;
  const samples = sampleNeeds(shape, seed);
  const calibration = options.calibration ?? samples.inputs.calibration;
  const curvature = options.curvature ?? samples.curvature.curvature;
  const needed = { weights: {}, inputs: { calibration }, curvature: { curvature } };
  const run: Run = (tensor, by = quantizer, drawn = seed) =>
    quantize(tensor, by, { ...(by.seeded ? { seed: drawn } : {}), ...needed[by.needs] } as QuantizeOptions);
  for (const law of quantizer.laws) {
    for (const [kind, data] of Object.entries(sampleWeights(shape[0] * shape[1], new Random(seed)))) {
      // A coarse grid may happen to hold all of a few values.
      if (law === "monotoneInBits" && kind === "few-valued") continue;
      const fail = (expected: unknown, got: unknown): never => {
        throw new LawError(quantizer.scheme, law, `${expected} on ${kind} weights`, got);
      };
      const counts = (i: number): number => (quantizer.needs === "curvature" ? curvature[i]! : 1);
      await checks[law]({ quantizer, tensor: { shape, data }, counts, calibration, run, fail });
    }
  }
}

const checks: Record<Law, (sample: Case) => Promise<void>> = {
  async idempotent({ tensor, run, fail }) {
    const once = (await run(tensor)).dequantize();
    const twice = (await run({ shape: tensor.shape, data: once })).dequantize();
    once.forEach((value, i) => {
      if (Math.abs(value - twice[i]!) > ROUNDING * Math.abs(value)) fail(`weight ${i} to stay ${value}`, twice[i]);
    });
  },

  async scaleEquivariant({ tensor, run, fail }) {
    const { codes, dequantize } = await run(tensor);
    const values = dequantize();
    for (const factor of [2 ** -40, 8, 2 ** 20]) {
      const scaled = await run({ shape: tensor.shape, data: tensor.data.map((w) => w * factor) });
      const code = scaled.codes.findIndex((byte, i) => byte !== codes[i]);
      if (code >= 0 && scaled.bits < 32)
        fail(`byte ${code} of the codes of ${factor} w to be ${codes[code]}`, scaled.codes[code]);
      scaled.dequantize().forEach((value, i) => {
        if (value !== values[i]! * factor) fail(`weight ${i} of ${factor} w to be ${values[i]! * factor}`, value);
      });
    }
  },

  async signSymmetric({ tensor, run, fail }) {
    const data = tensor.data.map((w) => (w === 0 ? 1 : w));
    const values = (await run({ shape: tensor.shape, data })).dequantize();
    const mirrored = (await run({ shape: tensor.shape, data: data.map((w) => -w) })).dequantize();
    values.forEach((value, i) => {
      if (mirrored[i] !== -value) fail(`weight ${i} of -w to be ${-value}`, mirrored[i]);
    });
  },

  async nearest({ quantizer, tensor, run, fail }) {
    const quantized = await run(tensor);
    const { decoding } = quantized;
    const dimension = "dimension" in decoding ? decoding.dimension : 1;
    const levels = usedLevels(quantizer, tensor, quantized.dequantize(), dimension);
    for (const { vectors, used } of levels) {
      for (const { original, chosen } of vectors) {
        const reached = distance(original, chosen);
        const least = used.reduce((smallest, level) => Math.min(smallest, distance(original, level)), reached);
        const slack = ROUNDING * Math.sqrt(used.reduce((most, level) => Math.max(most, distance(level, [])), 0));
        if (Math.sqrt(reached) > Math.sqrt(least) + slack)
          fail(`[${original}] at distance ${Math.sqrt(least)}`, Math.sqrt(reached));
      }
    }
  },

  async optimalScale({ quantizer, tensor, run, fail }) {
    const values = (await run(tensor)).dequantize();
    const products = new Map<number, { cross: number; power: number }>();
    values.forEach((value, i) => {
      const group = groupAt(quantizer, tensor.shape, i);
      const sums = products.get(group) ?? { cross: 0, power: 0 };
      sums.cross += (tensor.data[i]! - value) * value;
      sums.power += value * value;
      products.set(group, sums);
    });
    for (const [group, { cross, power }] of products) {
      if (Math.abs(cross) > ROUNDING * power)
        fail(`(w - Q(w)) · Q(w) of group ${group} to be 0 beside ${power}`, cross);
    }
  },

  async keepsZero({ tensor, run, fail }) {
    const data = tensor.data.map((w, i) => (i % 3 === 0 ? 0 : w));
    const values = (await run({ shape: tensor.shape, data })).dequantize();
    values.forEach((value, i) => {
      if (data[i] === 0 && value !== 0) fail(`weight ${i} to stay 0`, value);
    });
  },

  async keepsMean({ quantizer, tensor, counts, run, fail }) {
    const values = (await run(tensor)).dequantize();
    const groups = new Map<number, { lost: number; magnitude: number }>();
    values.forEach((value, i) => {
      const group = groupAt(quantizer, tensor.shape, i);
      const sums = groups.get(group) ?? { lost: 0, magnitude: 0 };
      sums.lost += counts(i) * (tensor.data[i]! - value);
      sums.magnitude += counts(i) * Math.abs(value);
      groups.set(group, sums);
    });
    for (const [group, { lost, magnitude }] of groups) {
      if (Math.abs(lost) > ROUNDING * magnitude)
        fail(`Σ(w - Q(w)) of group ${group} to be 0 beside ${magnitude}`, lost);
    }
  },

  async ordered({ quantizer, tensor, run, fail }) {
    const values = (await run(tensor)).dequantize();
    const groups = values.map((_, i) => groupAt(quantizer, tensor.shape, i));
    const order = [...values.keys()].sort((a, b) => groups[a]! - groups[b]! || tensor.data[a]! - tensor.data[b]!);
    for (let i = 1; i < order.length; i++) {
      const [low, high] = [order[i - 1]!, order[i]!];
      if (groups[low] === groups[high] && values[low]! > values[high]!)
        fail(`weight ${low} to become at most ${values[high]} as weight ${high}, which is not less`, values[low]);
    }
  },

  async unbiased({ quantizer, tensor: sample, run, fail }) {
    const tensor = within(quantizer, sample);
    const { length } = tensor.data;
    const [sums, squares] = [new Float64Array(length), new Float64Array(length)];
    let largest = 0;
    for (let seed = 0; seed < DRAWS; seed++) {
      (await run(tensor, undefined, seed)).dequantize().forEach((value, i) => {
        sums[i]! += value;
        squares[i]! += value * value;
        largest = Math.max(largest, Math.abs(value));
      });
    }
    tensor.data.forEach((w, i) => {
      const mean = sums[i]! / DRAWS;
      // A weight that hardly ever moves shows no spread: that it should reach the largest level once in 64 draws would be seen, once in a thousand not.
      const spread = Math.sqrt(Math.max(0, squares[i]! / DRAWS - mean * mean));
      const slack = (6 * spread) / Math.sqrt(DRAWS) + 4 * ROUNDING * Math.abs(w) + (spread === 0 ? largest / 64 : 0);
      if (Math.abs(mean - w) > slack) fail(`a mean of ${w} within ${slack} for weight ${i}`, mean);
    });
  },

  async adjacent({ quantizer, tensor: sample, run, fail }) {
    const tensor = within(quantizer, sample);
    const quantized = await run(tensor);
    const values = quantized.dequantize();
    tensor.data.forEach((w, i) => {
      const [low, high] = w < values[i]! ? [w, values[i]!] : [values[i]!, w];
      const levels = levelsOf(quantized, groupAt(quantizer, tensor.shape, i));
      const slack = ROUNDING * levels.reduce((most, level) => Math.max(most, Math.abs(level)), 0);
      for (const level of levels) {
        if (low + slack < level && level < high - slack)
          fail(`no level between weight ${i}, ${w}, and ${values[i]}`, level);
      }
    });
  },

  async noWorseOutput({ quantizer, tensor, calibration, run, fail }) {
    const uncalibrated = quantizer.uncalibrated?.();
    if (uncalibrated === undefined) return;
    const error = async (by: Quantizer): Promise<number> =>
      outputError(tensor, (await run(tensor, by)).dequantize(), calibration);
    const [got, plain] = [await error(quantizer), await error(uncalibrated)];
    if (got > plain * (1 + ROUNDING))
      fail(`squared error of the output of at most ${plain} (that of ${uncalibrated.scheme})`, got);
  },

  async monotoneInBits({ quantizer, tensor, run, fail }) {
    const coarser = quantizer.coarser?.();
    if (coarser === undefined) return;
    const fine = (await run(tensor)).error.mse;
    const coarse = (await run(tensor, coarser)).error.mse;
    if (fine > coarse) fail(`mean squared error of at most ${coarse} (that of ${coarser.scheme})`, fine);
  },
};

/** Draws of a stochastic quantizer whose mean is looked at. */
const DRAWS = 1024;

/** The sample with what lies beyond the quantizer's range moved to its ends. */
function within({ range }: Quantizer, { shape, data }: FloatTensor): FloatTensor {
  if (range === undefined) return { shape, data };
  const [least, largest] = range;
  return { shape, data: data.map((w) => Math.max(least, Math.min(largest, w))) };
}

/** What the codes of a group may stand for; only of decodings that have a level for a single weight. */
function levelsOf({ bits, decoding, scales }: Quantized, group: number): number[] {
  const scale = scales?.[group] ?? 1;
  const codes = Array.from({ length: 2 ** bits }, (_, code) => code);
  switch (decoding.kind) {
    case "sign":
      return [scale, -scale];
    case "affine": {
      const zero = typeof decoding.zeroPoint === "number" ? decoding.zeroPoint : decoding.zeroPoint[group]!;
      return codes.map((code) => (code - zero) * scale);
    }
    case "offset":
      return codes.map((code) => code * scale + decoding.offset[group]!);
    case "table":
      return Array.from(decoding.codebook, (level) => level * scale);
    default:
      return [];
  }
}

/** Σ ‖(w - v) x‖² over all samples. */
function outputError({ shape, data }: FloatTensor, values: Float32Array, { inputs }: Calibration): number {
  const [rows, columns] = shape as readonly [number, number];
  let total = 0;
  for (let from = 0; from < inputs.length; from += columns) {
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let k = 0; k < columns; k++) {
        sum += (data[row * columns + k]! - values[row * columns + k]!) * inputs[from + k]!;
      }
      total += sum * sum;
    }
  }
  return total;
}

/** Seeded samples of what a quantizer of weights [rows, columns] may need, by {@link Need}. */
export function sampleNeeds(
  [rows, columns]: readonly [number, number],
  seed: number,
): { weights: object; inputs: { calibration: Calibration }; curvature: { curvature: Float32Array } } {
  return {
    weights: {},
    inputs: { calibration: sampleInputs(columns, new Random(seed + 1)) },
    curvature: { curvature: sampleCurvature(rows * columns, new Random(seed + 2)) },
  };
}

/** Four samples for each input, correlated with their neighbours; every fifth is eight times as strong. */
function sampleInputs(columns: number, random: Random): Calibration {
  const samples = 4 * columns;
  let last = 0;
  const inputs = Float32Array.from({ length: samples * columns }, (_, i) => {
    last = 0.5 * last + random.uniform() - 0.5;
    return (i % columns) % 5 === 0 ? 8 * last : last;
  });
  return { samples, inputs };
}

const sampleCurvature = (count: number, random: Random): Float32Array =>
  Float32Array.from({ length: count }, () => 0.01 + random.uniform() * random.uniform());

/** Sample weights by kind; exact arithmetic only, so that every engine tests the same numbers. */
function sampleWeights(count: number, random: Random): Record<string, Float32Array> {
  const bell = (): number => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random.uniform();
    return sum;
  };
  const sample = (draw: () => number): Float32Array => Float32Array.from({ length: count }, draw);
  return {
    "bell-shaped": sample(() => 0.05 * bell()),
    "heavy-tailed": sample(() => {
      const x = bell();
      return x * Math.abs(x);
    }),
    "one-sided": sample(() => 0.01 + random.uniform()),
    "few-valued": sample(() => random.below(4) - 1),
  };
}

/** The group of element i of [N, K]. */
function groupAt({ per }: Quantizer, shape: readonly number[], i: number): number {
  const { columns, groupSize } = groupingOf(per, shape[0]!, shape[1]!);
  return Math.floor(i / columns) * Math.ceil(columns / groupSize) + Math.floor((i % columns) / groupSize);
}

type Vector = ArrayLike<number>;

/** Squared distance; an absent component counts as 0. */
function distance(a: Vector, b: Vector): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) {
    const difference = a[j]! - (b[j] ?? 0);
    sum += difference * difference;
  }
  return sum;
}

/** Per group: the sub-vectors, what they became, and the distinct levels among those. */
function usedLevels(
  quantizer: Quantizer,
  { shape, data }: FloatTensor,
  values: Float32Array,
  dimension: number,
): Iterable<{ vectors: { original: Float32Array; chosen: Float32Array }[]; used: Float32Array[] }> {
  const groups = new Map<
    number,
    { vectors: { original: Float32Array; chosen: Float32Array }[]; used: Float32Array[] }
  >();
  for (let i = 0; i < data.length; i += dimension) {
    const key = groupAt(quantizer, shape, i);
    const group = groups.get(key) ?? { vectors: [], used: [] };
    groups.set(key, group);
    const chosen = values.subarray(i, i + dimension);
    group.vectors.push({ original: data.subarray(i, i + dimension), chosen });
    if (!group.used.some((level) => level.every((value, j) => value === chosen[j]))) group.used.push(chosen);
  }
  return groups.values();
}
